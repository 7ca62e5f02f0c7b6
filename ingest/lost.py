"""What an ingest tells of how its documents were read."""

from __future__ import annotations

from dataclasses import dataclass

from kb.reading import Reading


@dataclass(frozen=True, slots=True)
class LostOf:
    """Something of a document's file that is not in its text; see kb.reading."""

    document: str
    kind: str
    count: int
    where: str


@dataclass(frozen=True, slots=True)
class NoteOn:
    """What was decided about a document while it was read, for its owner to check."""

    document: str
    note: str


def lost_of(document: str, reading: Reading) -> list[LostOf]:
    return [LostOf(document, one.kind, one.count, one.where) for one in reading.lost]
