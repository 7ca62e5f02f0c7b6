"""Jobs of a server that ended under them: finished after its restart, or undone, and told."""

from __future__ import annotations

import multiprocessing
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import doomed_jobs
import pytest
from doomed_jobs import SENT, opened_jobs
from hypothesis import given
from hypothesis import strategies as st
from working import until

from ingest.job import ENDED, Job, Key, Task, job_of, row_of
from ingest.job_restart import AGAIN, MOST_ATTEMPTS, after_restart
from ingest.jobs import Jobs
from kb.doctor import compare
from kb.job_log import JobLog
from kb.wiring import KnowledgeBase

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["chromadb", "sqlalchemy", "trafilatura", "httpx", "ftfy"])


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("alford", "bath"):
        (folder / f"{name}.md").write_text(f"# {name}\n\nThe scale at {name} is old.\n")
    return folder


def killed(work: Callable[..., None], *given: object, or_not: bool = False) -> None:
    """or_not: it may also come to its end."""
    process = _processes.Process(target=work, args=given)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL or (or_not and process.exitcode == 0)


def all_ended(jobs: Jobs) -> list[Job]:
    """Oldest first."""
    found = until(lambda: jobs.latest(10), lambda found: all(job.ended for job in found))
    return [jobs.get(job.id) for job in reversed(found)]


def check(kb: KnowledgeBase, *uris: str) -> None:
    """These are there, once, and nothing is left behind."""
    found = [one.source.uri for one in kb.catalog.documents(kb.catalog.current_version())]
    assert sorted(found) == sorted(uris)
    known = kb.catalog.passage_ids()
    assert compare((i for i, _ in kb.lookup.vectors()), known, kb.store.ids()).healthy
    assert list(kb.settings.uploads.glob("*/")) == []


@pytest.mark.parametrize("call", [1, 2])
def test_jobs_that_a_kill_cut_off_are_finished_after_the_restart(
    tmp_path: Path, corpus: Path, call: int
) -> None:
    """Killed in the first job, with the second one waiting; and in the second one."""
    killed(doomed_jobs.serve_and_die_embedding, tmp_path / "home", corpus, call)

    with opened_jobs(tmp_path / "home", corpus) as (kb, jobs):
        first, second = all_ended(jobs)

        assert (first.state, second.state) == ("finished", "finished")
        cut_off = (first, second)[call - 1]
        assert (cut_off.note, cut_off.attempts) == (AGAIN, 2)
        assert second.report is not None
        assert second.report.plan.add == ("sent~a.md", "sent~b.md")
        check(kb, "alford.md", "bath.md", *SENT)


SOME_WRITES, ALL_WRITES = (7, 19, 33), range(46)


def killed_at_a_write(home: Path, corpus: Path, write: int) -> int:
    """What was accepted is finished after the restart, each document is there once, and nothing
    that was sent stays. Returns how many jobs had been accepted."""
    killed(doomed_jobs.serve_and_die_writing, home, corpus, write, or_not=True)
    with opened_jobs(home, corpus) as (kb, jobs):
        states = [job.state for job in all_ended(jobs)]
        assert set(states) <= {"finished"}
        check(kb, *({"alford.md", "bath.md"} if states else ()), *(SENT if states[1:] else ()))
        return len(states)


def test_a_kill_at_a_write_loses_no_job_and_doubles_no_document(
    tmp_path: Path, corpus: Path
) -> None:
    for write in SOME_WRITES:
        assert killed_at_a_write(tmp_path / str(write), corpus, write) > 0


@pytest.mark.exhaustive
def test_a_kill_at_any_write_loses_no_job_and_doubles_no_document(
    tmp_path: Path, corpus: Path
) -> None:
    accepted = [killed_at_a_write(tmp_path / str(n), corpus, n) for n in ALL_WRITES]

    assert accepted[0] == 0
    assert accepted[-1] == 2


def test_a_job_that_kills_the_server_is_given_up_in_the_end(tmp_path: Path, corpus: Path) -> None:
    home = tmp_path / "home"
    killed(doomed_jobs.serve_and_die_embedding, home, corpus, 1)
    for _ in range(MOST_ATTEMPTS - 1):
        killed(doomed_jobs.serve_to_the_end, home, corpus)

    with opened_jobs(home, corpus) as (kb, jobs):
        first, second = all_ended(jobs)

        assert first.state == "interrupted"
        assert first.failure is not None
        assert first.failure.code == "job_interrupted"
        assert "nothing of it became current" in first.failure.message
        assert second.state == "finished"
        assert kb.catalog.current_version() == 1


