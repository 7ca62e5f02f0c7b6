"""Documents into the index that this server owns."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response

from api import examples
from api.deps import KB, NDJSON, IngestJobs, JsonOnly, LinesOnly, UploadsOf
from api.described import REFUSED
from api.jobs import AcceptedOut, JobOut
from api.lines import receive
from api.requests import IngestIn
from ingest.job import Job, Key, Task
from ingest.work import corpus_task

router = APIRouter(tags=["documents"])

FILES = "/v1/ingest/files"
UPLOAD_BYTES = 1_000_000_000  # of one request; it goes to the disk line by line

_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {NDJSON: {"schema": {"type": "string"}, "example": examples.UPLOAD}},
    }
}
KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Made up by the client, one a request: the same request sent again with it "
        "returns the job that it became the first time, as long as that is remembered.",
    ),
]


@router.post(
    "/v1/ingest",
    status_code=202,
    responses={409: REFUSED},
    dependencies=[JsonOnly],
    summary="Read the corpus folder again",
)
def ingest(
    body: IngestIn, kb: KB, jobs: IngestJobs, response: Response, key: KeyHeader = None
) -> AcceptedOut:
    """Starts, or queues, a job. Where keys are asked for, one with the scope `ingest`."""
    task = corpus_task(kb.settings.corpus, body.paths, body.prune, body.dry_run)
    return _accepted(jobs.submit(task, _key(key, body.model_dump_json())), response)


@router.post(
    FILES,
    status_code=202,
    responses={409: REFUSED},
    dependencies=[LinesOnly],
    summary="Send documents",
    openapi_extra=_LINES,
)
async def ingest_files(
    request: Request,
    kb: KB,
    jobs: IngestJobs,
    uploads: UploadsOf,
    response: Response,
    prune: bool = Query(False, description="Remove documents that are not among those sent."),
    dry_run: bool = Query(False, description="Report what would change; change nothing."),
    key: KeyHeader = None,
) -> AcceptedOut:
    """Starts, or queues, a job with the documents in the body: one JSON object a line, with `uri`
    and `content_base64`, or for a file that its sender could not read `uri` and `failed`. All
    become current at once. Where keys are asked for, one with the scope `ingest`."""
    upload = await to_thread.run_sync(uploads.new)
    job: Job | None = None
    try:
        await receive(request, upload, kb.settings.file_mb * 1_000_000)
        task = Task("files", prune, dry_run, files=upload.complete())
        named = _key(key, f"{prune} {dry_run} {upload.sha256}")
        job = await to_thread.run_sync(jobs.submit, task, named, upload.id)
    finally:
        if job is None or job.id != upload.id:  # refused; or it is here already, by its key
            upload.close()
    return _accepted(job, response)


def _key(value: str | None, request: str) -> Key | None:
    """request: all that tells it from another one."""
    return None if value is None else Key(value, hashlib.sha256(request.encode()).hexdigest())


def _accepted(job: Job, response: Response) -> AcceptedOut:
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return AcceptedOut(job=JobOut.model_validate(job))
