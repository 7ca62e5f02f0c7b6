"""Jobs whose work is a test's: held back, broken, or done at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ingest.job import Job
from ingest.jobs import MOST_ENDED, MOST_WAITING, Jobs
from ingest.pipeline import Progress, Report
from ingest.plan import Plan
from kb.database import Database
from kb.job_log import JobLog

REPORT = Report(1, Plan((), (), (), ()), (), 0, 0)
SECONDS = 10.0

Doing = Callable[[Progress], Report]
Found = TypeVar("Found")


class Held:
    """Work that goes a step whenever it is let go one."""

    def __init__(self) -> None:
        self.begun, self.gate = threading.Event(), threading.Semaphore(0)

    def __call__(self, progress: Progress) -> Report:
        self.begun.set()
        for done in (1, 2):
            assert self.gate.acquire(timeout=SECONDS)
            progress("reading", done, 2)
        assert self.gate.acquire(timeout=SECONDS)
        return REPORT

    def let_go(self, steps: int = 3) -> None:
        self.gate.release(steps)


D = TypeVar("D", bound=Doing)


class Shelf:
    """A Work: what was put up with `next` is done in that order, and then whatever comes at once.
    missing: ids of jobs whose input has gone."""

    home = "here"

    def __init__(self) -> None:
        self._waiting: list[Doing] = []
        self.carried_out: list[str] = []
        self.cleared: list[str] = []
        self.missing: set[str] = set()
        self.current = 1
        self.at_once = 0  # how many are being carried out

    def next(self, doing: D) -> D:
        self._waiting.append(doing)
        return doing

    def version(self) -> int:
        return self.current

    def lacking(self, job: Job) -> str | None:
        return "what was sent has gone" if job.id in self.missing else None

    def carry_out(self, job: Job, progress: Progress) -> Report:
        self.carried_out.append(job.id)
        assert self.at_once == 0, "two at once"
        self.at_once += 1
        try:
            return self._waiting.pop(0)(progress) if self._waiting else REPORT
        finally:
            self.at_once -= 1

    def clear(self, under_way: Collection[str], job_id: str | None = None) -> None:
        if job_id is not None:
            self.cleared.append(job_id)


@contextmanager
def opened_jobs(
    folder: Path, work: Shelf, most_ended: int = MOST_ENDED, most_waiting: int = MOST_WAITING
) -> Iterator[Jobs]:
    """On a catalog in the folder, started."""
    database = Database(f"sqlite:///{folder / 'catalog.sqlite3'}")
    jobs = Jobs(JobLog(database), work, most_ended=most_ended, most_waiting=most_waiting)
    try:
        jobs.start()
        yield jobs
    finally:
        jobs.close()
        database.close()


def ended(jobs: Jobs, job: Job) -> Job:
    return until(lambda: jobs.get(job.id), lambda found: found.ended)


def until(look: Callable[[], Found], good: Callable[[Found], bool]) -> Found:
    """What `look` gives once it is good. Raises AssertionError where that takes too long."""
    last = time.monotonic() + SECONDS
    while not good(found := look()):
        assert time.monotonic() < last, found
        time.sleep(0.005)
    return found