def test_what_was_sent_and_has_gone_is_told_and_nothing_of_it_is_current(
    tmp_path: Path, corpus: Path
) -> None:
    home = tmp_path / "home"
    killed(doomed_jobs.serve_and_die_embedding, home, corpus, 2)
    for folder in (home / "index" / "uploads").glob("*/"):
        shutil.rmtree(folder)

    with opened_jobs(home, corpus) as (kb, jobs):
        first, second = all_ended(jobs)

        assert (first.state, second.state) == ("finished", "interrupted")
        assert second.failure is not None
        assert "send it again" in second.failure.message
        assert "nothing of it became current" in second.failure.message
        assert len(kb.catalog.documents(kb.catalog.current_version())) == 2


def test_half_a_file_is_not_taken_for_the_file_that_was_sent(tmp_path: Path, corpus: Path) -> None:
    home = tmp_path / "home"
    killed(doomed_jobs.serve_and_die_embedding, home, corpus, 1)
    (damaged,) = (home / "index" / "uploads").glob("*/0")
    damaged.write_bytes(damaged.read_bytes()[:-9])

    with opened_jobs(home, corpus) as (_, jobs):
        _, second = all_ended(jobs)

        assert second.report is not None
        assert [(one.path, one.code) for one in second.report.failed] == [(SENT[0], "file_missing")]
        assert second.report.plan.add == ("sent~b.md",)


def test_another_corpus_folder_is_not_read_in_place_of_the_first(
    tmp_path: Path, corpus: Path
) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    other.mkdir()
    (other / "stranger.md").write_text("# Stranger\n\nNobody asked for this.\n")
    killed(doomed_jobs.serve_and_die_embedding, home, corpus, 1)

    with opened_jobs(home, other) as (kb, jobs):
        first, _ = all_ended(jobs)

        assert first.state == "interrupted"
        assert first.failure is not None
        assert str(other) in first.failure.message
        uris = {one.source.uri for one in kb.catalog.documents(kb.catalog.current_version())}
        assert uris == {*SENT}


def test_what_is_left_of_an_upload_that_never_became_a_job_goes(
    tmp_path: Path, corpus: Path
) -> None:
    home = tmp_path / "home"
    with opened_jobs(home, corpus) as (kb, _):
        half = kb.settings.uploads / "half"
        half.mkdir(parents=True)

    with opened_jobs(home, corpus):
        assert not half.exists()


def test_another_servers_jobs_are_left_to_it(tmp_path: Path, corpus: Path) -> None:
    with opened_jobs(tmp_path / "home", corpus) as (kb, _):
        log = JobLog(kb.database)
        theirs = Job("theirs", "elsewhere", Task("corpus"), 1.0, "running", attempts=1)
        log.add(row_of(theirs))

    with opened_jobs(tmp_path / "home", corpus) as (_, jobs):
        assert jobs.get("theirs") == theirs
        assert jobs.latest(1) == [theirs]


# -- the rule, for all that can be ---------------------------------------------------------------

CUT_OFF = st.builds(
    Job,
    id=st.just("j"),
    home=st.just("h"),
    task=st.just(Task("corpus")),
    created_at=st.just(1.0),
    state=st.sampled_from(["queued", "running", "cancelling"]),
    attempts=st.integers(0, 5),
    base_version=st.none() | st.integers(0, 3),
)


@given(CUT_OFF, st.none() | st.just("it has gone"), st.integers(0, 3))
def test_a_job_that_was_cut_off_goes_on_or_says_what_became_of_it(
    job: Job, lacking: str | None, version: int
) -> None:
    after = after_restart(job, lacking, version, now=9.0)

    assert after.state == "queued" or after.state in ENDED
    assert after.ended == (after.ended_at == 9.0)
    said = after.note or (after.failure and after.failure.message) or ""
    if after.state == "queued":
        assert lacking is None
        assert job.state != "cancelling"
        assert job.state == "queued" or said == AGAIN
    elif job.state != "queued" and version != job.base_version:
        assert "GET /v1/documents" in said
    else:
        assert "nothing of it became current" in said


def test_a_row_holds_all_of_a_job() -> None:
    job = Job("j", "h", Task("files", True, True, files=2), 1.5, key=Key("k", "f" * 64))
    odd = replace(job, task=replace(job.task, paths=("caf\udce9.md",)), note="é")

    assert job_of(row_of(job)) == job
    assert job_of(row_of(odd)).task.paths == ("caf?.md",)
