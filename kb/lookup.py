"""Passages of one corpus version: found by words, by id, by filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from sqlalchemy import exists, select

from kb import rows
from kb.database import Database
from kb.extent import VERSIONS, Extents, Mask
from kb.history import serving
from kb.lexical import LexicalIndex
from kb.rows import VOCABULARY, Counts
from kb.schema import passages, versions
from kb.types import Encoding, Filters, Float32, StoredPassage

_STORED = rows.stored_passages()
_ROWS = select(passages.c.row, passages.c.id).where(passages.c.id.in_(rows.named))
_POOLED = select(passages.c.id, passages.c.pooled).where(passages.c.row.in_(rows.these))


@dataclass(frozen=True, slots=True)
class Frequencies:
    """passages: how many a version holds; containing: (VOCABULARY,) int32, of those, per token."""

    passages: int
    containing: Counts


class Lookup:
    """The reading side of the catalog. Every method names the version that it reads."""

    def __init__(self, database: Database, make: int | None = None) -> None:
        """make: reads every version as if its passages were of that one (kb.makes), for a look at
        an index that is being built."""
        self._database = database
        self._make = make
        self._extents = Extents(database, make)
        self._lexical = LexicalIndex(database, self._extents)
        self._frequencies = lru_cache(maxsize=VERSIONS)(self._read_frequencies)

    # -- search ----------------------------------------------------------------------------------

    def lexical(
        self, words: Sequence[str], version: int, count: int, filters: Filters
    ) -> list[tuple[str, float]]:
        """(passage id, BM25 score: higher is better), best first, over one version."""
        return self._lexical.search(words, version, count, filters)

    def among(self, ids: Sequence[str], version: int, filters: Filters) -> list[str]:
        """Those of `ids`, in their order, that this version holds and the filters let through:
        the vector store also has what is staged or retired."""
        through = self._extents.passing(version, filters)
        found: set[str] = set()
        with self._database.reading() as connection:
            for batch in rows.batches(ids):
                for row, i in connection.execute(_ROWS, {"named": batch}).all():
                    if _in(through, row):
                        found.add(i)
        return [i for i in ids if i in found]

    def load(self, ids: Sequence[str], version: int, filters: Filters) -> dict[str, StoredPassage]:
        """Those of `ids` that this version holds and the filters let through."""
        through = self._extents.passing(version, filters)
        found: dict[str, StoredPassage] = {}
        with self._database.reading() as connection:
            for batch in rows.batches(ids):
                for row, *values in connection.execute(_STORED, {"named": batch}).all():
                    if _in(through, row):
                        one = rows.stored(values)
                        found[one.id] = one
        return found

    def count(self, version: int, filters: Filters) -> int:
        """How many passages of this version the filters let through."""
        return int(self._extents.passing(version, filters).sum())

    def matching(self, version: int, filters: Filters, limit: int) -> list[tuple[str, Float32]]:
        """(passage id, pooled vector) of at most `limit` passages that the filters let through,
        by id."""
        through = np.flatnonzero(self._extents.passing(version, filters))[:limit]
        found: list[tuple[str, Float32]] = []
        with self._database.reading() as connection:
            for batch in rows.batches(through.tolist()):
                for i, pooled in connection.execute(_POOLED, {"these": batch}).all():
                    found.append((i, np.frombuffer(pooled, np.float32)))
        return sorted(found, key=lambda one: one[0])

    def frequencies(self, version: int) -> Frequencies:
        if self._make is not None:
            return self._counted(version)
        return self._frequencies(version, self._extents.standing(version))

    def _read_frequencies(self, version: int, _standing: int | None) -> Frequencies:
        with self._database.reading() as connection:
            row = connection.execute(
                select(versions.c.passages, versions.c.token_df).where(versions.c.number == version)
            ).one_or_none()
        if row is None:
            return Frequencies(0, np.zeros(VOCABULARY, np.int32))
        return Frequencies(row.passages, np.frombuffer(row.token_df, np.int32))

    def _counted(self, version: int) -> Frequencies:
        held = exists().where(rows.same_text(), rows.live(version))
        query = select(passages.c.token_ids).where(passages.c.make == self._make, held)
        df, count = rows.no_tokens(), 0
        with self._database.reading() as connection:
            for token_ids in connection.scalars(query):
                df[np.unique(np.frombuffer(token_ids, np.uint16))] += 1
                count += 1
        return Frequencies(count, df)

    def standing(self, version: int) -> int | None:
        """Another number once a document was erased from the version, by whichever process; None
        where it isn't kept."""
        return self._extents.standing(version)

    def forget_erased(self) -> None:
        """After a document was erased from versions that are remembered here."""
        self._extents.forget()
        self._frequencies.cache_clear()

    def vectors(self) -> Iterator[tuple[str, Float32]]:
        """Every passage that some kept version holds, with its pooled vector: to rebuild from. Of
        a make: every one of its passages."""
        held = exists().where(rows.same_revision(), rows.held())
        which = held if self._make is None else passages.c.make == self._make
        query = select(passages.c.id, passages.c.pooled).where(which)
        with self._database.reading() as connection:
            for row in connection.execute(query.execution_options(yield_per=1000)):
                yield row.id, np.frombuffer(row.pooled, np.float32)

    def headings(self) -> list[str]:
        """What its passages stand under, each once; of a make only."""
        query = select(passages.c.heading).where(passages.c.make == self._make).distinct()
        with self._database.reading() as connection:
            return sorted(heading for heading in connection.scalars(query) if heading)

    def encodings(self, document_id: str, revision: str) -> dict[str, Encoding]:
        """Body to its encoding, of one stored revision: what is the same needs no new forward
        pass. Empty where that revision isn't stored, or only as another make."""
        with self._database.reading() as connection:
            make = self._make or serving(connection)
            query = select(passages).where(rows.of(document_id, revision, make))
            return {row.body: rows.encoding(row) for row in connection.execute(query)}


def _in(through: Mask, row: int) -> bool:
    return row < len(through) and bool(through[row])
