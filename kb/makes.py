"""Ways of making passages: the one that serves, and another one that is built beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, delete, exists, func, insert, select, update

from kb import history, removal, rows
from kb.database import Database
from kb.errors import IndexMismatch, MigrationIncomplete
from kb.history import Pair, serving
from kb.schema import identity, makings, memberships, versions
from kb.types import IndexIdentity

_LAST = select(func.max(identity.c.make))


@dataclass(frozen=True, slots=True)
class Make:
    """number: what its passages are stored under."""

    number: int
    identity: IndexIdentity


class Makes:
    """What a migration changes in the catalog. Safe to share between threads and processes."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def building(self) -> Make | None:
        """The one beside the serving one."""
        with self._database.reading() as connection:
            return _building(connection)

    def serving(self) -> IndexIdentity | None:
        with self._database.reading() as connection:
            row = connection.execute(select(identity).where(identity.c.serving)).one_or_none()
        return rows.identity_of(row) if row else None

    def claimed(self, wanted: IndexIdentity) -> IndexIdentity:
        """What the index is made with: this, where it is empty. Of several servers that start on
        an empty one the first decides."""
        found = self.serving()
        if found is not None:
            return found
        with self._database.writing() as connection:
            row = connection.execute(select(identity).where(identity.c.serving)).one_or_none()
            if row is None:
                values = {"make": history.FIRST_MAKE, "serving": True} | rows.fields(wanted)
                connection.execute(insert(identity).values(values))
        return wanted if row is None else rows.identity_of(row)

    def begin(self, wanted: IndexIdentity) -> Make:
        """The make to build: a new one, or the one that was begun. One of another identity is
        abandoned. Raises IndexMismatch where the serving one's passages could not be told apart
        from the new ones."""
        with self._database.writing() as connection:
            found = _building(connection)
            if found is not None and found.identity == wanted:
                return found
            _check_distinct(connection, wanted)
            self._abandon(connection)
            number = 1 + max(serving(connection), connection.scalar(_LAST) or 0)
            values = {"make": number, "serving": False} | rows.fields(wanted)
            connection.execute(insert(identity).values(values))
            return Make(number, wanted)

    def abandon(self) -> None:
        """Forgets the one that is being built, with its passages."""
        with self._database.writing() as connection:
            self._abandon(connection)

    def lacking(self, make: Make) -> list[Pair]:
        """The current documents, and their revisions, that it has no passages of yet."""
        with self._database.reading() as connection:
            return _lacking(connection, make.number)

    def switch(self, make: Make, past: bool = True) -> int:
        """Makes it the serving one, in one transaction that is a new corpus version with the same
        documents; returns its number. past: whether earlier versions can be asked still. The caller
        has the turn. Raises MigrationIncomplete, and changes nothing, where a document became
        current that it has no passages of."""
        with self._database.writing() as connection:
            if serving(connection) == make.number:
                return history.newest(connection)
            if _building(connection) != make or _lacking(connection, make.number):
                raise MigrationIncomplete(
                    "documents have changed since the new index was built; make up for them: "
                    "kb migrate"
                )
            held = history.contents(connection, history.newest(connection))
            made = [(document, revision, make.number) for document, revision in held.items()]
            version = history.turn(connection, made, (), self._now())
            connection.execute(update(identity).values(serving=identity.c.make == make.number))
            if not past:
                connection.execute(delete(versions).where(versions.c.number < version))
            return version

    def _abandon(self, connection: Connection) -> None:
        """Its passages have no vectors before the switch; a kill right before that leaves some,
        which the next start finds to be orphans."""
        beside = makings.c.make > serving(connection)
        columns = (makings.c.document_id, makings.c.revision, makings.c.make)
        for one in connection.execute(select(*columns).where(beside)).all():
            removal.strip(connection, self._database.text, *one)
        connection.execute(delete(identity).where(identity.c.make > serving(connection)))


def _check_distinct(connection: Connection, wanted: IndexIdentity) -> None:
    row = connection.execute(select(identity).where(identity.c.serving)).one_or_none()
    if row and (row.embedder, row.splitter) == (wanted.embedder, wanted.splitter):
        raise IndexMismatch(
            f"the index and this release both name {wanted.embedder} and {wanted.splitter}, and "
            "mean other weights by it: make a new index of your files, kb ingest --rebuild PATH"
        )


def _building(connection: Connection) -> Make | None:
    query = select(identity).where(identity.c.make > serving(connection))
    row = connection.execute(query).one_or_none()
    return None if row is None else Make(row.make, rows.identity_of(row))


def _lacking(connection: Connection, number: int) -> list[Pair]:
    made = exists().where(and_(rows.same_making(), makings.c.make == number))
    query = select(memberships.c.document_id, memberships.c.revision)
    current = rows.live(history.newest(connection))
    found = connection.execute(query.where(current, ~made))
    return sorted((row.document_id, row.revision) for row in found)
