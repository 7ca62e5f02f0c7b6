"""Whatever comes in whatever order: one job runs, in order, and every one of them ends."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from working import REPORT, Shelf, ended, opened_jobs, until

from ingest.job import Job, Key, Task
from ingest.jobs import Jobs
from ingest.pipeline import Progress, Report
from kb.errors import JobEnded, TooManyJobs

MOST_WAITING = 3
TASK = Task("corpus")


class Going:
    """Work that takes steps until it is told to finish."""

    def __init__(self) -> None:
        self.finish = threading.Event()

    def __call__(self, progress: Progress) -> Report:
        while not self.finish.wait(0.002):
            progress("reading", 0, 1)
        return REPORT


class GoingShelf(Shelf):
    """Each job has its own work, also after a restart."""

    def __init__(self) -> None:
        super().__init__()
        self._going: dict[str, Going] = {}

    def going(self, job_id: str) -> Going:
        return self._going.setdefault(job_id, Going())

    def carry_out(self, job: Job, progress: Progress) -> Report:
        self.next(self.going(job.id))
        return super().carry_out(job, progress)


@cache
def _empty_catalog() -> Path:
    """To make one takes longer than an example."""
    folder = Path(tempfile.mkdtemp())
    with opened_jobs(folder, Shelf()):
        atexit.register(shutil.rmtree, folder)
    return folder / "catalog.sqlite3"


class Queue(RuleBasedStateMachine):
    """Jobs, beside a list of what they should be."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(_empty_catalog(), self.folder / "catalog.sqlite3")
        self.shelf = GoingShelf()
        self.stack = ExitStack()
        self.order: list[str] = []
        self.states: dict[str, str] = {}  # of those that have ended
        self.keys: dict[str, str] = {}
        self._open()

    def _open(self) -> None:
        opened = opened_jobs(self.folder, self.shelf, most_waiting=MOST_WAITING)
        self.jobs: Jobs = self.stack.enter_context(opened)

    @property
    def under_way(self) -> list[str]:
        return [job_id for job_id in self.order if job_id not in self.states]

    @rule(key=st.none() | st.sampled_from("ab"))
    def submit(self, key: str | None) -> None:
        known = self.keys.get(key) if key else None
        full = len(self.under_way) > MOST_WAITING
        try:
            job = self.jobs.submit(TASK, Key(key, "f" * 64) if key else None)
        except TooManyJobs:
            assert full
            assert known is None
            return
        if known:
            assert job.id == known
            return
        assert not full
        self.order.append(job.id)
        if key:
            self.keys[key] = job.id

    @precondition(lambda self: self.under_way)
    @rule()
    def finish(self) -> None:
        first = self.under_way[0]
        self.shelf.going(first).finish.set()

        assert ended(self.jobs, self.jobs.get(first)).state == "finished"

        self.states[first] = "finished"

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, MOST_WAITING))
    def cancel(self, which: int) -> None:
        job_id = self.under_way[which % len(self.under_way)]
        at_once = self.jobs.cancel(job_id).state

        assert at_once == "cancelled" or job_id == self.under_way[0]
        assert ended(self.jobs, self.jobs.get(job_id)).state == "cancelled"

        self.states[job_id] = "cancelled"

    @precondition(lambda self: "finished" in self.states.values())
    @rule()
    def cancel_too_late(self) -> None:
        job_id = next(i for i, state in self.states.items() if state == "finished")
        try:
            self.jobs.cancel(job_id)
        except JobEnded:
            return
        raise AssertionError("what has ended was cancelled")

    @rule()
    def restart(self) -> None:
        self.stack.close()
        self._open()

    @invariant()
    def only_the_first_runs(self) -> None:
        states = [self.jobs.get(job_id).state for job_id in self.under_way]
        assert set(states[:1]) <= {"queued", "running"}
        assert set(states[1:]) <= {"queued"}

    @invariant()
    def they_begin_in_their_order(self) -> None:
        began = list(dict.fromkeys(self.shelf.carried_out))
        assert began == [job_id for job_id in self.order if job_id in set(began)]

    @invariant()
    def each_keeps_its_end(self) -> None:
        assert self.states == {job_id: self.jobs.get(job_id).state for job_id in self.states}

    def teardown(self) -> None:
        while self.under_way:
            self.finish()
        until(lambda: set(self.shelf.cleared), lambda cleared: cleared == set(self.order))
        self.stack.close()
        shutil.rmtree(self.folder)


Queue.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
TestQueue = Queue.TestCase
