"""The database's own full-text index over passages: which hold a term, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, text
from sqlalchemy.dialects import postgresql, sqlite

from kb.errors import SettingsInvalid
from kb.postgres_text import PostgresText
from kb.terms import TOKENIZER

Rows = npt.NDArray[np.int32]


class FullText(Protocol):
    """Works inside the caller's transaction, so that it changes with the passages or not at all."""

    def create(self, connection: Connection) -> None: ...

    def add(self, connection: Connection, bodies: Sequence[tuple[int, str]]) -> None:
        """bodies: (row number of the passage, its body)"""
        ...

    def forget(
        self, connection: Connection, document_id: str, revision: str, make: int | None
    ) -> None:
        """Before the passages themselves go. make: None for every one."""
        ...

    def holding(self, connection: Connection, term: str) -> tuple[Rows, Rows]:
        """Rows that hold the term, ascending, of all versions, and how often each does."""
        ...


class SqliteText:
    """FTS5 with external content: the text lies in `passages`, only the index is kept. A second
    table shows the index itself: a row for each place (doc) where a term stands."""

    def create(self, connection: Connection) -> None:
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE passages_text USING fts5("
            f"body, content='passages', content_rowid='row', tokenize='{TOKENIZER}')"
        )
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE passages_terms USING fts5vocab(passages_text, instance)"
        )

    def add(self, connection: Connection, bodies: Sequence[tuple[int, str]]) -> None:
        connection.execute(
            text("INSERT INTO passages_text(rowid, body) VALUES (:row, :body)"),
            [{"row": row, "body": body} for row, body in bodies],
        )

    def forget(
        self, connection: Connection, document_id: str, revision: str, make: int | None
    ) -> None:
        connection.execute(
            text(
                "INSERT INTO passages_text(passages_text, rowid, body) "
                "SELECT 'delete', \"row\", body FROM passages "
                "WHERE document_id = :document AND revision = :revision "
                "AND make = coalesce(:make, make)"
            ),
            {"document": document_id, "revision": revision, "make": make},
        )

    def holding(self, connection: Connection, term: str) -> tuple[Rows, Rows]:
        # one string for all of them is twice as fast to fetch as a tuple for each
        query = "SELECT group_concat(doc) FROM passages_terms WHERE term = ?"
        found = connection.exec_driver_sql(query, (term,)).scalar()
        # the order is SQLite's own affair, though it is this one: sorting what is sorted is cheap
        places = np.sort(np.fromstring(found or "", np.int32, sep=","), kind="stable")
        starts = np.flatnonzero(np.diff(places, prepend=-1))
        return places[starts], np.diff(starts, append=len(places)).astype(np.int32)


_BY_DIALECT: dict[str, FullText] = {
    sqlite.dialect.name: SqliteText(),
    postgresql.dialect.name: PostgresText(),
}


def full_text(dialect: str) -> FullText:
    """Raises SettingsInvalid."""
    try:
        return _BY_DIALECT[dialect]
    except KeyError:
        raise SettingsInvalid(
            f"KB_DATABASE_URL: a catalog can't be kept in {dialect}; "
            f"use {' or '.join(_BY_DIALECT)}, as in postgresql+psycopg://user:password@host/name"
        ) from None
