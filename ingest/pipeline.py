"""Carries a plan out: read, split, embed, stage, then one flip. Safe to run again after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from ingest.buffer import Buffer, embed
from ingest.crew import Alone, Crew, Ready
from ingest.identity import Known, name_taken
from ingest.items import Failed, Item, failure, found_in
from ingest.lost import LostOf, NoteOn, lost_of
from ingest.plan import Plan, plan
from ingest.split import SPLITTER
from kb.catalog import Catalog
from kb.lookup import Lookup
from kb.ownership import Turn
from kb.ports import Embedder, PassageStore
from kb.reading import Reading
from kb.standing import AffectedAnswers, affected
from kb.types import Encoding, Float32, IndexIdentity
from kb.upkeep import Upkeep

if TYPE_CHECKING:  # Chroma takes a second, and who has a knowledge base has loaded it
    from kb.wiring import KnowledgeBase

Affecting = Callable[[int, int], AffectedAnswers]  # version before, version after
Progress = Callable[[str, int, int], None]  # what, done, of how many (0: not known yet)


def quiet(what: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an ingest did. version: the current one afterwards; embedded: passages that went
    through the encoder (the rest of the changed documents' passages were known already);
    affected: stored answers that lost support by it; lost, notes: of the documents that changed."""

    version: int
    plan: Plan
    failed: tuple[Failed, ...]
    passages: int
    embedded: int
    affected: AffectedAnswers = field(default_factory=AffectedAnswers)
    lost: tuple[LostOf, ...] = ()
    notes: tuple[NoteOn, ...] = ()


