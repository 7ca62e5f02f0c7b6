"""What routes ask for by annotation."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from anyio import CapacityLimiter
from fastapi import Depends, HTTPException, Request

from api.streams import Streams
from ingest.jobs import Jobs
from ingest.uploads import Uploads
from kb.errors import IngestNotAllowed, ListingNotAllowed
from kb.wiring import KnowledgeBase

NDJSON = "application/x-ndjson"


def _kb(request: Request) -> KnowledgeBase:
    kb: KnowledgeBase = request.app.state.kb
    return kb


def _asking(request: Request) -> CapacityLimiter:
    asking: CapacityLimiter = request.app.state.asking
    return asking


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


def local_only(request: Request) -> None:
    """Raises IngestNotAllowed: without keys, only this machine may change what is answered. The
    name that was called is looked at too: a web page could have its own lead here."""
    called = urlsplit(f"//{request.headers.get('host', '')}")
    if not _loopback(_kb(request).settings.host):
        raise IngestNotAllowed(
            "this server listens beyond this machine, and anyone who reaches it could change what "
            "it answers: stop it, run kb ingest, and start it; or serve on KB_HOST=127.0.0.1"
        )
    if not _loopback(called.hostname or ""):
        raise IngestNotAllowed(
            "documents are taken only from this machine: call the server as 127.0.0.1 or localhost"
        )


def overseer_only(request: Request) -> None:
    """Raises ListingNotAllowed: without keys, only this machine may see what everybody asked."""
    called = urlsplit(f"//{request.headers.get('host', '')}")
    if not (_loopback(_kb(request).settings.host) and _loopback(called.hostname or "")):
        raise ListingNotAllowed(
            "what others asked is listed only on a server that listens on 127.0.0.1, called by "
            "that name; a conversation or an answer whose id you know is there for you anywhere"
        )


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name
        return False


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
Asking = Annotated[CapacityLimiter, Depends(_asking)]
Streaming = Annotated[Streams, Depends(_streams)]
IngestJobs = Annotated[Jobs, Depends(_jobs)]
UploadsOf = Annotated[Uploads, Depends(_uploads)]
JsonOnly = Depends(json_only)
LinesOnly = Depends(lines_only)
LocalOnly = Depends(local_only)
OverseerOnly = Depends(overseer_only)
