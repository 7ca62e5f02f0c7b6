"""Ingests of a server: one after the other, remembered, cancelled, and not lost with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from working import REPORT, Held, Shelf, ended, opened_jobs, until

from ingest.job import Job, Key, Task
from ingest.jobs import Jobs
from ingest.pipeline import Progress, Report
from kb.errors import (
    IdempotencyKeyReused,
    JobEnded,
    JobNotFound,
    ServerStopping,
    StoreUnavailable,
    TooManyJobs,
)

TASK = Task("corpus")
KEY = Key("k1", "a" * 64)
SECONDS = 10.0

Open = Callable[..., Jobs]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def jobs(tmp_path: Path, shelf: Shelf) -> Iterator[Jobs]:
    with opened_jobs(tmp_path, shelf, most_ended=3, most_waiting=2) as opened:
        yield opened


def test_a_job_ends_with_its_report(jobs: Jobs) -> None:
    job = jobs.submit(TASK)

    done = ended(jobs, job)

    assert (done.state, done.report, done.failure) == ("finished", REPORT, None)
    assert done.created_at <= (done.started_at or 0) <= (done.ended_at or 0)


def test_a_job_waits_until_the_one_before_has_ended(jobs: Jobs, shelf: Shelf) -> None:
    first, second = shelf.next(Held()), shelf.next(Held())
    one, two = jobs.submit(TASK), jobs.submit(TASK)
    assert first.begun.wait(SECONDS)

    waiting = jobs.get(two.id).state, second.begun.is_set()
    first.let_go()
    assert second.begun.wait(SECONDS)

    assert waiting == ("queued", False)
    assert jobs.get(one.id).state == "finished"
    second.let_go()


def test_a_running_job_says_how_far_it_is(jobs: Jobs, shelf: Shelf) -> None:
    work = shelf.next(Held())
    job = jobs.submit(TASK)
    work.let_go(1)

    now = until(lambda: jobs.get(job.id), lambda job: job.progress is not None)

    assert now.state == "running"
    assert now.progress is not None
    assert (now.progress.what, now.progress.done, now.progress.total) == ("reading", 1, 2)
    work.let_go()


def test_a_failure_is_kept_with_its_code_and_the_next_job_runs(jobs: Jobs, shelf: Shelf) -> None:
    def broken(progress: Progress) -> Report:
        raise StoreUnavailable("the disk is full; free some space")

    shelf.next(broken)

    failed = ended(jobs, jobs.submit(TASK))
    after = ended(jobs, jobs.submit(TASK))

    assert failed.state == "failed"
    assert failed.failure is not None
    assert failed.failure.code == "store_unavailable"
    assert "free some space" in failed.failure.message
    assert after.state == "finished"


def test_an_unexpected_failure_tells_nothing_of_the_inside(
    jobs: Jobs, shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(progress: Progress) -> Report:
        raise ZeroDivisionError("a secret detail")

    shelf.next(broken)

    failed = ended(jobs, jobs.submit(TASK))

    assert failed.failure is not None
    assert failed.failure.code == "internal_error"
    assert "secret" not in failed.failure.message
    assert any(record.exc_info and failed.id in record.getMessage() for record in caplog.records)


def test_only_the_last_that_ended_are_remembered(jobs: Jobs) -> None:
    submitted = []
    for _ in range(5):
        submitted.append(jobs.submit(TASK))
        ended(jobs, submitted[-1])

    with pytest.raises(JobNotFound, match="3"):
        jobs.get(submitted[0].id)
    assert [job.id for job in jobs.latest(10)] == [job.id for job in submitted[:1:-1]]
    assert {job.state for job in jobs.latest(10)} == {"finished"}


def test_an_unknown_job_is_not_found(jobs: Jobs) -> None:
    for what in (jobs.get, jobs.cancel):
        with pytest.raises(JobNotFound, match="nothing"):
            what("nothing")


def test_too_many_jobs_are_refused(jobs: Jobs, shelf: Shelf) -> None:
    work = shelf.next(Held())
    for _ in range(3):
        jobs.submit(TASK)

    with pytest.raises(TooManyJobs):
        jobs.submit(TASK)
    work.let_go()


def test_what_was_sent_is_cleared_however_a_job_ends(jobs: Jobs, shelf: Shelf) -> None:
    def broken(progress: Progress) -> Report:
        raise StoreUnavailable("x")

    def unbroken(progress: Progress) -> Report:
        return REPORT

    submitted = []
    for work in (unbroken, broken):
        shelf.next(work)
        submitted.append(ended(jobs, jobs.submit(TASK)).id)
    held = shelf.next(Held())
    running, queued = jobs.submit(TASK), jobs.submit(TASK)
    jobs.cancel(queued.id)
    jobs.cancel(running.id)
    held.let_go()
    ended(jobs, running)

    assert set(shelf.cleared) == {*submitted, running.id, queued.id}


# -- cancelling ----------------------------------------------------------------------------------


def test_a_queued_job_is_cancelled_at_once_and_never_begins(jobs: Jobs, shelf: Shelf) -> None:
    work = shelf.next(Held())
    running, queued = jobs.submit(TASK), jobs.submit(TASK)
    assert work.begun.wait(SECONDS)

    cancelled = jobs.cancel(queued.id)

    assert cancelled.state == jobs.get(queued.id).state == "cancelled"
    assert "nothing of it became current" in (cancelled.note or "")
    work.let_go()
    ended(jobs, running)
    ended(jobs, jobs.submit(TASK))
    assert queued.id not in shelf.carried_out


def test_a_running_job_is_cancelled_at_its_next_step(jobs: Jobs, shelf: Shelf) -> None:
    work = shelf.next(Held())
    job = jobs.submit(TASK)
    assert work.begun.wait(SECONDS)

    asked = jobs.cancel(job.id)
    again = jobs.cancel(job.id)
    work.let_go(1)
    done = ended(jobs, job)

    assert (asked.state, again.state, done.state) == ("cancelling", "cancelling", "cancelled")
    assert (done.report, done.failure) == (None, None)
    assert ended(jobs, jobs.submit(TASK)).state == "finished"


def test_a_job_that_was_done_before_the_cancel_reached_it_is_finished(
    jobs: Jobs, shelf: Shelf
) -> None:
    work = shelf.next(Held())
    job = jobs.submit(TASK)
    work.let_go(2)
    until(lambda: jobs.get(job.id), lambda job: bool(job.progress and job.progress.done == 2))

    jobs.cancel(job.id)
    work.let_go(1)

    assert ended(jobs, job).state == "finished"


def test_what_has_ended_cannot_be_cancelled(jobs: Jobs) -> None:
    job = ended(jobs, jobs.submit(TASK))

    with pytest.raises(JobEnded, match="finished"):
        jobs.cancel(job.id)


# -- the same request again ----------------------------------------------------------------------


def test_the_same_key_returns_the_same_job(jobs: Jobs) -> None:
    first = jobs.submit(TASK, KEY)
    ended(jobs, first)

    again = jobs.submit(TASK, KEY)

    assert again.id == first.id
    assert again.state == "finished"
    assert len(jobs.latest(10)) == 1


def test_the_same_key_with_another_request_is_refused(jobs: Jobs) -> None:
    first = jobs.submit(TASK, KEY)

    with pytest.raises(IdempotencyKeyReused, match=first.id):
        jobs.submit(TASK, Key(KEY.value, "b" * 64))


def test_the_same_key_is_known_even_where_the_queue_is_full(jobs: Jobs, shelf: Shelf) -> None:
    work = shelf.next(Held())
    first = jobs.submit(TASK, KEY)
    for _ in range(2):
        jobs.submit(TASK)

    assert jobs.submit(TASK, KEY).id == first.id
    work.let_go()


def test_of_many_at_once_with_one_key_there_is_one_job(jobs: Jobs) -> None:
    found: list[Job] = []
    threads = [
        threading.Thread(target=lambda: found.append(jobs.submit(TASK, KEY))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len({job.id for job in found}) == 1


# -- the end of the server -----------------------------------------------------------------------


def test_closing_parks_the_running_job_and_those_that_wait(tmp_path: Path, shelf: Shelf) -> None:
    work = shelf.next(Held())
    with ExitStack() as stack:
        jobs = stack.enter_context(opened_jobs(tmp_path, shelf))
        running, queued = jobs.submit(TASK, KEY), jobs.submit(TASK)
        assert work.begun.wait(SECONDS)
        closing = threading.Thread(target=jobs.close)
        closing.start()
        work.let_go(1)
        closing.join(SECONDS)

        assert not closing.is_alive()
        assert [jobs.get(job.id).state for job in (running, queued)] == ["queued", "queued"]
        assert shelf.cleared == []
        with pytest.raises(ServerStopping):
            jobs.submit(TASK)
    with opened_jobs(tmp_path, shelf) as jobs:
        assert [ended(jobs, job).state for job in (running, queued)] == ["finished", "finished"]
        assert jobs.submit(TASK, KEY).id == running.id


def test_closing_does_not_wait_for_ever(tmp_path: Path, shelf: Shelf) -> None:
    work = shelf.next(Held())
    with opened_jobs(tmp_path, shelf) as jobs:
        jobs.submit(TASK)
        assert work.begun.wait(SECONDS)
        started = time.monotonic()

        jobs.close(seconds=0.05)

        assert time.monotonic() - started < SECONDS / 2
        work.let_go()
