"""Full-text search by PostgreSQL: a tsvector a passage under a GIN index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text

from kb.terms import occurrences

# PostgreSQL refuses longer lexemes; what is longer in a text is no word that anyone asks for.
MOST_TERM_BYTES = 2046
MOST_PLACES = 256  # of one lexeme in one tsvector; BM25 has long been flat there

_CREATE = (
    'CREATE TABLE passages_text ("row" integer PRIMARY KEY REFERENCES passages ("row"), '
    "words tsvector NOT NULL)",
    "CREATE INDEX passages_by_word ON passages_text USING gin (words)",
)
_ADD = text('INSERT INTO passages_text ("row", words) VALUES (:row, CAST(:words AS tsvector))')
_FORGET = text(
    'DELETE FROM passages_text USING passages WHERE passages_text."row" = passages."row" '
    "AND passages.document_id = :document AND passages.revision = :revision "
    "AND passages.make = coalesce(CAST(:make AS integer), passages.make)"
)
# With every weight 1, the cover density of a single term is the number of places where it stands.
_HOLDING = text(
    """
    SELECT string_agg("row"::text, ',' ORDER BY "row"),
           string_agg(ts_rank_cd('{1, 1, 1, 1}', words, term)::integer::text, ',' ORDER BY "row")
    FROM passages_text, CAST(:term AS tsquery) AS term
    WHERE words @@ term
    """
)


class PostgresText:
    """Terms are spelled by `kb.terms`; PostgreSQL is given vectors that are made up already."""

    def create(self, connection: Connection) -> None:
        for statement in _CREATE:
            connection.exec_driver_sql(statement)

    def add(self, connection: Connection, bodies: Sequence[tuple[int, str]]) -> None:
        counted = occurrences([body for _, body in bodies])
        connection.execute(
            _ADD,
            [
                {"row": row, "words": _vector(terms)}
                for (row, _), terms in zip(bodies, counted, strict=True)
            ],
        )

    def forget(
        self, connection: Connection, document_id: str, revision: str, make: int | None
    ) -> None:
        which = {"document": document_id, "revision": revision, "make": make}
        connection.execute(_FORGET, which)

    def holding(
        self, connection: Connection, term: str
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        if not _fits(term):
            return np.zeros(0, np.int32), np.zeros(0, np.int32)
        rows, times = connection.execute(_HOLDING, {"term": _quoted(term)}).one()
        return _numbers(rows), _numbers(times)


def _vector(terms: Mapping[str, int]) -> str:
    """As PostgreSQL writes a tsvector. How often matters, where does not."""
    return " ".join(
        f"{_quoted(term)}:{','.join(map(str, range(1, min(times, MOST_PLACES) + 1)))}"
        for term, times in terms.items()
        if _fits(term)
    )


def _fits(term: str) -> bool:
    return len(term.encode()) <= MOST_TERM_BYTES


def _quoted(term: str) -> str:
    doubled = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def _numbers(listed: str | None) -> npt.NDArray[np.int32]:
    return np.fromstring(listed or "", np.int32, sep=",")
