"""Carries a plan out: read, split, embed, stage, then one flip. Safe to run again after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ingest.items import Failed, Item, failure, found_in
from ingest.plan import Plan, plan
from ingest.split import SPLITTER, split
from kb.catalog import Catalog
from kb.errors import UnreadableFile
from kb.lookup import Lookup
from kb.ports import Embedder, PassageStore
from kb.types import Document, Encoding, Passage

if TYPE_CHECKING:  # Chroma takes a second, and who has a knowledge base has loaded it
    from kb.wiring import KnowledgeBase

BUFFER = 256  # passages embedded together: enough to sort by length into full batches

Progress = Callable[[str, int, int], None]  # what, done, of how many


def quiet(what: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an ingest did. version: the current one afterwards; embedded: passages that went
    through the encoder (the rest of the changed documents' passages were known already)."""

    version: int
    plan: Plan
    failed: tuple[Failed, ...]
    passages: int
    embedded: int


@dataclass(slots=True)
class _Survey:
    """What the files hold. Texts are not kept, so that memory doesn't grow with their number."""

    revisions: dict[str, str] = field(default_factory=dict)  # by document id
    items: dict[str, Item] = field(default_factory=dict)  # likewise
    failed: list[Failed] = field(default_factory=list)

    def drop(self, document: str, error: UnreadableFile) -> None:
        """The catalog keeps what it has of it."""
        self.failed.append(failure(self.items[document].name, error))
        del self.revisions[document]


@dataclass(slots=True)
class _Buffer:
    documents: list[tuple[Document, list[Passage]]] = field(default_factory=list)

    @property
    def passages(self) -> int:
        return sum(len(passages) for _, passages in self.documents)

    @property
    def full(self) -> bool:
        return max(self.passages, len(self.documents)) >= BUFFER


class Pipeline:
    """One writer at a time: the caller holds the index (kb.ownership)."""

    def __init__(
        self,
        catalog: Catalog,
        lookup: Lookup,
        store: PassageStore,
        embedder: Embedder,
        token_count: Callable[[str], int],
        max_bytes: int,
        keep_versions: int,
    ) -> None:
        self._catalog = catalog
        self._lookup = lookup
        self._store = store
        self._embedder = embedder
        self._token_count = token_count
        self._max_bytes = max_bytes
        self._keep = keep_versions

    @classmethod
    def of(cls, kb: KnowledgeBase) -> Self:
        return cls(
            kb.catalog,
            kb.lookup,
            kb.store,
            kb.embedder,
            kb.embedder.token_count,
            max_bytes=kb.settings.file_mb * 1_000_000,
            keep_versions=kb.settings.keep_versions,
        )

    def run(
        self,
        paths: Sequence[Path],
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = quiet,
    ) -> Report:
        """`carry_out` for what is found in files and folders."""
        return self.carry_out(*found_in(paths), prune, dry_run, progress)

    def carry_out(
        self,
        items: Sequence[Item],
        failed: Sequence[Failed],
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = quiet,
    ) -> Report:
        """The items' documents current, or nothing changed. An item that can't be read is
        reported, as those are that `failed` already, and keeps what the catalog has of it. prune:
        documents that are not among the items go, unless one failed or there was none. What
        `progress` raises stops it, with nothing changed. Raises StoreUnavailable."""
        survey = self._survey(items, failed, progress)
        live = self._catalog.live_revisions(self._catalog.current_version())
        todo = _planned(survey, live, prune)
        passages = embedded = 0
        if not dry_run:
            passages, embedded = self._stage(todo, survey, live, progress)
            # A file can change, or go, between the survey and its staging: what counts is what
            # was staged.
            todo = _planned(survey, live, prune)
            if not todo.empty:
                staged = [(document, survey.revisions[document]) for document in todo.changed]
                self._catalog.flip(staged, todo.remove)
            self.sweep()
        version = self._catalog.current_version()
        return Report(version, todo, tuple(survey.failed), passages, embedded)

    def sweep(self) -> int:
        """Removes what no kept version holds, and what was staged by an ingest that was cut off:
        vectors first, so that a kill in between leaves the catalog knowing what is still to
        remove. Returns how many revisions went."""
        self._catalog.retire(self._keep)
        unneeded = self._catalog.unneeded()
        for document, revision in unneeded:
            self._store.remove(self._catalog.ids_of(document, revision))
            self._catalog.forget(document, revision)
        return len(unneeded)

    # -- reading ---------------------------------------------------------------------------------

    def _survey(
        self, items: Sequence[Item], failed: Sequence[Failed], progress: Progress
    ) -> _Survey:
        survey = _Survey(failed=[*failed])
        for done, item in enumerate(items, 1):
            try:
                document = item.read(self._max_bytes)
                survey.revisions[document.id] = document.revision
                survey.items[document.id] = item
            except UnreadableFile as error:
                survey.failed.append(failure(item.name, error))
            progress("reading", done, len(items))
        return survey

    def _again(self, document_ids: Sequence[str], survey: _Survey) -> Iterator[Document]:
        """The documents as they are by now, and the survey with them."""
        for document_id in document_ids:
            try:
                document = survey.items[document_id].read(self._max_bytes)
            except UnreadableFile as error:
                survey.drop(document_id, error)
                continue
            survey.revisions[document_id] = document.revision
            yield document

    # -- writing, unseen -------------------------------------------------------------------------

    def _stage(
        self, todo: Plan, survey: _Survey, live: Mapping[str, str], progress: Progress
    ) -> tuple[int, int]:
        """Returns how many passages were staged, and how many of them were embedded."""
        passages = embedded = done = 0
        buffer = _Buffer()

        def flush() -> None:
            nonlocal passages, embedded, done, buffer
            passages += buffer.passages
            embedded += self._write(buffer, live)
            done += len(buffer.documents)
            buffer = _Buffer()
            progress("embedding", done, len(todo.changed))

        for document in self._again(todo.changed, survey):
            buffer.documents.append((document, split(document, self._token_count)))
            if buffer.full:
                flush()
        if buffer.documents:
            flush()
        return passages, embedded

    def _write(self, buffer: _Buffer, live: Mapping[str, str]) -> int:
        """Embeds the bodies that are new, stages every document, writes its vectors."""
        known: dict[str, Encoding] = {}
        for document, _ in buffer.documents:
            if document.id in live:
                known |= self._lookup.encodings(document.id, live[document.id])
            known |= self._lookup.encodings(document.id, document.revision)
        bodies = dict.fromkeys(p.body for _, passages in buffer.documents for p in passages)
        new = [body for body in bodies if body not in known]
        known |= dict(zip(new, self._embedder.embed_passages(new), strict=True))
        for document, passages in buffer.documents:
            entries = [(p.id(SPLITTER, self._embedder.name), p, known[p.body]) for p in passages]
            self._catalog.stage(document, SPLITTER, entries)
            if entries:
                vectors = np.stack([encoding.pooled for _, _, encoding in entries])
                self._store.put([passage_id for passage_id, _, _ in entries], vectors)
        return len(new)


def _planned(survey: _Survey, live: Mapping[str, str], prune: bool) -> Plan:
    sure = bool(survey.revisions) and not survey.failed
    return plan(survey.revisions, live, prune and sure)
