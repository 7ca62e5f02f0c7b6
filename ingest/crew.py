"""Who reads an ingest's documents and makes passages of them: this process, or others for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ingest.items import Failed, Item, failure
from ingest.split import split
from kb.errors import UnreadableFile
from kb.reading import Reading
from kb.types import Document, Encoding, Passage


@dataclass(frozen=True, slots=True)
class Revision:
    """What a file holds, by name only, and how its reading went."""

    document: str
    revision: str
    reading: Reading = field(default_factory=Reading)
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A document and its passages. encodings: by body, of all of them or of none; the pipeline
    embeds what is missing."""

    document: Document
    passages: Sequence[Passage]
    encodings: Mapping[str, Encoding] = field(default_factory=dict)


class Crew(Protocol):
    """Both give one result an item, in the items' order, as they come: texts aren't gathered."""

    def revisions(self, items: Sequence[Item]) -> Iterable[Revision | Failed]: ...

    def ready(self, items: Sequence[Item]) -> Iterable[Ready | Failed]: ...


@dataclass(frozen=True, slots=True)
class Alone:
    """The Crew that is this process. It leaves the embedding to the pipeline, which does many
    documents' passages together and skips those that it knows."""

    token_count: Callable[[str], int]
    max_bytes: int

    def revisions(self, items: Sequence[Item]) -> Iterator[Revision | Failed]:
        return map(self.revision, items)

    def ready(self, items: Sequence[Item]) -> Iterator[Ready | Failed]:
        return map(self.passages, items)

    def revision(self, item: Item) -> Revision | Failed:
        try:
            document = item.read(self.max_bytes)
        except UnreadableFile as error:
            return failure(item.name, error)
        return Revision(document.id, document.revision, document.reading, document.origin)

    def passages(self, item: Item) -> Ready | Failed:
        try:
            document = item.read(self.max_bytes)
        except UnreadableFile as error:
            return failure(item.name, error)
        return Ready(document, split(document, self.token_count))
