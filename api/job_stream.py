"""A job as it goes on, as an event stream."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import anyio
from anyio import to_thread
from sse_starlette import EventSourceResponse
from starlette.responses import Response

from api.errors import problem_of
from api.jobs import JobOut
from ingest.job import Job
from ingest.jobs import Jobs
from kb.errors import WeighbridgeError

PING_SECONDS = 10  # proxies give up on silence
LOOK_SECONDS = 0.25  # a look at what is in memory: nothing is left behind by who leaves
DONE = "done"


async def stream(jobs: Jobs, job_id: str, last_event_id: str) -> Response:
    """Events `job`, each with the whole job, and at its end `done`. last_event_id: what a client
    has seen already is not sent again; one that has seen `done` is told to stay away (204).
    Raises JobNotFound, StoreUnavailable."""
    job = await to_thread.run_sync(jobs.get, job_id)
    if job.ended and last_event_id == DONE:
        return Response(status_code=204)
    events = _events(jobs, job, last_event_id)
    return EventSourceResponse(events, ping=PING_SECONDS, sep="\n")


async def _events(jobs: Jobs, job: Job, last_id: str) -> AsyncIterator[dict[str, str]]:
    try:
        while True:
            data = JobOut.model_validate(job).model_dump_json()
            # The same on every server and after a restart, for the same data.
            event_id = hashlib.sha256(data.encode()).hexdigest()[:16]
            if event_id != last_id:
                yield {"event": "job", "id": event_id, "data": data}
                last_id = event_id
            if job.ended:
                break
            await anyio.sleep(LOOK_SECONDS)
            job = await to_thread.run_sync(jobs.get, job.id)
    except WeighbridgeError as error:
        yield {"event": "error", "data": problem_of(error).model_dump_json(exclude_none=True)}
    yield {"event": DONE, "id": DONE, "data": "{}"}
