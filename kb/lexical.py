"""BM25 over the passages of one corpus version.

The database's full-text index keeps the postings; the score is worked out here. SQLite's own
bm25() counts staged and retired passages too, so that an ingest would change the ranking that a
reader of an earlier version sees, and it takes ten times as long; PostgreSQL has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from sqlalchemy import select

from kb.database import Database
from kb.extent import Extent, Extents, Rows
from kb.rows import batches, these
from kb.schema import passages
from kb.terms import terms_of
from kb.types import Filters, Float32

K1, B = 1.2, 0.75  # Robertson and Zaragoza 2009; also what SQLite's bm25() uses
# Terms whose postings are remembered, 8 bytes a passage that has one: questions keep asking for
# what the corpus is about, and to read where a word is that half of 100k passages have takes 6 ms.
REMEMBERED = 512
_IDS = select(passages.c.row, passages.c.id).where(passages.c.row.in_(these))


class LexicalIndex:
    """Safe to share between threads."""

    def __init__(self, database: Database, extents: Extents) -> None:
        self._database = database
        self._extents = extents
        self._postings = lru_cache(maxsize=REMEMBERED)(self._read_postings)

    def search(
        self, words: Sequence[str], version: int, count: int, filters: Filters
    ) -> list[tuple[str, float]]:
        """(passage id, BM25 score), best first, equal scores by id; only passages with at least
        one of the words. The scores are those of an unfiltered search."""
        extent = self._extents.of(version)
        if not extent.passages:
            return []
        scores = np.zeros(len(extent.live), np.float32)
        for term in terms_of(words):
            rows, gains = self._postings(extent, term)
            scores[rows] += gains
        if not filters.empty:
            scores *= self._extents.passing(version, filters)
        best = _best(scores, count)
        ids = self._ids(best)
        hits = [(ids[row], float(scores[row])) for row in best.tolist() if row in ids]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:count]

    def _read_postings(self, extent: Extent, term: str) -> tuple[Rows, Float32]:
        """Rows of this version that hold the term, and what it adds to the score of each."""
        with self._database.reading() as connection:
            rows, times = self._database.text.holding(connection, term)
        here = np.searchsorted(rows, len(extent.live))  # the rest was written after this version
        rows, times = rows[:here], times[:here]
        rows, times = rows[extent.live[rows]], times[extent.live[rows]]
        idf = np.log1p((extent.passages - len(rows) + 0.5) / (len(rows) + 0.5))
        length = extent.words[rows] / extent.mean_words
        gains = idf * times * (K1 + 1) / (times + K1 * (1 - B + B * length))
        return rows, gains.astype(np.float32)

    def _ids(self, best: Rows) -> dict[int, str]:
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            for batch in batches(best.tolist()):
                for row, i in connection.execute(_IDS, {"these": batch}).all():
                    found[row] = i
        return found


def _best(scores: Float32, count: int) -> Rows:
    """The rows of the `count` highest scores above 0, and all that equal the last of them."""
    least = np.partition(scores, -count)[-count] if len(scores) > count else 0
    return np.flatnonzero((scores >= least) & (scores > 0)).astype(np.int32)
