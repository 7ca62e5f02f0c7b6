"""Ingests that a server carries out, one after the other: an index has one writer at a time."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from ingest.pipeline import Progress, Report
from kb.errors import JobNotFound, ServerStopping, TooManyJobs, WeighbridgeError

log = logging.getLogger("weighbridge.ingest")

MOST_ENDED = 100  # jobs that are remembered after their end
MOST_WAITING = 20  # each may hold its files on the disk
CLOSING_SECONDS = 20.0  # a job stops between two batches of passages; a batch takes seconds

State = Literal["queued", "running", "finished", "failed"]
Work = Callable[[Progress], Report]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a job is: `done` of `total` documents have been read, or embedded."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed; nothing of it became current."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """report: of a finished job; failure: of a failed one."""

    id: str
    state: State = "queued"
    progress: Step | None = None
    report: Report | None = None
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        return self.state in {"finished", "failed"}


class Jobs:
    """In memory: jobs are forgotten when the process ends, and the last ones that ended are kept.
    Safe to share between threads."""

    def __init__(
        self,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        most_ended: int = MOST_ENDED,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._new_id = new_id
        self._most_ended = most_ended
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}  # oldest first
        self._futures: dict[str, Future[Report]] = {}  # of jobs that have not ended
        self._stopping = threading.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingest")

    def submit(self, work: Work, afterwards: Callable[[], None] = lambda: None) -> Job:
        """A queued job. afterwards: called once it has ended, and also where it never began.
        Raises TooManyJobs, ServerStopping; then the caller cleans up."""
        with self._lock:
            if self._stopping.is_set():
                raise ServerStopping("the server is being stopped; ingest when it runs again")
            if len(self._futures) > self._most_waiting:
                raise TooManyJobs(
                    f"{self._most_waiting} ingests are waiting; send this one when one has ended"
                )
            job = Job(self._new_id())
            self._jobs[job.id] = job
            future = self._worker.submit(self._run, job.id, work)
            self._futures[job.id] = future
        future.add_done_callback(partial(self._end, job.id, afterwards))
        return job

    def get(self, job_id: str) -> Job:
        """As it is at this moment. Raises JobNotFound."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise JobNotFound(
                f"no job {job_id[:100]!r}: the last {self._most_ended} that ended are remembered, "
                "until the server stops; GET /v1/documents shows what became of it"
            )
        return job

    def close(self, seconds: float = CLOSING_SECONDS) -> None:
        """Queued jobs fail, and the running one at its next step; waits for it, but not longer."""
        with self._lock:
            self._stopping.set()
            under_way = list(self._futures.values())
        self._worker.shutdown(wait=False, cancel_futures=True)
        # One that was cancelled before it ran is never marked as done.
        wait([future for future in under_way if not future.cancelled()], seconds)

    # -- in the worker's thread ------------------------------------------------------------------

    def _run(self, job_id: str, work: Work) -> Report:
        def progress(what: str, done: int, total: int) -> None:
            if self._stopping.is_set():
                raise _stopped()
            self._put(replace(self.get(job_id), progress=Step(what, done, total)))

        if self._stopping.is_set():
            raise _stopped()
        self._put(replace(self.get(job_id), state="running"))
        return work(progress)

    def _end(self, job_id: str, afterwards: Callable[[], None], future: Future[Report]) -> None:
        error = _stopped() if future.cancelled() else future.exception()
        job = self.get(job_id)
        if error is None:
            job = replace(job, state="finished", report=future.result())
        else:
            job = replace(job, state="failed", failure=_failure(job_id, error))
        afterwards()
        self._put(job)
        with self._lock:
            del self._futures[job_id]
            ended = [one.id for one in self._jobs.values() if one.ended]
            for old in ended[: -self._most_ended]:
                del self._jobs[old]
        log.info("ingest %s job=%s", job.state, job_id)

    def _put(self, job: Job) -> None:
        with self._lock:
            self._jobs[job.id] = job


def _stopped() -> ServerStopping:
    return ServerStopping(
        "the server was stopped before this was done, and nothing of it became current; "
        "ingest again: what was embedded already is not embedded twice"
    )


def _failure(job_id: str, error: BaseException) -> Failure:
    if isinstance(error, WeighbridgeError):
        return Failure(error.code, str(error))
    log.error("ingest broke off job=%s", job_id, exc_info=error)
    return Failure("internal_error", f"something went wrong; the server's log says what: {job_id}")