@dataclass(slots=True)
class _Survey:
    """What the files hold. Texts are not kept, so that memory doesn't grow with their number."""

    revisions: dict[str, str] = field(default_factory=dict)  # by document id
    items: dict[str, Item] = field(default_factory=dict)  # likewise
    readings: dict[str, Reading] = field(default_factory=dict)  # likewise; of those with any
    failed: list[Failed] = field(default_factory=list)

    def drop(self, document: str, failed: Failed) -> None:
        """The catalog keeps what it has of it."""
        self.failed.append(failed)
        del self.revisions[document]


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
        crew: Crew | None = None,
        made_with: IndexIdentity | None = None,
    ) -> None:
        """affected: the stored answers that lose support between two versions. crew: who reads;
        None: this process. made_with: what passages are made with here; an index of another make
        is left alone."""
        self._catalog = catalog
        self._lookup = lookup
        self._store = store
        self._embedder = embedder
        self._crew = crew or Alone(token_count, max_bytes)
        self._upkeep = upkeep
        self._turn = turn
        self._affected = affected
        self._made_with = made_with

    @classmethod
    def of(cls, kb: KnowledgeBase, crew: Crew | None = None) -> Self:
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
            crew=crew,
            made_with=kb.identity,
        )

    def run(
        self,
        paths: Sequence[Path],
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = quiet,
    ) -> Report:
        """`carry_out` for what is found in files and folders."""
        return self.carry_out(*found_in(paths, known=self.known()), prune, dry_run, progress)

    def known(self) -> Known:
        """The documents of the current version, for who is to find their files again."""
        return Known.of(self._catalog.origins(self._catalog.current_version()).values())

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
        before; None: as long as it takes. Raises StoreUnavailable, StoreInUse, and IndexMismatch
        where the index is of another make by now."""
        survey = self._survey(items, failed, progress)
        if dry_run:
            version = self._catalog.current_version()
            todo = _planned(survey, self._catalog.live_revisions(version), prune)
            return _report(version, todo, survey)
        with self._turn.taken(wait_seconds):
            if self._made_with is not None:
                self._catalog.claim(self._made_with)
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
        return _report(version, todo, survey, passages, embedded, lost)

    # -- reading ---------------------------------------------------------------------------------

    def _survey(
        self, items: Sequence[Item], failed: Sequence[Failed], progress: Progress
    ) -> _Survey:
        survey = _Survey(failed=[*failed])
        version = self._catalog.current_version()
        origins, live = self._catalog.origins(version), self._catalog.live_revisions(version)
        found = zip(items, self._crew.revisions(items), strict=True)
        for done, (item, read) in enumerate(found, 1):
            if isinstance(read, Failed):
                survey.failed.append(read)
            elif read.revision != live.get(read.document) and (
                taken := name_taken(read.document, read.origin, origins)
            ):
                survey.failed.append(failure(item.name, taken))
            else:
                survey.revisions[read.document] = read.revision
                survey.items[read.document] = item
                survey.readings[read.document] = read.reading
            progress("reading", done, len(items))
        return survey

    def _again(self, document_ids: Sequence[str], survey: _Survey) -> Iterator[Ready]:
        """The documents as they are by now, and the survey with them."""
        made = self._crew.ready([survey.items[document_id] for document_id in document_ids])
        for document_id, ready in zip(document_ids, made, strict=True):
            if isinstance(ready, Failed):
                survey.drop(document_id, ready)
                continue
            survey.revisions[document_id] = ready.document.revision
            survey.readings[document_id] = ready.document.reading
            yield ready

    # -- writing, unseen -------------------------------------------------------------------------

    def _stage(
        self, todo: Plan, survey: _Survey, live: Mapping[str, str], progress: Progress
    ) -> tuple[int, int]:
        """Returns how many passages were staged, and how many of them were embedded."""
        passages = embedded = done = 0
        buffer = Buffer()

        def flush() -> None:
            nonlocal passages, embedded, done, buffer
            embedded += self._write(buffer, live, lambda n: progress("passages", passages + n, 0))
            passages += buffer.passages
            done += len(buffer.documents)
            buffer = Buffer()
            progress("passages", passages, 0)
            progress("embedding", done, len(todo.changed))

        for ready in self._again(todo.changed, survey):
            buffer.documents.append(ready)
            if buffer.full:
                flush()
        if buffer.documents:
            flush()
        return passages, embedded

    def _write(self, buffer: Buffer, live: Mapping[str, str], told: Callable[[int], None]) -> int:
        """Embeds the bodies that are new, stages every document, writes its vectors."""
        known: dict[str, Encoding] = {}
        for ready in buffer.documents:
            document = ready.document
            if document.id in live:
                known |= self._lookup.encodings(document.id, live[document.id])
            known |= self._lookup.encodings(document.id, document.revision)
            known |= ready.encodings
        new = embed(buffer.bodies, known, self._embedder, told)
        known |= new
        vectors: dict[str, Float32] = {}
        for ready in buffer.documents:
            name = self._embedder.name
            entries = [(p.id(SPLITTER, name), p, known[p.body]) for p in ready.passages]
            self._catalog.stage(ready.document, SPLITTER, entries)
            vectors |= {passage_id: encoding.pooled for passage_id, _, encoding in entries}
        if vectors:  # of all at once: each call to Chroma costs as much as a hundred vectors
            self._store.put(list(vectors), np.stack(list(vectors.values())))
        return len(new) + sum(len(ready.encodings) for ready in buffer.documents)


def _report(
    version: int,
    todo: Plan,
    survey: _Survey,
    passages: int = 0,
    embedded: int = 0,
    affected: AffectedAnswers | None = None,
) -> Report:
    read = [(document, survey.readings.get(document, Reading())) for document in todo.changed]
    return Report(
        version,
        todo,
        tuple(survey.failed),
        passages,
        embedded,
        affected or AffectedAnswers(),
        tuple(one for document, reading in read for one in lost_of(document, reading)),
        tuple(NoteOn(document, note) for document, reading in read for note in reading.notes),
    )


def _planned(survey: _Survey, live: Mapping[str, str], prune: bool) -> Plan:
    sure = bool(survey.revisions) and not survey.failed
    return plan(survey.revisions, live, prune and sure)
