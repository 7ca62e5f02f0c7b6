"""The catalog's tables. Text offsets are code points; numbers of versions count from 1."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Connection,
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
    inspect,
    text,
)
from sqlalchemy.dialects import sqlite

from kb.errors import IndexMismatch

LAYOUT = 2  # of these tables; change it with any change to them

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
    Column("splitter", String, nullable=False),  # what its passages were made with
    Column("created_at", Float, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("first_row", Integer, nullable=False),  # its passages' rows follow each other from here
    Column("words", LargeBinary, nullable=False),  # (passages,) int32: words in each, for BM25
    Column("text", Text, nullable=False),  # last: a query for the rest doesn't read past it
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
    Column("row", Integer, primary_key=True, autoincrement=False),  # the full-text index's too
    Column("id", String(32), nullable=False, unique=True),
    Column("document_id", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("kind", String(5), nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("heading", Text, nullable=False),
    Column("body", Text, nullable=False),
    # The revision's text[start:end]; NULL where that is the body. To cut it out of the revision's
    # text with each search would read that text, which may be megabytes, once a passage.
    Column("span", Text),
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

TOKENIZER = "porter unicode61 remove_diacritics 2"
# External content: the text lives in `passages`; only the index is kept. The second table shows
# the index itself: a row for each place (doc) where a term stands.
_FULL_TEXT_SQLITE = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS passages_text USING fts5("
    f"body, content='passages', content_rowid='row', tokenize='{TOKENIZER}')",
    "CREATE VIRTUAL TABLE IF NOT EXISTS passages_terms USING fts5vocab(passages_text, instance)",
)


def configure(engine: Engine, wait_seconds: float) -> None:
    """SQLite only, for every connection: readers go on while one writer writes; others that want
    to write wait for it so long."""
    if engine.dialect.name != sqlite.dialect.name:
        return
    pragmas = (
        f"busy_timeout={round(wait_seconds * 1000)}",  # first: the next one may have to wait
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    )

    @event.listens_for(engine, "connect")
    def _configure(connection, _record) -> None:  # type: ignore[no-untyped-def]  # driver's own
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def create(engine: Engine) -> None:
    """Makes the tables, all or none, where there are none. Raises IndexMismatch on tables of
    another layout."""
    with engine.begin() as connection:
        if inspect(connection).has_table(versions.name):
            _check_layout(connection)
            return
        # Python's driver begins a transaction only with the first row that is written
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        metadata.create_all(connection)
        for statement in (*_FULL_TEXT_SQLITE, f"PRAGMA user_version={LAYOUT}"):
            connection.execute(text(statement))


def _check_layout(connection: Connection) -> None:
    found = connection.scalar(text("PRAGMA user_version"))
    if found != LAYOUT:
        raise IndexMismatch(
            f"the catalog was made by another release (layout {found}; this one uses {LAYOUT}). "
            "Rebuild it: kb ingest --rebuild PATH"
        )
