"""Changes of the corpus other than an ingest: sweeping, going back, deleting, mending."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from kb.catalog import Catalog
from kb.doctor import Comparison, compare, repair
from kb.errors import DocumentNotFound, StoreUnavailable
from kb.lookup import Lookup
from kb.ownership import Turn
from kb.ports import CitedRevisions, PassageStore

log = logging.getLogger("weighbridge.upkeep")

WAIT_SECONDS = 20.0  # of who deletes or goes back, for an ingest: most take less


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of a document is stored, in all versions. answers: that quote it; cached:
    those in memory that were made from it."""

    revisions: int
    passages: int
    vectors: int
    lexical_rows: int
    answers: int
    cached: int = 0

    @property
    def nothing(self) -> bool:
        return not (
            self.revisions or self.passages or self.vectors or self.lexical_rows or self.answers
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """Of a deletion. version: the new corpus version. left: looked up again afterwards; also in
    the earlier versions that are kept."""

    document_id: str
    version: int
    removed: Counted
    left: Counted


class Upkeep:
    """Safe to share between threads: each change waits for its turn."""

    def __init__(
        self,
        catalog: Catalog,
        lookup: Lookup,
        store: PassageStore,
        answers: CitedRevisions,
        turn: Turn,
        keep_versions: int,
        forget_cached: Callable[[str], int] = lambda document_id: 0,
    ) -> None:
        """forget_cached: drops answers in memory that were made from a document; how many."""
        self._catalog = catalog
        self._lookup = lookup
        self._store = store
        self._answers = answers
        self._turn = turn
        self._keep = keep_versions
        self._forget_cached = forget_cached

    def sweep(self, keep: int | None = None) -> int:
        """Removes what no kept version holds, and what was staged by an ingest that was cut off;
        of what a stored answer quotes the text stays. keep: earlier versions; None: as many as it
        was told to. The caller has the turn. Vectors go first, so that a kill in between leaves the
        catalog knowing what is still to remove. Returns how many revisions went."""
        cited = self._answers.cited_revisions()
        self._catalog.retire(self._keep if keep is None else keep, cited)
        unneeded = self._catalog.unneeded(cited)
        for document, revision in unneeded:
            self._store.remove(self._catalog.ids_of(document, revision))
            if (document, revision) in cited:
                self._catalog.strip(document, revision)
            else:
                self._catalog.forget(document, revision)
        for document, revision, make in self._catalog.outdated():
            self._store.remove(self._catalog.ids_of(document, revision, make))
            self._catalog.strip(document, revision, make)
        self._tidy()
        return len(unneeded)

    def roll_back(self, number: int) -> int:
        """Makes a new version with what that kept one holds, without embedding anything; returns
        its number. Raises VersionNotFound, StoreInUse."""
        with self._turn.taken(WAIT_SECONDS):
            version = self._catalog.restore(number)
            self.sweep()
        log.info("rolled back to=%d version=%d", number, version)
        return version

    def delete(self, document_id: str) -> Receipt:
        """Removes a document from every version, kept ones too, and every stored answer that
        quotes it. Raises DocumentNotFound, StoreInUse."""
        with self._turn.taken(WAIT_SECONDS):
            self._catalog.known(document_id)
            # before: so that a kill leaves no answer that quotes what is gone
            answers = self._answers.forget_document(document_id)
            erased = self._catalog.erase(document_id)
            self._lookup.forget_erased()
            # after: what was being answered meanwhile; from here on none can be stored any more
            answers += self._answers.forget_document(document_id)
            cached = self._forget_cached(document_id)
            vectors = self._store.having(erased.passage_ids)
            self._store.remove(erased.passage_ids)
            held = erased.held
            removed = Counted(
                held.revisions, held.passages, len(vectors), held.lexical_rows, answers, cached
            )
            left = self._stored(document_id, erased.passage_ids, erased.row_numbers)
            self._tidy()
        log.info("deleted passages=%d version=%d", removed.passages, erased.version)
        return Receipt(document_id, erased.version, removed, left)

    def mend(self) -> Comparison:
        """At a start: the vector store has one vector a passage that some kept version holds, and
        none that the catalog doesn't know. Returns what was found. Raises StoreUnavailable."""
        stored = list(self._store.ids())  # first: what is staged meanwhile is then no orphan
        found = compare(self._catalog.needed_ids(), self._catalog.passage_ids(), stored)
        if not found.healthy:
            repair(found, self._lookup.vectors(), self._store)
            log.warning(
                "the vector store was mended from the catalog: put back=%d removed=%d",
                len(found.missing),
                len(found.orphaned),
            )
        self._forget_orphaned_answers()
        return found

    def _forget_orphaned_answers(self) -> None:
        """Those that quote a document whose deletion was cut off."""
        for document_id in {document for document, _ in self._answers.cited_revisions()}:
            try:
                self._catalog.known(document_id)
            except DocumentNotFound:
                self._answers.forget_document(document_id)

    def _stored(self, document_id: str, ids: tuple[str, ...], numbers: tuple[int, ...]) -> Counted:
        held = self._catalog.stored(document_id, numbers)
        quoting = {document for document, _ in self._answers.cited_revisions()}
        return Counted(
            held.revisions,
            held.passages,
            len(self._store.having(ids)),
            held.lexical_rows,
            int(document_id in quoting),
        )

    def _tidy(self) -> None:
        """What was to be done is done: where there is no room to tidy up, the disk stays full."""
        try:
            self._store.tidy(self._lookup.vectors)
            self._catalog.tidy()
        except StoreUnavailable as error:
            log.warning("the room that was freed can't be given back: %s", error)
