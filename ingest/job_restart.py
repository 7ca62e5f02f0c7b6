"""What becomes of a job that a server's end cut off."""

from __future__ import annotations

from dataclasses import replace

from ingest.job import Failure, Job
from kb.errors import JobInterrupted

MOST_ATTEMPTS = 3  # a document that kills the process must not kill it at every start

AGAIN = (
    "the server ended while this was under way, and carried it out again from its beginning after "
    "its restart: what had become current by then counts as unchanged"
)


def after_restart(job: Job, lacking: str | None, version: int, now: float) -> Job:
    """The job as it is to go on: queued, or with an end that says what became of it. lacking: what
    it was to read and can't any more; version: the current corpus version."""
    begun = job.state != "queued"
    untouched = not begun or version == job.base_version
    current = "nothing of it became current" if untouched else _UNSURE
    if job.state == "cancelling":
        note = f"cancelled; the server ended meanwhile, and {current}"
        return replace(job, state="cancelled", note=note, ended_at=now)
    if lacking is not None:
        return _undone(job, f"{lacking}; {current}", now)
    if begun and job.attempts >= MOST_ATTEMPTS:
        why = f"the server ended {job.attempts} times while this was under way; {current}; "
        return _undone(job, why + "look for the cause in its log before you ingest it again", now)
    return replace(job, state="queued", progress=None, note=AGAIN if begun else job.note)


_UNSURE = "the corpus has changed since it began: GET /v1/documents shows what is current"


def _undone(job: Job, why: str, now: float) -> Job:
    failure = Failure(JobInterrupted.code, why)
    return replace(job, state="interrupted", failure=failure, ended_at=now)
