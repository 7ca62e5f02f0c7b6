"""Documents into the index that this server owns."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Query, Request, Response

from api import examples
from api.deps import KB, NDJSON, IngestJobs, JsonOnly, LinesOnly, LocalOnly
from api.jobs import AcceptedOut, JobOut
from api.lines import receive
from api.requests import IngestIn
from ingest.items import Found, found_in_corpus
from ingest.jobs import Job, Work
from ingest.pipeline import Pipeline, Progress, Report
from ingest.uploads import Upload
from kb.wiring import KnowledgeBase

router = APIRouter(tags=["documents"])

FILES = "/v1/ingest/files"
UPLOAD_BYTES = 1_000_000_000  # of one request; it goes to the disk line by line

_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {NDJSON: {"schema": {"type": "string"}, "example": examples.UPLOAD}},
    }
}


@router.post(
    "/v1/ingest",
    status_code=202,
    dependencies=[LocalOnly, JsonOnly],
    summary="Read the corpus folder again",
)
def ingest(body: IngestIn, kb: KB, jobs: IngestJobs, response: Response) -> AcceptedOut:
    """Starts, or queues, a job. Only for a server that listens on the loopback address."""
    found = found_in_corpus(kb.settings.corpus, body.paths)
    job = jobs.submit(_work(kb, found, body.prune, body.dry_run))
    return _accepted(job, response)


@router.post(
    FILES,
    status_code=202,
    dependencies=[LocalOnly, LinesOnly],
    summary="Send documents",
    openapi_extra=_LINES,
)
async def ingest_files(
    request: Request,
    kb: KB,
    jobs: IngestJobs,
    response: Response,
    prune: bool = Query(False, description="Remove documents that are not among those sent."),
    dry_run: bool = Query(False, description="Report what would change; change nothing."),
) -> AcceptedOut:
    """Starts, or queues, a job with the documents in the body: one JSON object a line, with `uri`
    and `content_base64`, or for a file that its sender could not read `uri` and `failed`. All
    become current at once. Only for a server that listens on the loopback address."""
    upload = Upload()
    taken = False
    try:
        await receive(request, upload, kb.settings.file_mb * 1_000_000)
        job = jobs.submit(_work(kb, upload.found, prune, dry_run), upload.close)
        taken = True
    finally:
        if not taken:
            upload.close()
    return _accepted(job, response)


@router.get("/v1/jobs/{job_id}", summary="How far an ingest is")
def job(job_id: str, jobs: IngestJobs) -> JobOut:
    """The jobs that ended last are remembered until the server stops."""
    return JobOut.model_validate(jobs.get(job_id))


def _work(kb: KnowledgeBase, found: Found, prune: bool, dry_run: bool) -> Work:
    def work(progress: Progress) -> Report:
        return Pipeline.of(kb).carry_out(*found, prune, dry_run, progress)

    return work


def _accepted(job: Job, response: Response) -> AcceptedOut:
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return AcceptedOut(job=JobOut.model_validate(job))
