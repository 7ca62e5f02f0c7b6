"""The truth: revisions, passages and corpus versions.

Rows are staged unseen; one transaction makes a set of revisions the next corpus version. A reader
names the version it reads, so nothing that happens meanwhile reaches it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select, text, update

from kb import rows
from kb.database import Database
from kb.errors import DocumentNotFound, IndexMismatch, RevisionNotFound, VersionNotFound
from kb.rows import Counts
from kb.schema import identity, memberships, passages, revisions, versions
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

    # -- identity --------------------------------------------------------------------------------

    def identity(self) -> IndexIdentity | None:
        """What the index was made with; None while it is empty."""
        with self._database.reading() as connection:
            row = connection.execute(select(identity)).one_or_none()
        return IndexIdentity(*row) if row else None

    def claim(self, wanted: IndexIdentity) -> None:
        """Writes the identity of an empty index; raises IndexMismatch on another one's."""
        found = self.identity()
        if found is None:
            with self._database.writing() as connection:
                connection.execute(insert(identity).values(**rows.fields(wanted)))
        elif found != wanted:
            raise IndexMismatch(
                f"the index was made with {found.embedder} ({found.weights_sha256[:12]}, "
                f"{found.dimension} dimensions, splitter {found.splitter}); this start uses "
                f"{wanted.embedder} ({wanted.weights_sha256[:12]}, {wanted.dimension} dimensions, "
                f"splitter {wanted.splitter}). Rebuild it: kb ingest --rebuild PATH"
            )

    # -- versions --------------------------------------------------------------------------------

    def current_version(self) -> int:
        """0 while nothing was ingested."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(versions.c.number))) or 0

    def require_version(self, number: int) -> None:
        """Raises VersionNotFound."""
        with self._database.reading() as connection:
            found = connection.scalar(select(versions.c.number).where(versions.c.number == number))
        if found is None and number != 0:
            raise VersionNotFound(f"corpus version {number} is not kept; omit corpus_version")

    def flip(self, add: Sequence[tuple[str, str]], remove: Sequence[str] = ()) -> int:
        """Makes staged revisions current, in one transaction; returns the new version's number.

        add: (document id, revision) pairs, replacing what those documents had. remove: ids.
        Raises RevisionNotFound, and changes nothing, when one of the pairs was not staged.
        """
        with self._database.writing() as connection:
            _require_staged(connection, add)
            old = connection.scalar(select(func.max(versions.c.number))) or 0
            gone = [*remove, *(document for document, _ in add)]
            count, df = self._shifted(connection, old, gone, add)
            for batch in rows.batches(gone):
                connection.execute(
                    update(memberships)
                    .where(memberships.c.document_id.in_(batch), memberships.c.until.is_(None))
                    .values(until=old + 1)
                )
            if add:
                connection.execute(
                    insert(memberships),
                    [{"document_id": d, "revision": r, "since": old + 1} for d, r in add],
                )
            connection.execute(
                insert(versions).values(
                    number=old + 1, created_at=self._now(), passages=count, token_df=df.tobytes()
                )
            )
        return old + 1

    def _shifted(
        self,
        connection: Connection,
        old: int,
        gone: Sequence[str],
        add: Sequence[tuple[str, str]],
    ) -> tuple[int, Counts]:
        """Passage count and token frequencies of the next version, from the old one's."""
        before = connection.execute(
            select(versions.c.passages, versions.c.token_df).where(versions.c.number == old)
        ).one_or_none()
        count = before.passages if before else 0
        df = np.frombuffer(before.token_df, np.int32).copy() if before else rows.no_tokens()
        leaving = (
            row
            for batch in rows.batches(gone)
            for row in connection.execute(
                rows.token_ids().where(rows.live(old), memberships.c.document_id.in_(batch))
            )
        )
        for row in leaving:
            df[np.unique(np.frombuffer(row.token_ids, np.uint16))] -= 1
            count -= 1
        for document, revision in add:
            for row in connection.execute(
                select(passages.c.token_ids).where(rows.of(document, revision))
            ):
                df[np.unique(np.frombuffer(row.token_ids, np.uint16))] += 1
                count += 1
        return count, df

    # -- documents -------------------------------------------------------------------------------

    def documents(self, version: int) -> list[Listed]:
        query = (
            select(*rows.source_columns(), revisions.c.characters, revisions.c.words)
            .select_from(rows.members())
            .where(rows.live(version))
            .order_by(revisions.c.document_id)
        )
        with self._database.reading() as connection:
            return [
                Listed(rows.source(row), len(np.frombuffer(row.words, np.int32)), row.characters)
                for row in connection.execute(query)
            ]

    def live_revisions(self, version: int) -> dict[str, str]:
        """Document id to its revision."""
        query = select(memberships.c.document_id, memberships.c.revision).where(rows.live(version))
        with self._database.reading() as connection:
            return {row.document_id: row.revision for row in connection.execute(query)}

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
        return [(row.revision, row.since, row.until) for row in found]

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
        return Document(document_id, row.title, row.publisher, row.uri, row.as_of, row.text)

    # -- staging ---------------------------------------------------------------------------------

    def staged(self, document_id: str, revision: str, splitter: str) -> bool:
        """Whether that revision is here whole, live or not."""
        query = select(revisions.c.splitter).where(
            revisions.c.document_id == document_id, revisions.c.revision == revision
        )
        with self._database.reading() as connection:
            return connection.scalar(query) == splitter

    def stage(
        self,
        document: Document,
        splitter: str,
        entries: Sequence[tuple[str, Passage, Encoding]],
    ) -> None:
        """Writes a revision and its passages, unseen, in one transaction. entries: (passage id,
        passage, its encoding). Writing the same again changes nothing."""
        revision = document.revision
        if self.staged(document.id, revision, splitter):
            return
        with self._database.writing() as connection:
            first = (connection.scalar(select(func.max(passages.c.row))) or 0) + 1
            connection.execute(
                insert(revisions).values(
                    document_id=document.id,
                    revision=revision,
                    title=document.title,
                    publisher=document.publisher,
                    uri=document.uri,
                    as_of=document.as_of,
                    splitter=splitter,
                    created_at=self._now(),
                    characters=len(document.text),
                    first_row=first,
                    words=rows.words(passage for _, passage, _ in entries).tobytes(),
                    text=document.text,
                )
            )
            numbered = [
                rows.to_row(row, document.text, *entry) for row, entry in enumerate(entries, first)
            ]
            if numbered:
                connection.execute(insert(passages), numbered)
                connection.execute(
                    text("INSERT INTO passages_text(rowid, body) VALUES (:row, :body)"),
                    [{"row": one["row"], "body": one["body"]} for one in numbered],
                )

    # -- what no version needs any longer --------------------------------------------------------

    def passage_ids(self) -> set[str]:
        """All stored passages, staged, live and retired."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(passages.c.id)))

    def retire(self, keep: int) -> None:
        """Only the current version and the `keep` before it can be read any longer."""
        with self._database.writing() as connection:
            oldest = (connection.scalar(select(func.max(versions.c.number))) or 0) - keep
            connection.execute(delete(versions).where(versions.c.number < oldest))
            connection.execute(delete(memberships).where(memberships.c.until <= oldest))

    def unneeded(self) -> list[tuple[str, str]]:
        """(document id, revision) of those that no version holds; staged rows that never became
        current are among them."""
        held = select(memberships.c.document_id, memberships.c.revision)
        query = select(revisions.c.document_id, revisions.c.revision).except_(held)
        with self._database.reading() as connection:
            return [(row.document_id, row.revision) for row in connection.execute(query)]

    def ids_of(self, document_id: str, revision: str) -> list[str]:
        query = select(passages.c.id).where(rows.of(document_id, revision))
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def forget(self, document_id: str, revision: str) -> None:
        """Removes a revision, its passages and its full-text rows, in one transaction."""
        both = {"document": document_id, "revision": revision}
        with self._database.writing() as connection:
            connection.execute(
                text(
                    "INSERT INTO passages_text(passages_text, rowid, body) "
                    "SELECT 'delete', \"row\", body FROM passages "
                    "WHERE document_id = :document AND revision = :revision"
                ),
                both,
            )
            connection.execute(delete(passages).where(rows.of(document_id, revision)))
            for table in (memberships, revisions):
                connection.execute(
                    delete(table).where(
                        table.c.document_id == document_id, table.c.revision == revision
                    )
                )


def _require_staged(connection: Connection, pairs: Sequence[tuple[str, str]]) -> None:
    staged: set[tuple[str, str]] = set()
    for batch in rows.batches(document for document, _ in pairs):
        query = select(revisions.c.document_id, revisions.c.revision)
        found = connection.execute(query.where(revisions.c.document_id.in_(batch)))
        staged |= {(row.document_id, row.revision) for row in found}
    if lacking := sorted(set(pairs) - staged):
        document, revision = lacking[0]
        raise RevisionNotFound(f"revision {revision!r} of {document!r} was not staged; ingest it")
