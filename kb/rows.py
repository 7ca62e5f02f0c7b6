"""Parts of the catalog's queries, and its rows to the domain's types and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from sqlalchemy import BindParameter, Join, Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from kb import reading
from kb.schema import makings, memberships, passages, revisions, versions
from kb.types import (
    Document,
    Encoding,
    IndexIdentity,
    Passage,
    Source,
    StoredPassage,
    TokenVectors,
    Unit,
)

Counts = np.ndarray[tuple[int], np.dtype[np.int32]]
VOCABULARY = 65536  # token ids are uint16
_WORD = re.compile(r"\w+")
BATCH = 500  # ids in one IN (...): below every database's limit on parameters


def live(version: int) -> ColumnElement[bool]:
    return and_(
        memberships.c.since <= version,
        or_(memberships.c.until.is_(None), memberships.c.until > version),
    )


def held() -> ColumnElement[bool]:
    """Of a membership: some version that is kept has it."""
    oldest = select(func.min(versions.c.number)).scalar_subquery()
    return or_(memberships.c.until.is_(None), memberships.c.until > oldest)


# Row numbers, as literals: to bind 500 of them takes longer than to find the rows.
these: BindParameter[Sequence[int]] = bindparam("these", expanding=True, literal_execute=True)
# Passage ids. A query made once around such a parameter is twice as fast as one made each time.
named: BindParameter[Sequence[str]] = bindparam("named", expanding=True)


def of(document_id: str, revision: str, make: int | None = None) -> ColumnElement[bool]:
    """Passages of a revision; without a make those of every one."""
    these = and_(passages.c.document_id == document_id, passages.c.revision == revision)
    return these if make is None else and_(these, passages.c.make == make)


def same_revision() -> ColumnElement[bool]:
    """The passages that a membership brings into its versions."""
    return and_(same_text(), memberships.c.make == passages.c.make)


def same_text() -> ColumnElement[bool]:
    """Those, and what else was made of the same text."""
    return and_(
        memberships.c.document_id == passages.c.document_id,
        memberships.c.revision == passages.c.revision,
    )


def of_revision() -> ColumnElement[bool]:
    return and_(
        revisions.c.document_id == passages.c.document_id,
        revisions.c.revision == passages.c.revision,
    )


def same_member() -> ColumnElement[bool]:
    return and_(
        revisions.c.document_id == memberships.c.document_id,
        revisions.c.revision == memberships.c.revision,
    )


def making(document_id: str, revision: str, make: int) -> ColumnElement[bool]:
    return and_(
        makings.c.document_id == document_id,
        makings.c.revision == revision,
        makings.c.make == make,
    )


def same_making() -> ColumnElement[bool]:
    """What a membership has passages of, of whichever make."""
    return and_(
        makings.c.document_id == memberships.c.document_id,
        makings.c.revision == memberships.c.revision,
    )


def members(make: int | None = None) -> Join:
    """With what their passages were made; make: as if all were of that one."""
    which = memberships.c.make if make is None else make
    return memberships.join(revisions, same_member()).join(
        makings, and_(same_making(), makings.c.make == which)
    )


def source_columns() -> list[ColumnElement[Any]]:
    columns = revisions.c
    return [
        columns.document_id,
        columns.revision,
        columns.title,
        columns.publisher,
        columns.uri,
        columns.as_of,
    ]


def origins(version: int) -> Select[Any]:
    """Document id, uri, and the file that it was read from."""
    columns = revisions.c
    wanted = select(columns.document_id, columns.uri, columns.origin)
    return wanted.select_from(members()).where(live(version))


def revision(document: Document, now: float) -> dict[str, object]:
    """What a document's row holds beside its key."""
    return {
        "title": document.title,
        "publisher": document.publisher,
        "uri": document.uri,
        "as_of": document.as_of,
        "created_at": now,
        "characters": len(document.text),
        "origin": document.origin,
        "reading": reading.stored(document.reading),
        "text": document.text,
    }


