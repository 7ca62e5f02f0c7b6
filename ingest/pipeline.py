"""Carries a plan out: read, split, embed, stage, then one flip. Safe to run again after a kill."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ingest.plan import Plan, plan
from ingest.readers import find, read
from ingest.split import SPLITTER, split
from kb.catalog import Catalog
from kb.errors import UnreadableFile
from kb.lookup import Lookup
from kb.ports import Embedder, PassageStore
from kb.types import Document, Encoding, Passage

BUFFER = 256  # passages embedded together: enough to sort by length into full batches

Progress = Callable[[str, int, int], None]  # what, done, of how many


def quiet(what: str, done: int, total: int) -> None:
    """A Progress that shows nothing."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that was left out, and why."""

    path: str
    code: str
    message: str


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
class _Buffer:
    documents: list[tuple[Document, list[Passage]]] = field(default_factory=list)

    @property
    def passages(self) -> int:
        return sum(len(passages) for _, passages in self.documents)


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

    def run(
        self,
        paths: Sequence[Path],
        prune: bool = False,
        dry_run: bool = False,
        progress: Progress = quiet,
    ) -> Report:
        """Files and folders in; their documents current, or nothing changed. A file that can't be
        read is reported and keeps what the catalog has of it. Raises StoreUnavailable."""
        places, failed = self._survey(paths, progress)
        version = self._catalog.current_version()
        live = self._catalog.live_revisions(version)
        wanted = {document: revision for document, (revision, _, _) in places.items()}
        todo = plan(wanted, live, prune and not failed)
        if dry_run or todo.empty:
            return Report(version, todo, tuple(failed), 0, 0)
        documents = (
            read(path, root, self._max_bytes)
            for _, path, root in (places[document] for document in todo.changed)
        )
        passages, embedded = self._stage(documents, len(todo.changed), live, progress)
        version = self._catalog.flip(
            [(document, wanted[document]) for document in todo.changed], todo.remove
        )
        self.sweep()
        return Report(version, todo, tuple(failed), passages, embedded)

    def sweep(self) -> int:
        """Removes what no kept version holds: vectors first, so that a kill in between leaves the
        catalog knowing what is still to remove. Returns how many revisions went."""
        unneeded = self._catalog.unneeded(self._keep)
        for document, revision in unneeded:
            self._store.remove(self._catalog.ids_of(document, revision))
            self._catalog.forget(document, revision)
        return len(unneeded)

    # -- reading ---------------------------------------------------------------------------------

    def _survey(
        self, paths: Sequence[Path], progress: Progress
    ) -> tuple[dict[str, tuple[str, Path, Path]], list[Failed]]:
        """Document id to (revision, path, root): texts are not kept, so that memory doesn't grow
        with the number of documents."""
        places: dict[str, tuple[str, Path, Path]] = {}
        found, refused = find(paths)
        failed = [_failure(path, error) for path, error in refused]
        for done, (path, root) in enumerate(found, 1):
            try:
                document = read(path, root, self._max_bytes)
                places[document.id] = (document.revision, path, root)
            except UnreadableFile as error:
                failed.append(_failure(path, error))
            progress("reading", done, len(found))
        return places, failed

    # -- writing, unseen -------------------------------------------------------------------------

    def _stage(
        self,
        documents: Iterator[Document],
        count: int,
        live: dict[str, str],
        progress: Progress,
    ) -> tuple[int, int]:
        passages = embedded = 0
        buffer = _Buffer()
        for done, document in enumerate(documents, 1):
            buffer.documents.append((document, split(document, self._token_count)))
            if buffer.passages >= BUFFER or done == count:
                passages += buffer.passages
                embedded += self._flush(buffer, live)
                buffer = _Buffer()
                progress("embedding", done, count)
        return passages, embedded

    def _flush(self, buffer: _Buffer, live: dict[str, str]) -> int:
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


def _failure(path: Path, error: UnreadableFile) -> Failed:
    return Failed(str(path), error.code, str(error))
