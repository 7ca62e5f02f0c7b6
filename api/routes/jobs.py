"""How far ingests are, and an end to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from sse_starlette import EventSourceResponse

from api import examples
from api.deps import IngestJobs
from api.described import REFUSED
from api.job_stream import stream
from api.jobs import JobOut, JobsOut, ListedJobOut

router = APIRouter(tags=["jobs"])

MOST_LISTED = 200
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events `job`, whose data is what `GET /v1/jobs/{job_id}` returns; after "
        "the one with the job's end `done`. With `Last-Event-ID` only what is new.",
        "content": {
            "text/event-stream": {"schema": {"type": "string"}, "example": examples.JOB_STREAM}
        },
    },
    204: {"description": "`Last-Event-ID` says that all has been seen; don't connect again."},
}


@router.get("/v1/jobs", summary="List the ingests")
def jobs(jobs: IngestJobs, count: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50) -> JobsOut:
    """The last ones first, without their reports. A bounded number of those that have ended is
    remembered."""
    return JobsOut(jobs=[ListedJobOut.model_validate(job) for job in jobs.latest(count)])


@router.get("/v1/jobs/{job_id}", summary="How far an ingest is")
def job(job_id: str, jobs: IngestJobs) -> JobOut:
    """A restart of the server doesn't lose it: one that was cut off is carried out again, or
    `interrupted` with the reason."""
    return JobOut.model_validate(jobs.get(job_id))


@router.get(
    "/v1/jobs/{job_id}/events",
    responses=_STREAM,
    response_class=EventSourceResponse,
    summary="An ingest as it goes on",
)
async def events(
    job_id: str,
    jobs: IngestJobs,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", max_length=100)] = "",
) -> Response:
    """Server-sent events, until the job has ended."""
    return await stream(jobs, job_id, last_event_id)


@router.post(
    "/v1/jobs/{job_id}/cancel",
    responses={409: REFUSED},
    summary="Cancel an ingest",
)
def cancel(job_id: str, jobs: IngestJobs) -> JobOut:
    """One that waits is `cancelled` at once; one that runs is `cancelling` until its next step,
    then `cancelled`, with nothing of it current. Where keys are asked for, one with the scope
    `ingest`."""
    return JobOut.model_validate(jobs.cancel(job_id))