def document(document_id: str, row: Row[Any]) -> Document:
    return Document(
        document_id,
        row.title,
        row.publisher,
        row.uri,
        row.as_of,
        row.text,
        reading.of_stored(row.reading),
        row.origin,
    )


def stored_passages() -> Select[Any]:
    """Those that are `named`, each with its row number before what `stored` takes."""
    columns = passages.c
    return (
        select(
            columns.row,
            *source_columns(),
            columns.id,
            columns.ordinal,
            columns.kind,
            columns.start,
            columns.end,
            columns.heading,
            columns.body,
            columns.span,
            columns.units,
            columns.token_ids,
            columns.token_starts,
            columns.token_vectors,
        )
        .select_from(passages)
        .join(revisions, of_revision())
        .where(columns.id.in_(named))
    )


def token_ids() -> Select[Any]:
    return select(passages.c.token_ids).join(memberships, same_revision())


# -- rows to types and back ----------------------------------------------------------------------


def source(row: Row[*tuple[Any, ...]]) -> Source:
    return Source(row.document_id, row.revision, row.title, row.publisher, row.uri, row.as_of)


def to_row(
    row: int, make: int, text: str, passage_id: str, passage: Passage, encoding: Encoding
) -> Mapping[str, object]:
    """text: of the passage's revision."""
    span = text[passage.start : passage.end]
    units = np.array(
        [(u.body_start, u.body_end, u.start, u.end) for u in passage.units], dtype=np.int32
    )
    return {
        "row": row,
        "id": passage_id,
        "document_id": passage.document_id,
        "revision": passage.revision,
        "make": make,
        "ordinal": passage.ordinal,
        "kind": passage.kind,
        "start": passage.start,
        "end": passage.end,
        "heading": passage.heading,
        "body": passage.body,
        "span": None if span == passage.body else span,
        "units": units.tobytes(),
        "pooled": encoding.pooled.tobytes(),
        "token_ids": encoding.tokens.ids.tobytes(),
        "token_starts": encoding.tokens.starts.tobytes(),
        "token_vectors": encoding.tokens.vectors.tobytes(),
    }


def stored(values: Sequence[Any]) -> StoredPassage:
    """Taken by place: a search reads 120 of these, and by name each takes twice as long."""
    document, revision, title, publisher, uri, as_of, *rest = values
    identity, ordinal, kind, start, end, heading, body, span, blob, *token_blobs = rest
    units = tuple(Unit(*unit) for unit in np.frombuffer(blob, np.int32).reshape(-1, 4).tolist())
    return StoredPassage(
        identity,
        Passage(document, revision, ordinal, kind, start, end, heading, body, units),
        Source(document, revision, title, publisher, uri, as_of),
        body if span is None else span,
        _tokens(*token_blobs),
    )


def encoding(row: Row[*tuple[Any, ...]]) -> Encoding:
    tokens = _tokens(row.token_ids, row.token_starts, row.token_vectors)
    return Encoding(np.frombuffer(row.pooled, np.float32), tokens)


def _tokens(ids: bytes, starts: bytes, vectors: bytes) -> TokenVectors:
    numbers = np.frombuffer(ids, np.uint16)
    return TokenVectors(
        numbers,
        np.frombuffer(starts, np.uint16),
        np.frombuffer(vectors, np.int8).reshape(len(numbers), -1),
    )


def no_tokens() -> Counts:
    return np.zeros(VOCABULARY, np.int32)


def fields(wanted: IndexIdentity) -> dict[str, object]:
    return {
        "embedder": wanted.embedder,
        "weights_sha256": wanted.weights_sha256,
        "dimension": wanted.dimension,
        "splitter": wanted.splitter,
    }


def identity_of(row: Row[*tuple[Any, ...]]) -> IndexIdentity:
    return IndexIdentity(row.embedder, row.weights_sha256, row.dimension, row.splitter)


def words(passages_of_one: Iterable[Passage]) -> Counts:
    """(passages,) how many words each has: about what the full-text index counts."""
    return np.array([len(_WORD.findall(passage.body)) for passage in passages_of_one], np.int32)


Item = TypeVar("Item", str, int)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    every = list(items)
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
