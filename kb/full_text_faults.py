"""Whether the full-text index holds what the passages say it should, and what makes it anew."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    ColumnClause,
    Connection,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    select,
    table,
    text,
)
from sqlalchemy import column as named
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError

from kb import rows
from kb.full_text import FullText
from kb.schema import passages

# FTS5 keeps a row here for each row that it indexed; PostgreSQL's index is a table itself.
_SQLITE, _POSTGRES = (
    table("passages_text_docsize", named("id", Integer)),
    table("passages_text", named("row", Integer)),
)
BATCH = 1000  # passages indexed at once


def rows_of(connection: Connection, numbers: Sequence[int]) -> int:
    """How many of these row numbers the index holds."""
    indexed = _indexed(connection)
    query = select(func.count()).where(indexed.in_(bindparam("these", expanding=True)))
    return sum(connection.scalar(query, {"these": batch}) or 0 for batch in rows.batches(numbers))


def faults(connection: Connection) -> list[str]:
    """What is wrong with the index, in words."""
    indexed = _indexed(connection)
    there = connection.scalar(select(func.count(indexed))) or 0
    of_all = connection.scalar(select(func.count(passages.c.row))) or 0
    known = select(func.count(passages.c.row)).where(exists().where(indexed == passages.c.row))
    both = connection.scalar(known) or 0
    found = []
    if both < of_all:
        found.append(f"{of_all - both} passages are not in the full-text index")
    if both < there:
        found.append(f"{there - both} rows of the full-text index belong to no passage")
    if not found and not _intact(connection):
        found.append("the full-text index is damaged")
    return found


def rebuild(connection: Connection, index: FullText) -> None:
    """Makes the index anew from the passages."""
    if _is_sqlite(connection):
        connection.execute(text("INSERT INTO passages_text(passages_text) VALUES ('rebuild')"))
        return
    connection.execute(delete(_POSTGRES))
    query = select(passages.c.row, passages.c.body).order_by(passages.c.row)
    for batch in connection.execute(query).partitions(BATCH):
        index.add(connection, [(row, body) for row, body in batch])


def _intact(connection: Connection) -> bool:
    if not _is_sqlite(connection):
        return True  # an ordinary table, which the server looks after
    try:
        # 1: compared with the passages, and not only in itself
        check = "INSERT INTO passages_text(passages_text, rank) VALUES ('integrity-check', 1)"
        connection.execute(text(check))
    except DatabaseError:
        return False
    return True


def _indexed(connection: Connection) -> ColumnClause[int]:
    return _SQLITE.c.id if _is_sqlite(connection) else _POSTGRES.c.row


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == sqlite.dialect.name
