"""What routes ask for by annotation."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from api.desk import Desk
from api.streams import Streams
from ingest.jobs import Jobs
from ingest.uploads import Uploads
from kb.wiring import KnowledgeBase

NDJSON = "application/x-ndjson"


def _kb(request: Request) -> KnowledgeBase:
    kb: KnowledgeBase = request.app.state.kb
    return kb


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def json_only(request: Request) -> None:
    """Raises HTTPException 415. A body of another type would be taken for a wrong field."""
    media_type = _media_type(request)
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise HTTPException(415, "send the body with Content-Type: application/json")


def lines_only(request: Request) -> None:
    """Raises HTTPException 415. Not only for tidiness: browsers send this type to another site
    only after asking it, so that no web page can slip documents in."""
    if _media_type(request) != NDJSON:
        raise HTTPException(415, f"send the body with Content-Type: {NDJSON}")


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _jobs(request: Request) -> Jobs:
    jobs: Jobs = request.app.state.jobs
    return jobs


def _uploads(request: Request) -> Uploads:
    uploads: Uploads = request.app.state.uploads
    return uploads


def _streams(request: Request) -> Streams:
    streams: Streams = request.app.state.streams
    return streams


KB = Annotated[KnowledgeBase, Depends(_kb)]
Asking = Annotated[Desk, Depends(_desk)]
Streaming = Annotated[Streams, Depends(_streams)]
IngestJobs = Annotated[Jobs, Depends(_jobs)]
UploadsOf = Annotated[Uploads, Depends(_uploads)]
JsonOnly = Depends(json_only)
LinesOnly = Depends(lines_only)
