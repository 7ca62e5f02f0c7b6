"""Ingests that a server carries out, one after the other: an index has one writer at a time."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from typing import Protocol

from ingest.job import Failure, Job, Key, Task, job_of, new_id, row_of
from ingest.job_restart import after_restart
from ingest.pace import Pace
from ingest.pipeline import Progress, Report
from kb.errors import (
    IdempotencyKeyReused,
    JobEnded,
    JobNotFound,
    ServerStopping,
    StoreInUse,
    StoreUnavailable,
    TooManyJobs,
    WeighbridgeError,
)
from kb.job_log import JobLog

log = logging.getLogger("weighbridge.ingest")

MOST_ENDED = 100  # jobs that are remembered after their end
MOST_WAITING = 20  # each may hold its files on the disk
CLOSING_SECONDS = 20.0  # a job stops between two batches of passages; a batch takes seconds
TURN_SECONDS = 2.0  # between two tries where another server has its turn
NOTED_SECONDS = 1.0  # between two notes in the log of how far a job is: they are for other servers

CANCELLED = "cancelled; nothing of it became current"


class Work(Protocol):
    """What jobs are made of. home: names the server that has what was sent to it."""

    @property
    def home(self) -> str: ...

    def version(self) -> int:
        """The current corpus version."""
        ...

    def lacking(self, job: Job) -> str | None:
        """What it was to read and can't any more, in words."""
        ...

    def carry_out(self, job: Job, progress: Progress) -> Report:
        """What `progress` raises stops it, with nothing current."""
        ...

    def clear(self, under_way: Collection[str], job_id: str | None = None) -> None:
        """Removes what was sent for that job; without one, for all that aren't `under_way`."""
        ...


class _Parked(Exception):
    """The server ends; the job goes on after its restart."""


class _Cancelled(Exception):
    """Someone asked for its end."""


