"""What leaves the catalog, because no version needs it any longer or because someone deleted it:
statements inside the catalog's own transactions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, exists, func, select

from kb import history, rows
from kb.errors import DocumentNotFound
from kb.full_text import FullText
from kb.full_text_faults import rows_of
from kb.history import Made, Pair
from kb.pins import Pins
from kb.schema import identity, makings, memberships, passages, revisions, versions


@dataclass(frozen=True, slots=True)
class Stored:
    """How much of a document the catalog has, in all versions."""

    revisions: int
    passages: int
    lexical_rows: int


@dataclass(frozen=True, slots=True)
class Erased:
    """version: the one without it; held: what there was. passage_ids: whose vectors are still to
    be removed; row_numbers: of the full-text index."""

    version: int
    held: Stored
    passage_ids: tuple[str, ...]
    row_numbers: tuple[int, ...]


def retire(connection: Connection, keep: int, cited: Collection[Pair], pins: Pins) -> None:
    """Only the current version, the `keep` before it and what came since the oldest one that is
    being read can be read any longer. That a revision
    was part of an earlier one is forgotten, unless it is `cited`."""
    oldest = history.newest(connection) - keep
    before = connection.scalars(select(versions.c.number).where(versions.c.number < oldest)).all()
    if (read := pins.oldest(connection, before)) is not None:
        oldest = read
    connection.execute(delete(versions).where(versions.c.number < oldest))
    past = memberships.c.until <= oldest
    pair = (memberships.c.document_id, memberships.c.revision)
    kept = {tuple(row) for row in connection.execute(select(*pair).where(past))} & set(cited)
    if not kept:
        connection.execute(delete(memberships).where(past))
        return
    for row in connection.execute(select(*pair).where(past).distinct()).all():
        if tuple(row) not in kept:
            connection.execute(delete(memberships).where(past, _is(memberships, *row)))


def unneeded(connection: Connection, cited: Collection[Pair]) -> list[Pair]:
    """Revisions that no kept version holds; staged ones that never became current are among them.
    Of those that are `cited` only what more than their text is left of."""
    held = exists().where(rows.same_member(), rows.held())
    stripped = ~exists().where(_making_of(revisions))
    columns = revisions.c
    query = select(columns.document_id, columns.revision, stripped.label("stripped")).where(~held)
    kept = set(cited)
    return [
        (document, revision)
        for document, revision, text_only in connection.execute(query)
        if not text_only or (document, revision) not in kept
    ]


def outdated(connection: Connection) -> list[Made]:
    """Passages of kept revisions, of a make that no kept version has any more, and that is not
    being built either: neither the serving one nor a later one."""
    held = exists().where(rows.same_making(), memberships.c.make == makings.c.make, rows.held())
    building = exists().where(
        identity.c.make == makings.c.make, identity.c.make > history.serving(connection)
    )
    columns = makings.c
    query = select(columns.document_id, columns.revision, columns.make).where(~held, ~building)
    return [(row.document_id, row.revision, row.make) for row in connection.execute(query)]


def strip(
    connection: Connection,
    text: FullText,
    document_id: str,
    revision: str,
    make: int | None = None,
) -> None:
    """Removes a revision's passages, of one make or of every one, and their full-text rows, and
    leaves its text."""
    text.forget(connection, document_id, revision, make)
    connection.execute(delete(passages).where(rows.of(document_id, revision, make)))
    these = _is(makings, document_id, revision)
    if make is not None:
        these = and_(these, makings.c.make == make)
    connection.execute(delete(makings).where(these))


def forget(connection: Connection, text: FullText, document_id: str, revision: str) -> None:
    """Removes a revision with its passages, its full-text rows, and that it ever was."""
    strip(connection, text, document_id, revision)
    for table in (memberships, revisions):
        connection.execute(delete(table).where(_is(table, document_id, revision)))


def forget_makes(connection: Connection) -> None:
    """Those before the serving one of which nothing is left."""
    left = exists().where(makings.c.make == identity.c.make)
    past = identity.c.make < history.serving(connection)
    connection.execute(delete(identity).where(past, ~left))


def erase(connection: Connection, text: FullText, document_id: str, now: float) -> Erased:
    """Removes a document from every version, kept ones too, with all its revisions. Raises
    DocumentNotFound."""
    query = select(passages.c.id, passages.c.row).where(passages.c.document_id == document_id)
    found = connection.execute(query).all()
    ids, numbers = tuple(row.id for row in found), tuple(row.row for row in found)
    held = stored(connection, document_id, numbers)
    if not held.revisions:
        raise DocumentNotFound(f"no document {document_id!r}; GET /v1/documents lists them")
    version = history.turn(connection, (), [document_id], now)
    history.withdraw(connection, document_id)
    its = select(revisions.c.revision).where(revisions.c.document_id == document_id)
    for revision in connection.scalars(its).all():
        forget(connection, text, document_id, revision)
    return Erased(version, held, ids, numbers)


def stored(connection: Connection, document_id: str, row_numbers: Sequence[int]) -> Stored:
    """row_numbers: those that its passages have, or had."""
    kept = select(func.count()).where(revisions.c.document_id == document_id)
    there = select(func.count()).where(passages.c.document_id == document_id)
    return Stored(
        connection.scalar(kept) or 0,
        connection.scalar(there) or 0,
        rows_of(connection, row_numbers),
    )


def _making_of(table: Table) -> ColumnElement[bool]:
    return and_(
        makings.c.document_id == table.c.document_id, makings.c.revision == table.c.revision
    )


def _is(table: Table, document_id: str, revision: str) -> ColumnElement[bool]:
    return and_(table.c.document_id == document_id, table.c.revision == revision)
