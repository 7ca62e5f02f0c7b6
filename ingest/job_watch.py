"""A server that watches its corpus folder: changes become jobs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.job import Job
from ingest.jobs import Jobs
from ingest.watch import watch
from ingest.work import corpus_task
from kb.errors import JobNotFound
from kb.settings import Settings

log = logging.getLogger("weighbridge.watch")


class CorpusWatch:
    """A thread between `start` and `close`. prune: what goes from the folder goes from the corpus;
    settle_seconds: a file that changed since is not read."""

    def __init__(self, jobs: Jobs, corpus: Path, prune: bool, settle_seconds: float) -> None:
        self._jobs = jobs
        self._corpus = corpus
        self._prune = prune
        self._settle_seconds = settle_seconds
        self._last: Job | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        log.info("watching %s", self._corpus)
        watch([self._corpus], self._submit, self._settle_seconds, self._stop)

    def _submit(self) -> None:
        """One that hasn't begun will see these changes too."""
        if self._last is not None and self._waits(self._last.id):
            return
        task = corpus_task(self._corpus, prune=self._prune, settle_seconds=self._settle_seconds)
        self._last = self._jobs.submit(task)
        log.info("watch: changes become job=%s", self._last.id)

    def _waits(self, job_id: str) -> bool:
        try:
            return self._jobs.get(job_id).state == "queued"
        except JobNotFound:
            return False


@contextmanager
def watching(settings: Settings, jobs: Jobs) -> Iterator[None]:
    """While the settings say so."""
    if not settings.watch:
        yield
        return
    watch = CorpusWatch(jobs, settings.corpus, settings.watch_prune, settings.watch_seconds)
    watch.start()
    try:
        yield
    finally:
        watch.close()
