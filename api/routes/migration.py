"""The switch to an index that `kb migrate` built beside the one that this server answers from."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import IngestJobs
from api.described import REFUSED
from api.jobs import AcceptedOut, JobOut
from ingest.job import Task

router = APIRouter(tags=["versions"])


@router.post(
    "/v1/migration",
    status_code=202,
    responses={409: REFUSED},
    summary="Switch to the index that was built beside this one",
)
def migration(jobs: IngestJobs, response: Response) -> AcceptedOut:
    """Starts, or queues, a job: one step that no question notices, and a new corpus version with
    the same documents. The index before it is removed when no question reads it any more. Where
    keys are asked for, one with the scope `admin`."""
    job = jobs.submit(Task("switch"))
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return AcceptedOut(job=JobOut.model_validate(job))
