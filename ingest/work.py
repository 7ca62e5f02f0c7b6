"""The tasks of a server's jobs, carried out on its knowledge base."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from ingest.items import Found, found_in_corpus
from ingest.job import Job, Task
from ingest.pipeline import Pipeline, Progress, Report
from ingest.plan import Plan
from ingest.steady import Steady
from ingest.uploads import Uploads
from kb.wiring import KnowledgeBase


class ServerWork:
    """What `ingest.jobs` needs of a knowledge base."""

    def __init__(self, kb: KnowledgeBase, uploads: Uploads) -> None:
        self._kb = kb
        self._uploads = uploads

    @property
    def home(self) -> str:
        return self._uploads.home()

    def version(self) -> int:
        return self._kb.catalog.current_version()

    def lacking(self, job: Job) -> str | None:
        if job.task.kind == "switch":
            return None
        if job.task.kind == "files":
            if self._uploads.has(job.id):
                return None
            return "what was sent is no longer on the server's disk; send it again"
        corpus = _real(self._kb.settings.corpus)
        if job.task.folder != corpus:
            return f"it was to read {job.task.folder}, and KB_CORPUS is {corpus}; ingest again"
        if not Path(corpus).is_dir():
            return f"the corpus folder {corpus} is not there; put it back, and ingest again"
        return None

    def carry_out(self, job: Job, progress: Progress) -> Report:
        task = job.task
        if task.kind == "switch":
            return self._switched()
        found = self._found(job)
        return Pipeline.of(self._kb).carry_out(*found, task.prune, task.dry_run, progress)

    def clear(self, under_way: Collection[str], job_id: str | None = None) -> None:
        if job_id is None:
            self._uploads.remove_all_but(under_way)
        else:
            self._uploads.remove(job_id)

    def _switched(self) -> Report:
        """Its documents stay what they were."""
        self._kb.switching().switch()
        version = self.version()
        kept = tuple(sorted(self._kb.catalog.live_revisions(version)))
        return Report(version, Plan((), (), kept, ()), (), 0, 0)

    def _found(self, job: Job) -> Found:
        if job.task.kind == "files":
            return self._uploads.found(job.id)
        found = found_in_corpus(self._kb.settings.corpus, job.task.paths)
        seconds = job.task.settle_seconds
        return Steady(seconds).found(found) if seconds else found


def corpus_task(
    corpus: Path,
    paths: Sequence[str] = (),
    prune: bool = False,
    dry_run: bool = False,
    settle_seconds: float = 0.0,
) -> Task:
    """Raises PathNotAllowed."""
    found_in_corpus(corpus, paths)  # to say at once what is wrong with them
    return Task("corpus", prune, dry_run, _real(corpus), tuple(paths), 0, settle_seconds)


def _real(folder: Path) -> str:
    return os.path.realpath(folder)
