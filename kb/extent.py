"""Which rows of the table of passages belong to a corpus version, and pass a reader's filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from kb import rows
from kb.database import Database
from kb.schema import makings, revisions, versions
from kb.types import Filters, Float32

Rows = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
# Versions, and pairs of version and filters, that are remembered: 5 bytes, and 1, a passage.
VERSIONS, FILTERED = 4, 32


@dataclass(frozen=True, slots=True)
class Held:
    """A document of one version, as far as filters look at it. rows: its passages'."""

    document_id: str
    publisher: str | None
    as_of: str | None
    rows: slice


@dataclass(frozen=True, slots=True, eq=False)  # two are the same only if they are one
class Extent:
    """words: (rows,) by row number, how many words that passage has. live: (rows,) whether it is
    of this version. mean_words: of its passages; 1 where there is none."""

    documents: Sequence[Held]
    words: Float32
    live: Mask
    passages: int
    mean_words: float


class Extents:
    """Remembers the last versions it was asked for, each as it stood: what a version holds changes
    only when a document is erased from it, here or by another process, and then it has fewer
    passages. How many it has is looked up each time, before anything else of it is read."""

    def __init__(self, database: Database, make: int | None = None) -> None:
        """make: as if every version were of that one."""
        self._database = database
        self._make = make
        self._known = lru_cache(maxsize=VERSIONS)(self._read)
        self._through = lru_cache(maxsize=FILTERED)(_passing)

    def of(self, version: int) -> Extent:
        return self._known(version, self.standing(version))

    def standing(self, version: int) -> int | None:
        """Another number once something was erased from the version; None where it isn't kept."""
        query = select(versions.c.passages).where(versions.c.number == version)
        with self._database.reading() as connection:
            return connection.scalar(query)

    def passing(self, version: int, filters: Filters) -> Mask:
        """(rows,) by row number: of this version, and the filters let it through."""
        return self._through(self.of(version), filters)

    def forget(self) -> None:
        """Gives the memory back of what is never looked at again."""
        self._known.cache_clear()
        self._through.cache_clear()

    def _read(self, version: int, _standing: int | None) -> Extent:
        columns = revisions.c
        query = (
            select(
                columns.document_id,
                columns.publisher,
                columns.as_of,
                makings.c.first_row,
                makings.c.words,
            )
            .select_from(rows.members(self._make))
            .where(rows.live(version))
        )
        documents: list[Held] = []
        counted: list[rows.Counts] = []
        with self._database.reading() as connection:
            for document, publisher, as_of, first, words in connection.execute(query):
                counted.append(np.frombuffer(words, np.int32))
                place = slice(first, first + len(counted[-1]))
                documents.append(Held(document, publisher, as_of, place))
        size = max((document.rows.stop for document in documents), default=0)
        words, live = np.zeros(size, np.float32), np.zeros(size, np.bool_)
        for document, counts in zip(documents, counted, strict=True):
            words[document.rows], live[document.rows] = counts, True
        passages = int(live.sum())
        mean = float(words.sum()) / max(passages, 1) or 1.0
        return Extent(documents, words, live, passages, mean)


def _passing(extent: Extent, filters: Filters) -> Mask:
    if filters.empty:
        return extent.live
    through = np.zeros(len(extent.live), np.bool_)
    for document in let_through(filters, extent.documents):
        through[document.rows] = True
    return through


def let_through(filters: Filters, documents: Sequence[Held]) -> list[Held]:
    """A document without a date passes no date filter. `as_of_to` takes in everything that begins
    with it, so that 2026 as an end includes 2026-05."""
    ids, publishers = frozenset(filters.document_ids), frozenset(filters.publishers)
    first, last = filters.as_of_from, filters.as_of_to

    def passes(one: Held) -> bool:
        date = one.as_of or ""
        return (
            (not ids or one.document_id in ids)
            and (not publishers or one.publisher in publishers)
            and (not first or date >= first)
            and (not last or (date != "" and (date <= last or date.startswith(last))))
        )

    return [one for one in documents if passes(one)]
