"""A server's jobs in a process that is killed: what `test_job_restart` runs in other processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from shelf import BY_THE_MODEL, SPLITTER
from sqlalchemy import Engine, event

from ingest.job import Task
from ingest.jobs import Jobs
from ingest.uploads import Uploads
from ingest.work import ServerWork, corpus_task
from kb.adapters.chroma import ChromaStore
from kb.fakes import WordEmbedder
from kb.fakes_model import ScriptedModel
from kb.job_log import JobLog
from kb.settings import Settings
from kb.types import Encoding
from kb.wiring import KnowledgeBase, compose

SECONDS = 30.0
SENT = ("sent/a.md", "sent/b.md")


class Dying(WordEmbedder):
    """Kills its process with the call of that number, counted from 1."""

    def __init__(self, call: int) -> None:
        super().__init__()
        self._left = call

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        self._left -= 1
        if not self._left:
            die()
        return super().embed_passages(texts)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def serve_and_die_embedding(home: Path, corpus: Path, call: int) -> None:
    """A job over the folder, and one of documents that are sent, until the process dies."""
    with opened_jobs(home, corpus, Dying(call)) as (kb, jobs):
        _submit_both(kb, jobs)
        time.sleep(SECONDS)


def serve_and_die_writing(home: Path, corpus: Path, before_write: int) -> None:
    """Dies before that write to the catalog, counted from 0; if it comes so far."""
    left = iter(range(before_write, -1, -1))

    def write(*_: object) -> None:
        if next(left, 1) == 0:
            die()

    def statement(_1: object, _2: object, sql: str, *_: object) -> None:
        if not sql.lstrip().startswith(("SELECT", "PRAGMA")):
            write()

    with opened_jobs(home, corpus) as (kb, jobs):
        event.listen(Engine, "before_cursor_execute", statement)
        event.listen(Engine, "commit", write)
        _submit_both(kb, jobs)
        while not all(job.ended for job in jobs.latest(2)):
            time.sleep(0.01)


def serve_to_the_end(home: Path, corpus: Path) -> None:
    """A server that takes up what is left, and dies while it embeds."""
    with opened_jobs(home, corpus, Dying(1)):
        time.sleep(SECONDS)


def _submit_both(kb: KnowledgeBase, jobs: Jobs) -> None:
    upload = Uploads(kb.settings.uploads).new()
    for uri in SENT:
        upload.add(uri, f"# {uri}\n\nThe scale at {uri} is old.\n".encode())
    files = upload.complete()
    jobs.submit(corpus_task(corpus=kb.settings.corpus))
    jobs.submit(Task("files", files=files), job_id=upload.id)


@contextmanager
def opened_jobs(
    home: Path, corpus: Path, embedder: WordEmbedder | None = None
) -> Iterator[tuple[KnowledgeBase, Jobs]]:
    """As a server has them: SQLite and Chroma on the disk."""
    settings = Settings(home=home, corpus=corpus)
    store = ChromaStore.embedded(settings.index / "chroma")
    model = ScriptedModel([])
    kb = compose(settings, WordEmbedder(), store, model, SPLITTER, confidence=BY_THE_MODEL)
    kb = replace(kb, embedder=embedder or kb.embedder)
    jobs = Jobs(JobLog(kb.database), ServerWork(kb, Uploads(settings.uploads)))
    try:
        jobs.start()
        yield kb, jobs
    finally:
        jobs.close()
        kb.close()
        store.close()
