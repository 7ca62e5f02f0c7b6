"""Migrations that tests carry out, also in processes that get killed."""

from __future__ import annotations

from collections.abc import Callable

import doomed
from stores import SPLITTER, Index

from ingest.migration import Migration
from kb.fakes import WordEmbedder
from kb.makes import Makes
from kb.migrating import Switching, take_up
from kb.types import Document, IndexIdentity, Passage, Unit
from kb.underway import Questions

HALVES = "halves"


class OtherEmbedder(WordEmbedder):
    """As many dimensions, and none of its vectors is of use to the first one."""

    name = "other-hash"


def halves(document: Document, _count: Callable[[str], int]) -> list[Passage]:
    """A splitter: two passages a document, each of whole lines."""
    text = document.text.rstrip("\n")
    middle = text.find("\n", len(text) // 2) + 1 or len(text)
    spans = [(0, middle), (middle, len(text))]
    return [
        Passage(
            document.id, document.revision, number, "prose", start, end, "", text[start:end],
            (Unit(0, end - start, start, end),),
        )
        for number, (start, end) in enumerate(spans)
        if text[start:end].strip()
    ]  # fmt: skip


def identity(embedder: WordEmbedder, splitter: str) -> IndexIdentity:
    return IndexIdentity(embedder.name, embedder.weights_sha256, embedder.dimension, splitter)


def migration(index: Index, embedder: WordEmbedder | None = None) -> Migration:
    return Migration(index.database, embedder or WordEmbedder(), HALVES, halves)


def switching(index: Index, questions: Questions | None = None) -> Switching:
    upkeep, asked = index.upkeep(keep=doomed.KEEP), questions or Questions()
    serving = index.catalog.identity
    return Switching(index.database, index.store, serving, index.turn, upkeep, asked)


def migrating(index: Index) -> None:
    """In a process that goes on answering."""
    migration(index).build()
    switching(index).switch()


def replacing(index: Index) -> None:
    """Another embedder: built, and taken up at a start."""
    embedder = OtherEmbedder()
    migration(index, embedder).build()
    starting(index)


def starting(index: Index) -> None:
    """As a process of the new release does, before anyone asks it."""
    wanted = identity(OtherEmbedder(), HALVES)
    taken = take_up(
        index.database, index.store, wanted, lambda: index.store.remove(list(index.store.ids()))
    )
    upkeep = index.upkeep(keep=doomed.KEEP)
    upkeep.mend()
    if taken:
        with index.turn.taken():
            upkeep.sweep(keep=0)


def claimed(index: Index) -> Makes:
    index.catalog.claim(identity(WordEmbedder(), SPLITTER))
    return Makes(index.database)
