"""Which rows of the table of passages belong to a corpus version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from kb import rows
from kb.database import Database
from kb.schema import memberships, revisions
from kb.types import Filters, Float32

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
KEPT = 4  # versions whose extents are remembered: 4 bytes a passage each


@dataclass(frozen=True, slots=True)
class Extent:
    """words: (rows,) by row number, how many words that passage has; -1: not of this version.
    spans: document id to its passages' rows, as [first, end)."""

    words: Float32
    spans: Mapping[str, tuple[int, int]]

    @property
    def live(self) -> Mask:
        """(rows,) by row number: whether that passage is of this version."""
        inside: Mask = self.words >= 0
        return inside

    @property
    def passages(self) -> int:
        return sum(end - first for first, end in self.spans.values())


class Extents:
    """Remembers the last versions it was asked for: what a version holds never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.of = lru_cache(maxsize=KEPT)(self._read)

    def passing(self, version: int, filters: Filters) -> Mask:
        """(rows,) by row number: of this version, and the filters let it through."""
        extent = self.of(version)
        if filters.empty:
            return extent.live
        query = (
            select(memberships.c.document_id)
            .select_from(rows.members())
            .where(rows.live(version), *rows.narrowed(filters))
        )
        through = np.zeros(len(extent.words), np.bool_)
        with self._database.reading() as connection:
            for document in connection.scalars(query):
                first, end = extent.spans[document]
                through[first:end] = True
        return through

    def _read(self, version: int) -> Extent:
        query = (
            select(revisions.c.document_id, revisions.c.first_row, revisions.c.words)
            .select_from(rows.members())
            .where(rows.live(version))
        )
        counted: list[tuple[int, rows.Counts]] = []
        spans: dict[str, tuple[int, int]] = {}
        with self._database.reading() as connection:
            for document, first, blob in connection.execute(query):
                words = np.frombuffer(blob, np.int32)
                counted.append((first, words))
                spans[document] = (first, first + len(words))
        size = max((end for _, end in spans.values()), default=0)
        every = np.full(size, -1, np.float32)
        for first, words in counted:
            every[first : first + len(words)] = words
        return Extent(every, spans)
