"""An index that was built beside the serving one, asked the same questions as it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from kb.database import Database
from kb.doctor import in_batches
from kb.fakes import MemoryPassageStore
from kb.lookup import Lookup
from kb.makes import Make
from kb.ports import Embedder
from kb.retrieve import Retriever
from kb.types import Hit

TOP = 3  # passages of each that are held against each other


class Search(Protocol):
    def __call__(self, question: str, count: int) -> Sequence[Hit]: ...


def searching(database: Database, embedder: Embedder, version: int, make: Make | None) -> Search:
    """Over what a corpus version holds, as it is or as that make has it. With the catalog's own
    vectors, so that whoever has the vector store is not disturbed; they are kept in memory."""
    lookup = Lookup(database, make.number if make else None)
    store = MemoryPassageStore()
    for batch in in_batches(iter(lookup.vectors())):
        store.put([i for i, _ in batch], np.stack([vector for _, vector in batch]))
    retriever = Retriever(embedder, store, lookup)

    def search(question: str, count: int) -> Sequence[Hit]:
        return retriever.search(question, version, count=count).hits

    return search


def agreement(questions: Sequence[str], one: Search, other: Search) -> float:
    """Mean share of the first TOP passages of the one that overlap with such a passage of the
    other; 1 where neither finds anything."""
    shares = [_shared(one(asked, TOP), other(asked, TOP)) for asked in questions]
    return float(np.mean(shares)) if shares else 1.0


def _shared(ours: Sequence[Hit], theirs: Sequence[Hit]) -> float:
    if not ours:
        return 0.0 if theirs else 1.0
    return sum(any(_overlap(a, b) for b in theirs) for a in ours) / len(ours)


def _overlap(one: Hit, other: Hit) -> bool:
    a, b = one.stored.passage, other.stored.passage
    return a.document_id == b.document_id and a.start < b.end and b.start < a.end


def headings(database: Database, make: Make, most: int) -> list[str]:
    """Questions for where there are none: what the passages of that make stand under."""
    found = Lookup(database, make.number).headings()
    return found[:: max(1, len(found) // most)][:most]
