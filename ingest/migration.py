"""Another index of the same documents, made beside the one that is serving."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ingest.buffer import Buffer, embed
from ingest.crew import Ready
from ingest.pipeline import Progress, quiet
from kb.catalog import Catalog
from kb.database import Database
from kb.errors import RevisionNotFound
from kb.lookup import Lookup
from kb.makes import Make, Makes
from kb.migrating import comparable
from kb.ports import Embedder
from kb.types import Document, Encoding, IndexIdentity, Passage


@dataclass(frozen=True, slots=True)
class Built:
    """make: what was built; documents, passages: that it took this time; embedded: of the passages,
    those that the serving index has no encoding of."""

    make: Make
    documents: int
    passages: int
    embedded: int


class Migration:
    """Reads the texts that the catalog has, and writes passages that no reader sees. Works beside a
    process that serves the index, answers from it and changes it; ended at any moment, it goes on
    from there the next time."""

    def __init__(
        self,
        database: Database,
        embedder: Embedder,
        splitter: str,
        split: Callable[[Document, Callable[[str], int]], list[Passage]],
    ) -> None:
        """splitter: the name of what `split` does."""
        self._database = database
        self._catalog = Catalog(database)
        self._makes = Makes(database)
        self._embedder = embedder
        self._splitter = splitter
        self._split = split
        self._wanted = IndexIdentity(
            embedder.name, embedder.weights_sha256, embedder.dimension, splitter
        )

    @property
    def wanted(self) -> IndexIdentity:
        return self._wanted

    @property
    def serving(self) -> IndexIdentity | None:
        """None while nothing was ingested."""
        return self._makes.serving()

    def build(self, progress: Progress = quiet) -> Built:
        """Passages of every current document that has none of the new make yet. What `progress`
        raises stops it. Raises StoreUnavailable."""
        make = self._makes.begin(self._wanted)
        lacking = self._makes.lacking(make)
        passages = embedded = done = 0
        for buffer in self._buffers(lacking):
            embedded += self._write(buffer, make)
            passages += buffer.passages
            done += len(buffer.documents)
            progress("passages", passages, 0)
            progress("embedding", done, len(lacking))
        return Built(make, done, passages, embedded)

    def _buffers(self, lacking: Iterable[tuple[str, str]]) -> Iterable[Buffer]:
        buffer = Buffer()
        for document_id, revision in lacking:
            try:
                document = self._catalog.document(document_id, revision)
            except RevisionNotFound:  # deleted meanwhile
                continue
            passages = self._split(document, self._embedder.token_count)
            buffer.documents.append(Ready(document, passages))
            if buffer.full:
                yield buffer
                buffer = Buffer()
        if buffer.documents:
            yield buffer

    def _write(self, buffer: Buffer, make: Make) -> int:
        known = self._known(buffer)
        new = embed(buffer.bodies, known, self._embedder, lambda _done: None)
        encodings = known | new
        for ready in buffer.documents:
            made = [
                (p.id(self._splitter, self._embedder.name), p, encodings[p.body])
                for p in ready.passages
            ]
            try:
                self._catalog.stage(ready.document, self._splitter, made, make.number)
            except RevisionNotFound:
                continue
        return len(new)

    def _known(self, buffer: Buffer) -> dict[str, Encoding]:
        """Of bodies that both ways of splitting make, where the embedder is the same."""
        serving = self._makes.serving()
        if serving is None or not comparable(serving, self._wanted):
            return {}
        lookup = Lookup(self._database)
        known: dict[str, Encoding] = {}
        for ready in buffer.documents:
            known |= lookup.encodings(ready.document.id, ready.document.revision)
        return known