class Jobs:
    """Kept in the catalog, so that they survive a restart: `start` goes on with those that have no
    end. Safe to share between threads."""

    def __init__(
        self,
        log: JobLog,
        work: Work,
        now: Callable[[], float] = time.time,
        most_ended: int = MOST_ENDED,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._log = log
        self._work = work
        self._now = now
        self._most_ended = most_ended
        self._most_waiting = most_waiting
        self._lock = threading.RLock()
        self._live: dict[str, Job] = {}  # in their order: without an end, or one not yet recorded
        self._futures: dict[str, Future[Report | None]] = {}
        self._stopping = threading.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingest")

    def start(self) -> None:
        """Before the first `submit`. Raises StoreUnavailable."""
        unfinished = [job_of(row) for row in self._log.unfinished(self._work.home)]
        version = self._work.version() if unfinished else 0
        for found in unfinished:
            job = after_restart(found, self._work.lacking(found), version, self._now())
            self._log.save(row_of(job))
            log.info("ingest %s after restart job=%s", job.state, job.id)
            if not job.ended:
                self._queue(job)
        self._work.clear(list(self._live))

    def submit(self, task: Task, key: Key | None = None, job_id: str | None = None) -> Job:
        """A queued job; or the one that came with that key before. job_id: of what has been sent.
        Raises TooManyJobs, IdempotencyKeyReused, ServerStopping, StoreUnavailable."""
        with self._lock:
            if key is not None and (known := self._known(key)) is not None:
                return known
            if self._stopping.is_set():
                raise ServerStopping("the server is being stopped; ingest when it runs again")
            if sum(not job.ended for job in self._live.values()) > self._most_waiting:
                raise TooManyJobs(
                    f"{self._most_waiting} ingests are waiting; send this one when one has ended"
                )
            job = Job(job_id or new_id(), self._work.home, task, self._now(), key=key)
            self._log.add(row_of(job))
            self._queue(job)
        return job

    def get(self, job_id: str) -> Job:
        """As it is at this moment. Raises JobNotFound, StoreUnavailable."""
        with self._lock:
            live = self._live.get(job_id)
        if live is not None:
            return live
        row = self._log.find(job_id)
        if row is None:
            raise JobNotFound(
                f"no job {job_id[:100]!r}: the last {self._most_ended} that ended are remembered; "
                "GET /v1/documents shows what became of it"
            )
        return job_of(row)

    def latest(self, count: int) -> list[Job]:
        """At most `count`, the last one first, without their reports. Raises StoreUnavailable."""
        found = [job_of(row) for row in self._log.latest(count)]
        with self._lock:
            return [self._live.get(job.id, job) for job in found]

    def cancel(self, job_id: str) -> Job:
        """A queued one ends at once, a running one at its next step. Raises JobNotFound, JobEnded,
        StoreUnavailable."""
        with self._lock:
            job = self.get(job_id)
            if job.state == "queued" and job_id in self._live:
                return self._finish(replace(job, state="cancelled", note=CANCELLED))
            if job.state == "running" and job_id in self._live:
                job = replace(job, state="cancelling")
                self._log.save(row_of(job))
                self._live[job_id] = job
            elif job.state not in {"cancelling", "cancelled"}:
                raise JobEnded(f"job {job_id} can't be cancelled: it is {job.state}")
            return job

    def close(self, seconds: float = CLOSING_SECONDS) -> None:
        """The running job stops at its next step; waits for that, but not longer. It and those that
        wait go on after the next `start`."""
        with self._lock:
            self._stopping.set()
            under_way = list(self._futures.values())
        self._worker.shutdown(wait=False, cancel_futures=True)
        # One that was cancelled before it ran is never marked as done.
        wait([future for future in under_way if not future.cancelled()], seconds)

    def _known(self, key: Key) -> Job | None:
        row = self._log.with_key(key.value)
        if row is None:
            return None
        if row.fingerprint != key.fingerprint:
            raise IdempotencyKeyReused(
                f"this Idempotency-Key came with another request, which became job {row.id}; "
                "send a new key with a new request"
            )
        return self.get(row.id)

    def _queue(self, job: Job) -> None:
        with self._lock:
            self._live[job.id] = job
            future = self._worker.submit(self._run, job.id)
            self._futures[job.id] = future
        future.add_done_callback(partial(self._end, job.id))

    # -- in the worker's thread ------------------------------------------------------------------

    def _run(self, job_id: str) -> Report | None:
        """None where it was cancelled before it began."""
        with self._lock:
            job = self._live.get(job_id)
            if job is None or job.ended:
                return None
            if self._stopping.is_set():
                raise _Parked
            job = replace(job, state="running", attempts=job.attempts + 1, started_at=self._now())
            self._live[job_id] = job = replace(job, base_version=self._work.version())
            self._log.save(row_of(job))
        progress = self._progress(job_id)
        while True:
            try:
                return self._work.carry_out(job, progress)
            except StoreInUse as error:  # another server's ingest: this one waits for its turn
                log.info("ingest waits job=%s: %s", job_id, error)
                self._stopping.wait(TURN_SECONDS)
                progress("waiting", 0, 0)

    def _progress(self, job_id: str) -> Progress:
        pace, noted_at = Pace(), time.monotonic()

        def progress(what: str, done: int, total: int) -> None:
            nonlocal noted_at
            with self._lock:
                job = self._live[job_id]
                if job.state == "cancelling":
                    raise _Cancelled
                if self._stopping.is_set():
                    raise _Parked
                self._live[job_id] = job = replace(job, progress=pace.step(what, done, total))
            if time.monotonic() - noted_at > NOTED_SECONDS:
                self._record(job)
                noted_at = time.monotonic()

        return progress

    def _end(self, job_id: str, future: Future[Report | None]) -> None:
        """However it ended; also where it never began."""
        with self._lock:
            del self._futures[job_id]
            job = self._live.get(job_id)
            error = _Parked() if future.cancelled() else future.exception()
            if job is None or job.ended:
                return
            if isinstance(error, _Parked):
                parked = replace(job, state="queued", progress=None)
                self._live[job_id] = replace(parked, attempts=max(0, job.attempts - 1))
                self._record(self._live[job_id])
            elif isinstance(error, _Cancelled):
                self._finish(replace(job, state="cancelled", note=CANCELLED))
            elif error is not None:
                self._finish(replace(job, state="failed", failure=_failure(job_id, error)))
            else:
                self._finish(replace(job, state="finished", report=future.result()))

    def _finish(self, job: Job) -> Job:
        """Its end is recorded before what was sent for it goes: a restart would need it."""
        with self._lock:
            job = replace(job, ended_at=self._now())
            if self._record(job):
                self._work.clear((), job.id)
                del self._live[job.id]
            else:
                self._live[job.id] = job
        if job.failure is None:
            log.info("ingest %s job=%s", job.state, job.id)
        else:
            told = job.state, job.id, job.failure.code, job.failure.message
            log.warning("ingest %s job=%s code=%s: %s", *told)
        return job

    def _record(self, job: Job) -> bool:
        """Whether the catalog has it. A job that can't be noted is still carried out: after a
        restart it is carried out again, which changes nothing more."""
        try:
            self._log.save(row_of(job))
            if job.ended:
                self._log.prune(self._most_ended)
        except StoreUnavailable as error:
            log.error("job=%s can't be recorded as %s: %s", job.id, job.state, error)
            return False
        return True


def _failure(job_id: str, error: BaseException) -> Failure:
    if isinstance(error, WeighbridgeError):
        return Failure(error.code, str(error))
    log.error("ingest broke off job=%s", job_id, exc_info=error)
    return Failure("internal_error", f"something went wrong; the server's log says what: {job_id}")
