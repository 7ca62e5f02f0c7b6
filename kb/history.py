"""How corpus versions come about, and what each holds: statements inside the catalog's own
transactions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, and_, func, insert, or_, select, update

from kb import rows
from kb.errors import RevisionNotFound, VersionNotFound
from kb.rows import Counts
from kb.schema import identity, makings, memberships, passages, versions

Pair = tuple[str, str]  # document id, revision
Made = tuple[str, str, int]  # and the make of its passages (kb.makes)

FIRST_MAKE = 1  # of an index whose identity nobody has claimed yet, too


@dataclass(frozen=True, slots=True)
class Version:
    """A corpus version that is kept. created_at: seconds since the epoch."""

    number: int
    created_at: float
    documents: int
    passages: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a document has in one version and in another: its revisions, None where it is in only
    one of the two."""

    document_id: str
    before: str | None
    after: str | None


# -- reading -------------------------------------------------------------------------------------


def newest(connection: Connection) -> int:
    return connection.scalar(select(func.max(versions.c.number))) or 0


def listed(connection: Connection) -> list[Version]:
    """Oldest first."""
    holds = and_(
        memberships.c.since <= versions.c.number,
        or_(memberships.c.until.is_(None), memberships.c.until > versions.c.number),
    )
    columns = (versions.c.number, versions.c.created_at)
    query = (
        select(*columns, func.count(memberships.c.document_id), versions.c.passages)
        .select_from(versions.outerjoin(memberships, holds))
        .group_by(*columns, versions.c.passages)
        .order_by(versions.c.number)
    )
    return [Version(*row) for row in connection.execute(query)]


def require(connection: Connection, number: int) -> None:
    """Raises VersionNotFound; 0 is the empty version before the first."""
    found = connection.scalar(select(versions.c.number).where(versions.c.number == number))
    if found is None and number != 0:
        kept = ", ".join(str(one) for one in connection.scalars(select(versions.c.number)))
        raise VersionNotFound(
            f"corpus version {number} is not kept; omit corpus_version for the current one, "
            f"or name one of those that are: {kept or 'none, since nothing was ingested'}"
        )


def contents(connection: Connection, version: int) -> dict[str, str]:
    """Document id to its revision."""
    query = select(memberships.c.document_id, memberships.c.revision).where(rows.live(version))
    return {row.document_id: row.revision for row in connection.execute(query)}


def made(connection: Connection, version: int) -> list[Made]:
    columns = memberships.c
    query = select(columns.document_id, columns.revision, columns.make).where(rows.live(version))
    return [(row.document_id, row.revision, row.make) for row in connection.execute(query)]


def serving(connection: Connection) -> int:
    """The make of what is ingested."""
    return connection.scalar(select(identity.c.make).where(identity.c.serving)) or FIRST_MAKE


def changes(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    """Of two versions' contents; by document id."""
    return [
        Change(document, before.get(document), after.get(document))
        for document in sorted(before.keys() | after.keys())
        if before.get(document) != after.get(document)
    ]


# -- writing -------------------------------------------------------------------------------------


def turn(connection: Connection, add: Sequence[Made], remove: Iterable[str], now: float) -> int:
    """Makes staged revisions current, replacing what their documents had; returns the new
    version's number. Raises RevisionNotFound when one of them was not staged."""
    _require_staged(connection, add)
    old = newest(connection)
    gone = [*remove, *(document for document, _, _ in add)]
    count, df = _shifted(connection, old, gone, add)
    for batch in rows.batches(gone):
        connection.execute(
            update(memberships)
            .where(memberships.c.document_id.in_(batch), memberships.c.until.is_(None))
            .values(until=old + 1)
        )
    if add:
        connection.execute(
            insert(memberships),
            [{"document_id": d, "revision": r, "make": m, "since": old + 1} for d, r, m in add],
        )
    connection.execute(
        insert(versions).values(
            number=old + 1,
            created_at=now,
            passages=count,
            rows=last_row(connection),
            token_df=df.tobytes(),
        )
    )
    return old + 1


def last_row(connection: Connection) -> int:
    """The highest row number of a passage that was ever given out, even if it is gone."""
    there = connection.scalar(select(func.max(passages.c.row))) or 0
    return max(there, connection.scalar(select(func.max(versions.c.rows))) or 0)


def withdraw(connection: Connection, document_id: str) -> None:
    """From all versions that hold it: as if it had never been there."""
    query = select(versions.c.number, versions.c.passages, versions.c.token_df)
    for version in connection.execute(query).all():
        df = np.frombuffer(version.token_df, np.int32).copy()
        gone = _count(_tokens_of(connection, version.number, [document_id]), df, -1)
        if gone:
            connection.execute(
                update(versions)
                .where(versions.c.number == version.number)
                .values(passages=version.passages - gone, token_df=df.tobytes())
            )


def _shifted(
    connection: Connection, old: int, gone: Iterable[str], add: Sequence[Made]
) -> tuple[int, Counts]:
    """Passage count and token frequencies of the next version, from the old one's."""
    before = connection.execute(
        select(versions.c.passages, versions.c.token_df).where(versions.c.number == old)
    ).one_or_none()
    count = before.passages if before else 0
    df = np.frombuffer(before.token_df, np.int32).copy() if before else rows.no_tokens()
    count -= _count(_tokens_of(connection, old, gone), df, -1)
    for one in add:
        query = select(passages.c.token_ids).where(rows.of(*one))
        count += _count(connection.scalars(query), df, +1)
    return count, df


def _tokens_of(connection: Connection, version: int, documents: Iterable[str]) -> Iterator[bytes]:
    for batch in rows.batches(documents):
        query = rows.token_ids().where(rows.live(version), memberships.c.document_id.in_(batch))
        yield from connection.scalars(query)


def _count(token_ids: Iterable[bytes], df: Counts, by: int) -> int:
    """Adds each passage's tokens to `df`; returns how many passages there were."""
    count = 0
    for one in token_ids:
        df[np.unique(np.frombuffer(one, np.uint16))] += by
        count += 1
    return count


def _require_staged(connection: Connection, wanted: Sequence[Made]) -> None:
    staged: set[Made] = set()
    columns = makings.c
    query = select(columns.document_id, columns.revision, columns.make)
    for batch in rows.batches(document for document, _, _ in wanted):
        found = connection.execute(query.where(columns.document_id.in_(batch)))
        staged |= {(row.document_id, row.revision, row.make) for row in found}
    if lacking := sorted(set(wanted) - staged):
        document, revision, _ = lacking[0]
        raise RevisionNotFound(f"revision {revision!r} of {document!r} was not staged; ingest it")
