"""BM25 over the passages of one corpus version.

SQLite's full-text index keeps the postings; the score is worked out here. Its own bm25() counts
staged and retired passages too, so that an ingest would change the ranking that a reader of an
earlier version sees, and it takes ten times as long.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from sqlalchemy import select

from kb.database import Database
from kb.extent import Extents, Rows
from kb.rows import batches
from kb.schema import TOKENIZER, passages
from kb.types import Filters

Float64 = npt.NDArray[np.float64]

K1, B = 1.2, 0.75  # Robertson and Zaragoza 2009; also what SQLite's bm25() uses
# Terms whose postings are remembered, 12 bytes each: questions keep asking for what the corpus is
# about, and reading the places of a word that is in half of 100k passages takes 15 ms.
REMEMBERED = 512


class LexicalIndex:
    """Safe to share between threads."""

    def __init__(self, database: Database, extents: Extents) -> None:
        self._database = database
        self._extents = extents
        self._terms = Terms()
        self._postings = lru_cache(maxsize=REMEMBERED)(self._read_postings)

    def search(
        self, words: Sequence[str], version: int, count: int, filters: Filters
    ) -> list[tuple[str, float]]:
        """(passage id, BM25 score), best first, equal scores by id; only passages with at least
        one of the words. The scores are those of an unfiltered search."""
        extent = self._extents.of(version)
        if not extent.passages:
            return []
        scores = np.zeros(len(extent.words))
        for term in dict.fromkeys(term for word in words for term in self._terms.of(word)):
            rows, gains = self._postings(version, term)
            scores[rows] += gains
        if not filters.empty:
            scores *= self._extents.passing(version, filters)
        best = _best(scores, count)
        ids = self._ids(best)
        hits = [(ids[row], float(scores[row])) for row in best.tolist() if row in ids]
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:count]

    def _read_postings(self, version: int, term: str) -> tuple[Rows, Float64]:
        """Rows of this version that hold the term, and what it adds to the score of each."""
        extent = self._extents.of(version)
        times = np.bincount(self._places(term), minlength=len(extent.words))[: len(extent.words)]
        rows = np.flatnonzero(times * extent.live)
        idf = np.log1p((extent.passages - len(rows) + 0.5) / (len(rows) + 0.5))
        length = extent.words[rows] / (float(extent.words[extent.live].mean()) or 1.0)
        gains = idf * times[rows] * (K1 + 1) / (times[rows] + K1 * (1 - B + B * length))
        return rows, gains

    def _places(self, term: str) -> Rows:
        """The row of each occurrence, in all versions."""
        # one string for all of them is twice as fast to fetch as a tuple for each
        query = "SELECT group_concat(doc) FROM passages_terms WHERE term = ?"
        with self._database.reading() as connection:
            found = connection.exec_driver_sql(query, (term,)).scalar()
        return np.fromstring(found or "", np.int64, sep=",")

    def _ids(self, best: Rows) -> dict[int, str]:
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            for batch in batches(best.tolist()):
                query = select(passages.c.row, passages.c.id).where(passages.c.row.in_(batch))
                found |= {row.row: row.id for row in connection.execute(query)}
        return found


class Terms:
    """Words as the full-text index spells them: its own tokenizer is asked, on an empty index."""

    def __init__(self) -> None:
        self._scratch = sqlite3.connect(":memory:", check_same_thread=False)
        self._lock = threading.Lock()
        for statement in (
            f"CREATE VIRTUAL TABLE scratch USING fts5(word, tokenize='{TOKENIZER}')",
            "CREATE VIRTUAL TABLE terms USING fts5vocab(scratch, instance)",
        ):
            self._scratch.execute(statement)
        self.of = lru_cache(maxsize=4096)(self._spell)

    def _spell(self, word: str) -> tuple[str, ...]:
        """None for a string without a letter or digit, several for one with a dash inside."""
        storable = word.encode("utf-8", "replace").decode()  # a lone surrogate is no UTF-8
        with self._lock:
            self._scratch.execute("DELETE FROM scratch")
            self._scratch.execute("INSERT INTO scratch VALUES (?)", (storable,))
            return tuple(t for (t,) in self._scratch.execute("SELECT term FROM terms"))


def _best(scores: Float64, count: int) -> Rows:
    """The rows of the `count` highest scores above 0, and all that equal the last of them."""
    rows = np.flatnonzero(scores)
    if len(rows) > count:
        least = np.partition(scores[rows], -count)[-count]
        rows = rows[scores[rows] >= least]
    return rows
