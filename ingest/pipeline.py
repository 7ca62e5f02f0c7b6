"""Carries a plan out: read, split, embed, stage, then one flip. Safe to run again after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ingest.items import Failed, Item, failure, found_in
from ingest.plan import Plan, plan
from ingest.split import SPLITTER, split
from kb.catalog import Catalog
from kb.errors import UnreadableFile
from kb.lookup import Lookup
from kb.ownership import Turn
from kb.ports import Embedder, PassageStore
from kb.standing import AffectedAnswers, affected
from kb.types import Document, Encoding, Float32, Passage
from kb.upkeep import Upkeep

if TYPE_CHECKING:  # Chroma takes a second, and who has a knowledge base has loaded it
    from kb.wiring import KnowledgeBase

BUFFER = 256  # passages embedded together: enough to sort by length into full batches
STEP = 64  # passages between two signs of progress, each a moment to cancel: a second or two

Affecting = Callable[[int, int], AffectedAnswers]  # version before, version after
Progress = Callable[[str, int, int], None]  # what, done, of how many (0: not known yet)


def quiet(what: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an ingest did. version: the current one afterwards; embedded: passages that went
    through the encoder (the rest of the changed documents' passages were known already);
    affected: stored answers that lost support by it."""

    version: int
    plan: Plan
    failed: tuple[Failed, ...]
    passages: int
    embedded: int
    affected: AffectedAnswers = field(default_factory=AffectedAnswers)


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
        upkeep: Upkeep,
        turn: Turn,
        affected: Affecting = lambda before, after: AffectedAnswers(),
    ) -> None:
        """affected: the stored answers that lose support between two versions."""
        self._catalog = catalog
        self._lookup = lookup
        self._store = store
        self._embedder = embedder
        self._token_count = token_count
        self._max_bytes = max_bytes
        self._upkeep = upkeep
        self._turn = turn
        self._affected = affected

    @classmethod
    def of(cls, kb: KnowledgeBase) -> Self:
        return cls(
            kb.catalog,
            kb.lookup,
            kb.store,
            kb.embedder,
            kb.embedder.token_count,
            max_bytes=kb.settings.file_mb * 1_000_000,
            upkeep=kb.upkeep,
            turn=kb.turn,
            affected=partial(affected, kb.database),
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
        wait_seconds: float | None = None,
    ) -> Report:
        """The items' documents current, or nothing changed. An item that can't be read is
        reported, as those are that `failed` already, and keeps what the catalog has of it. prune:
        documents that are not among the items go, unless one failed or there was none. What
        `progress` raises stops it, with nothing changed. wait_seconds: for who changes the corpus
        before; None: as long as it takes. Raises StoreUnavailable, StoreInUse."""
        survey = self._survey(items, failed, progress)
        if dry_run:
            version = self._catalog.current_version()
            todo = _planned(survey, self._catalog.live_revisions(version), prune)
            return Report(version, todo, tuple(survey.failed), 0, 0)
        with self._turn.taken(wait_seconds):
            return self._carried_out(survey, prune, progress)

    def _carried_out(self, survey: _Survey, prune: bool, progress: Progress) -> Report:
        before = self._catalog.current_version()
        live = self._catalog.live_revisions(before)
        todo = _planned(survey, live, prune)
        passages, embedded = self._stage(todo, survey, live, progress)
        # A file can change, or go, between the survey and its staging: what counts is what was
        # staged.
        todo = _planned(survey, live, prune)
        if not todo.empty:
            staged = [(document, survey.revisions[document]) for document in todo.changed]
            self._catalog.flip(staged, todo.remove)
        version = self._catalog.current_version()
        lost = self._affected(before, version)  # while the version before is there to compare with
        self._upkeep.sweep()
        return Report(version, todo, tuple(survey.failed), passages, embedded, lost)

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
            embedded += self._write(buffer, live, lambda n: progress("passages", passages + n, 0))
            passages += buffer.passages
            done += len(buffer.documents)
            buffer = _Buffer()
            progress("passages", passages, 0)
            progress("embedding", done, len(todo.changed))

        for document in self._again(todo.changed, survey):
            buffer.documents.append((document, split(document, self._token_count)))
            if buffer.full:
                flush()
        if buffer.documents:
            flush()
        return passages, embedded

    def _write(self, buffer: _Buffer, live: Mapping[str, str], ready: Callable[[int], None]) -> int:
        """Embeds the bodies that are new, stages every document, writes its vectors."""
        known: dict[str, Encoding] = {}
        for document, _ in buffer.documents:
            if document.id in live:
                known |= self._lookup.encodings(document.id, live[document.id])
            known |= self._lookup.encodings(document.id, document.revision)
        bodies = dict.fromkeys(p.body for _, passages in buffer.documents for p in passages)
        new = sorted((body for body in bodies if body not in known), key=len)
        for start in range(0, len(new), STEP):
            some = new[start : start + STEP]
            known |= dict(zip(some, self._embedder.embed_passages(some), strict=True))
            ready(start + len(some))
        vectors: dict[str, Float32] = {}
        for document, passages in buffer.documents:
            entries = [(p.id(SPLITTER, self._embedder.name), p, known[p.body]) for p in passages]
            self._catalog.stage(document, SPLITTER, entries)
            vectors |= {passage_id: encoding.pooled for passage_id, _, encoding in entries}
        if vectors:  # of all at once: each call to Chroma costs as much as a hundred vectors
            self._store.put(list(vectors), np.stack(list(vectors.values())))
        return len(new)


def _planned(survey: _Survey, live: Mapping[str, str], prune: bool) -> Plan:
    sure = bool(survey.revisions) and not survey.failed
    return plan(survey.revisions, live, prune and sure)
