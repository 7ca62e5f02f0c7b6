"""The catalog's tables. Text offsets are code points; numbers of versions count from 1."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Engine,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.dialects import sqlite

metadata = MetaData()

identity = Table(
    "identity",
    metadata,
    Column("embedder", String, nullable=False),
    Column("weights_sha256", String, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("splitter", String, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("created_at", Float, nullable=False),  # seconds since the epoch
    Column("passages", Integer, nullable=False),
    # (vocabulary,) int32: in how many of this version's passages each token occurs; for IDF
    Column("token_df", LargeBinary, nullable=False),
)

revisions = Table(
    "revisions",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("revision", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("publisher", Text),
    Column("uri", Text, nullable=False),
    Column("as_of", String),
    Column("text", Text, nullable=False),
    Column("splitter", String, nullable=False),  # what its passages were made with
    Column("created_at", Float, nullable=False),
)

# A revision is part of every version v with since <= v < until (until NULL: still is).
memberships = Table(
    "memberships",
    metadata,
    Column("document_id", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("since", Integer, nullable=False),
    Column("until", Integer),
    ForeignKeyConstraint(
        ["document_id", "revision"], ["revisions.document_id", "revisions.revision"]
    ),
    Index("memberships_by_document", "document_id", "revision", "since"),
)

passages = Table(
    "passages",
    metadata,
    Column("row", Integer, primary_key=True),  # the full-text index refers to this
    Column("id", String(32), nullable=False, unique=True),
    Column("document_id", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", String(5), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("heading", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("units", LargeBinary, nullable=False),  # (units, 4) int32: Unit's fields
    Column("pooled", LargeBinary, nullable=False),  # (dimension,) float32
    Column("token_ids", LargeBinary, nullable=False),  # (tokens,) uint16
    Column("token_starts", LargeBinary, nullable=False),  # (tokens,) uint16
    Column("token_vectors", LargeBinary, nullable=False),  # (tokens, 64) int8
    ForeignKeyConstraint(
        ["document_id", "revision"], ["revisions.document_id", "revisions.revision"]
    ),
    Index("passages_by_revision", "document_id", "revision"),
)

# External content: the text lives in `passages`; only the index is kept.
_FULL_TEXT_SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS passages_text USING fts5("
    "body, content='passages', content_rowid='row', "
    "tokenize='porter unicode61 remove_diacritics 2')"
)


def use_write_ahead_log(engine: Engine) -> None:
    """SQLite only: readers go on while one writer writes; writers wait up to ten seconds."""
    if engine.dialect.name != sqlite.dialect.name:
        return

    @event.listens_for(engine, "connect")
    def _configure(connection, _record) -> None:  # type: ignore[no-untyped-def]  # driver's own
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def create(engine: Engine) -> None:
    """Makes what is missing; what exists stays as it is."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text(_FULL_TEXT_SQLITE))
