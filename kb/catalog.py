"""The truth: revisions, passages and corpus versions.

Rows are staged unseen; one transaction makes a set of revisions the next corpus version. A reader
names the version it reads, so nothing that happens meanwhile reaches it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sqlalchemy import and_, exists, insert, select

from kb import full_text_faults, history, removal, rows
from kb.database import Database
from kb.errors import DocumentNotFound, IndexMismatch, RevisionNotFound
from kb.history import Change, Made, Pair, Version
from kb.makes import Makes
from kb.pins import Pins
from kb.removal import Erased, Stored
from kb.schema import makings, memberships, passages, revisions
from kb.types import Document, Encoding, IndexIdentity, Passage, Source


@dataclass(frozen=True, slots=True)
class Listed:
    """A document as a corpus version holds it."""

    source: Source
    passages: int
    characters: int


class Catalog:
    """Safe to share between threads; one process writes at a time."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        self._pins = Pins(database)

    # -- identity --------------------------------------------------------------------------------

    def identity(self) -> IndexIdentity | None:
        """What the index was made with; None while it is empty."""
        return Makes(self._database).serving()

    def claim(self, wanted: IndexIdentity) -> None:
        """Writes the identity of an empty index; raises IndexMismatch on another one's."""
        found = Makes(self._database).claimed(wanted)
        if found != wanted:
            raise IndexMismatch(
                f"the index was made with {found.embedder} ({found.weights_sha256[:12]}, "
                f"{found.dimension} dimensions, splitter {found.splitter}); this start uses "
                f"{wanted.embedder} ({wanted.weights_sha256[:12]}, {wanted.dimension} dimensions, "
                f"splitter {wanted.splitter}). Use what it was made with, or: kb migrate"
            )

    # -- versions --------------------------------------------------------------------------------

    def current_version(self) -> int:
        """0 while nothing was ingested."""
        with self._database.reading() as connection:
            return history.newest(connection)

    def require_version(self, number: int) -> None:
        """Raises VersionNotFound."""
        with self._database.reading() as connection:
            history.require(connection, number)

    @contextmanager
    def pinned(self, version: int) -> Iterator[None]:
        """It is kept for as long as the block lasts. Raises VersionNotFound."""
        with self._pins.one(version):
            self.require_version(version)
            yield

    def versions(self) -> list[Version]:
        """Those that are kept, oldest first."""
        with self._database.reading() as connection:
            return history.listed(connection)

    def changes(self, before: int, after: int) -> list[Change]:
        """What differs between two kept versions. Raises VersionNotFound."""
        with self._database.reading() as connection:
            for number in (before, after):
                history.require(connection, number)
            return history.changes(*(history.contents(connection, v) for v in (before, after)))

    def flip(self, add: Sequence[Pair], remove: Sequence[str] = ()) -> int:
        """Makes staged revisions current, in one transaction; returns the new version's number.

        add: (document id, revision) pairs, replacing what those documents had. remove: ids.
        Raises RevisionNotFound, and changes nothing, when one of the pairs was not staged.
        """
        with self._database.writing() as connection:
            make = history.serving(connection)
            made = [(document, revision, make) for document, revision in add]
            return history.turn(connection, made, remove, self._now())

    def restore(self, number: int) -> int:
        """A new version with what that one holds; returns its number, or the current one's where
        that holds the same. Raises VersionNotFound."""
        with self._database.writing() as connection:
            history.require(connection, number)
            current = history.newest(connection)
            here, there = (history.made(connection, v) for v in (current, number))
            add = sorted(set(there) - set(here))
            remove = sorted({one[0] for one in here} - {one[0] for one in there})
            if not add and not remove:
                return current
            return history.turn(connection, add, remove, self._now())

    # -- documents -------------------------------------------------------------------------------

    def documents(self, version: int) -> list[Listed]:
        query = (
            select(*rows.source_columns(), revisions.c.characters, makings.c.words)
            .select_from(rows.members())
            .where(rows.live(version))
        )
        with self._database.reading() as connection:
            listed = [
                Listed(rows.source(row), len(np.frombuffer(row.words, np.int32)), row.characters)
                for row in connection.execute(query)
            ]
        # not by the database, whose order may be that of a language
        return sorted(listed, key=lambda one: one.source.document_id)

    def live_revisions(self, version: int) -> dict[str, str]:
        """Document id to its revision."""
        with self._database.reading() as connection:
            return history.contents(connection, version)

    def origins(self, version: int) -> dict[str, tuple[str, str | None]]:
        """By document id its uri, and the file that it was read from, where that is known."""
        query = rows.origins(version)
        with self._database.reading() as connection:
            return {name: (uri, origin) for name, uri, origin in connection.execute(query)}

    def revisions_of(self, document_id: str) -> list[tuple[str, int, int | None]]:
        """(revision, since version, until version or None), oldest first.
        Raises DocumentNotFound."""
        query = (
            select(memberships.c.revision, memberships.c.since, memberships.c.until)
            .where(memberships.c.document_id == document_id)
            .order_by(memberships.c.since)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        if not found:
            raise DocumentNotFound(f"no document {document_id!r}; GET /v1/documents lists them")
        merged: list[tuple[str, int, int | None]] = []
        for revision, since, until in found:
            if merged and merged[-1][::2] == (revision, since):  # only its passages were made anew
                since = merged.pop()[1]
            merged.append((revision, since, until))
        return merged

    def known(self, document_id: str) -> None:
        """Raises DocumentNotFound where nothing of it is stored, in no version."""
        query = select(exists().where(revisions.c.document_id == document_id))
        with self._database.reading() as connection:
            if not connection.scalar(query):
                raise DocumentNotFound(f"no document {document_id!r}; GET /v1/documents lists them")

    def document(self, document_id: str, revision: str) -> Document:
        """The stored text of one revision, current or not. Raises RevisionNotFound."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(revisions).where(
                    revisions.c.document_id == document_id, revisions.c.revision == revision
                )
            ).one_or_none()
        if row is None:
            raise RevisionNotFound(
                f"no revision {revision!r} of {document_id!r}; "
                f"GET /v1/documents/{document_id} lists what is kept"
            )
        return rows.document(document_id, row)

    # -- staging ---------------------------------------------------------------------------------

    def staged(
        self, document_id: str, revision: str, splitter: str, make: int | None = None
    ) -> bool:
        """Whether that revision is here whole, live or not. make: None for the serving one."""
        with self._database.reading() as connection:
            which = make or history.serving(connection)
            query = select(makings.c.splitter).where(rows.making(document_id, revision, which))
            return connection.scalar(query) == splitter

    def stage(
        self,
        document: Document,
        splitter: str,
        entries: Sequence[tuple[str, Passage, Encoding]],
        make: int | None = None,
    ) -> None:
        """Writes a revision and its passages, unseen, in one transaction. entries: (passage id,
        passage, its encoding). make: None for the serving one; of another one only what the catalog
        has: raises RevisionNotFound. Writing the same again changes nothing."""
        revision = document.revision
        if self.staged(document.id, revision, splitter, make):
            return
        row = rows.revision(document, self._now())
        key = {"document_id": document.id, "revision": revision}
        with self._database.writing() as connection:
            which = make or history.serving(connection)
            first = history.last_row(connection) + 1
            this = and_(revisions.c.document_id == document.id, revisions.c.revision == revision)
            if connection.scalar(select(exists().where(this))):
                removal.strip(connection, self._database.text, document.id, revision, which)
            elif make is None:
                connection.execute(insert(revisions).values(key | row))
            else:
                raise RevisionNotFound(f"{document.id!r} was deleted meanwhile")
            making = {"make": which, "splitter": splitter, "first_row": first}
            words = rows.words(passage for _, passage, _ in entries).tobytes()
            connection.execute(insert(makings).values(key | making | {"words": words}))
            numbered = [
                rows.to_row(row, which, document.text, *entry)
                for row, entry in enumerate(entries, first)
            ]
            if numbered:
                connection.execute(insert(passages), numbered)
                bodies = [(first + i, passage.body) for i, (_, passage, _) in enumerate(entries)]
                self._database.text.add(connection, bodies)

    # -- what no version needs any longer --------------------------------------------------------

    def passage_ids(self) -> set[str]:
        """All stored passages, staged, live and retired."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(passages.c.id)))

    def needed_ids(self) -> set[str]:
        """The passages that some kept version holds: each has a vector."""
        query = select(passages.c.id).where(exists().where(rows.same_revision(), rows.held()))
        with self._database.reading() as connection:
            return set(connection.scalars(query))

    def retire(self, keep: int, cited: Collection[Pair] = ()) -> None:
        """Only the current version, the `keep` before it, and what is pinned or came since, can be
        read any longer."""
        with self._database.writing() as connection:
            removal.retire(connection, keep, cited, self._pins)
            removal.forget_makes(connection)

    def unneeded(self, cited: Collection[Pair] = ()) -> list[Pair]:
        """(document id, revision) of those that no version holds; staged rows that never became
        current are among them. Of those that stored answers have `cited` only what has passages:
        those are to be stripped, the others forgotten."""
        with self._database.reading() as connection:
            return removal.unneeded(connection, cited)

    def outdated(self) -> list[Made]:
        """Of passages that were made anew since, and that no version holds any longer."""
        with self._database.reading() as connection:
            return removal.outdated(connection)

    def ids_of(self, document_id: str, revision: str, make: int | None = None) -> list[str]:
        query = select(passages.c.id).where(rows.of(document_id, revision, make))
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def strip(self, document_id: str, revision: str, make: int | None = None) -> None:
        """Removes a revision's passages, of one make or of all, and leaves its text."""
        with self._database.writing() as connection:
            removal.strip(connection, self._database.text, document_id, revision, make)

    def forget(self, document_id: str, revision: str) -> None:
        """Removes a revision, its passages and its full-text rows, in one transaction."""
        with self._database.writing() as connection:
            removal.forget(connection, self._database.text, document_id, revision)

    def erase(self, document_id: str) -> Erased:
        """Removes a document from every version, kept ones too, in one transaction, which makes a
        new version. Raises DocumentNotFound."""
        with self._database.writing() as connection:
            return removal.erase(connection, self._database.text, document_id, self._now())

    def stored(self, document_id: str, row_numbers: Sequence[int]) -> Stored:
        """What there is of a document, looked up again. row_numbers: that its passages had."""
        with self._database.reading() as connection:
            return removal.stored(connection, document_id, row_numbers)

    def tidy(self) -> None:
        """Gives the room of what was removed back to the disk."""
        self._database.tidy()

    # -- its own health --------------------------------------------------------------------------

    def full_text_faults(self) -> list[str]:
        """What is wrong with the full-text index, in words."""
        with self._database.writing() as connection:  # SQLite's own check is a write
            return full_text_faults.faults(connection)

    def rebuild_full_text(self) -> None:
        """From the passages."""
        with self._database.writing() as connection:
            full_text_faults.rebuild(connection, self._database.text)
