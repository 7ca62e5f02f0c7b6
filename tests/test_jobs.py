"""Ingests of a server: one after the other, remembered, and stopped with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from ingest.jobs import Job, Jobs, Step
from ingest.pipeline import Progress, Report
from ingest.plan import Plan
from kb.errors import JobNotFound, ServerStopping, StoreUnavailable, TooManyJobs

REPORT = Report(1, Plan((), (), (), ()), (), 0, 0)
SECONDS = 10.0


def at_once(progress: Progress) -> Report:
    return REPORT


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


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    opened = Jobs(most_ended=3, most_waiting=2)
    yield opened
    opened.close()


def ended(jobs: Jobs, job: Job) -> Job:
    last = time.monotonic() + SECONDS
    while not (found := jobs.get(job.id)).ended:
        assert time.monotonic() < last, found
        time.sleep(0.005)
    return found


def test_a_job_ends_with_its_report(jobs: Jobs) -> None:
    job = jobs.submit(at_once)

    done = ended(jobs, job)

    assert (done.state, done.report, done.failure) == ("finished", REPORT, None)


def test_a_job_waits_until_the_one_before_has_ended(jobs: Jobs) -> None:
    first, second = Held(), Held()
    one, two = jobs.submit(first), jobs.submit(second)
    assert first.begun.wait(SECONDS)

    waiting = jobs.get(two.id).state, second.begun.is_set()
    first.let_go()
    assert second.begun.wait(SECONDS)

    assert waiting == ("queued", False)
    assert jobs.get(one.id).state == "finished"
    second.let_go()


def test_a_running_job_says_how_far_it_is(jobs: Jobs) -> None:
    work = Held()
    job = jobs.submit(work)
    work.let_go(1)

    last = time.monotonic() + SECONDS
    while (now := jobs.get(job.id)).progress is None:
        assert time.monotonic() < last
        time.sleep(0.005)

    assert (now.state, now.progress) == ("running", Step("reading", 1, 2))
    work.let_go()


def test_a_failure_is_kept_with_its_code_and_the_next_job_runs(jobs: Jobs) -> None:
    def broken(progress: Progress) -> Report:
        raise StoreUnavailable("the disk is full; free some space")

    failed = ended(jobs, jobs.submit(broken))
    after = ended(jobs, jobs.submit(at_once))

    assert failed.state == "failed"
    assert failed.failure is not None
    assert failed.failure.code == "store_unavailable"
    assert "free some space" in failed.failure.message
    assert after.state == "finished"


def test_an_unexpected_failure_tells_nothing_of_the_inside(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(progress: Progress) -> Report:
        raise ZeroDivisionError("a secret detail")

    failed = ended(jobs, jobs.submit(broken))

    assert failed.failure is not None
    assert failed.failure.code == "internal_error"
    assert "secret" not in failed.failure.message
    assert any(record.exc_info and failed.id in record.getMessage() for record in caplog.records)


def test_only_the_last_that_ended_are_remembered(jobs: Jobs) -> None:
    submitted = []
    for _ in range(5):
        submitted.append(jobs.submit(at_once))
        ended(jobs, submitted[-1])
    jobs.close()  # the last one is forgotten or kept once its end has been noted

    with pytest.raises(JobNotFound, match="3"):
        jobs.get(submitted[0].id)
    assert [jobs.get(job.id).state for job in submitted[2:]] == ["finished"] * 3


def test_an_unknown_job_is_not_found(jobs: Jobs) -> None:
    with pytest.raises(JobNotFound, match="nothing"):
        jobs.get("nothing")


def test_too_many_jobs_are_refused(jobs: Jobs) -> None:
    work = Held()
    for _ in range(3):
        jobs.submit(work)

    with pytest.raises(TooManyJobs):
        jobs.submit(at_once)
    work.let_go(9)


def test_closing_stops_the_running_job_and_those_that_wait() -> None:
    jobs, work, cleaned = Jobs(), Held(), []
    running = jobs.submit(work, lambda: cleaned.append("running"))
    queued = jobs.submit(at_once, lambda: cleaned.append("queued"))
    assert work.begun.wait(SECONDS)
    closing = threading.Thread(target=jobs.close)
    closing.start()
    assert ended(jobs, queued).failure is not None  # so that closing has begun
    work.let_go(1)
    closing.join(SECONDS)

    stopped = ended(jobs, running)

    assert not closing.is_alive()
    for job in (stopped, jobs.get(queued.id)):
        assert job.failure is not None
        assert job.failure.code == "server_stopping"
    assert sorted(cleaned) == ["queued", "running"]
    with pytest.raises(ServerStopping):
        jobs.submit(at_once)


def test_closing_does_not_wait_for_ever() -> None:
    jobs, work = Jobs(), Held()
    jobs.submit(work)
    assert work.begun.wait(SECONDS)
    started = time.monotonic()

    jobs.close(seconds=0.05)

    assert time.monotonic() - started < SECONDS / 2
    work.let_go()


def test_what_a_job_leaves_is_cleared_however_it_ends(jobs: Jobs) -> None:
    def broken(progress: Progress) -> Report:
        raise StoreUnavailable("x")

    cleared = []
    for work in (at_once, broken):
        ended(jobs, jobs.submit(work, lambda: cleared.append(1)))

    assert len(cleared) == 2
