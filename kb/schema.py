"""The catalog's tables. Text offsets are code points; numbers of versions count from 1."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    event,
)
from sqlalchemy.dialects import sqlite

LAYOUT = 4  # of these tables; a change to them needs a new one, and kb/migrations the way to it

metadata = MetaData()

identity = Table(
    "identity",
    metadata,
    # A make is one way of making passages. One is serving; a higher one is being built beside it,
    # a lower one is what some kept version still has passages of.
    Column("make", Integer, primary_key=True, autoincrement=False),
    Column("serving", Boolean, nullable=False),
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
    # The highest of the passages' row numbers that had been given out by then: none is given out
    # twice, or what is remembered of an earlier version could point at another document's passage.
    Column("rows", Integer, nullable=False),
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
    Column("created_at", Float, nullable=False),
    Column("characters", Integer, nullable=False),
    Column("origin", Text),  # the file that it was read from; NULL where it was sent
    Column("reading", Text),  # JSON: what of the file is not in the text; NULL: nothing is known
    Column("text", Text, nullable=False),  # last: a query for the rest doesn't read past it
)

# Revisions that have passages; of others only the text is kept, because a stored answer quotes it.
makings = Table(
    "makings",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("revision", String, primary_key=True),
    Column("make", Integer, primary_key=True, autoincrement=False),
    Column("splitter", String, nullable=False),
    Column("first_row", Integer, nullable=False),  # its passages' rows follow each other from here
    Column("words", LargeBinary, nullable=False),  # (passages,) int32: words in each, for BM25
    ForeignKeyConstraint(
        ["document_id", "revision"], ["revisions.document_id", "revisions.revision"]
    ),
)

# A revision is part of every version v with since <= v < until (until NULL: still is).
memberships = Table(
    "memberships",
    metadata,
    Column("document_id", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("make", Integer, nullable=False),
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
    Column("make", Integer, nullable=False),
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

# Every answer that was given, for as long as conversations are kept.
answers = Table(
    "answers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("conversation_id", String(200), nullable=False),
    Column("turn", Integer, nullable=False),  # counts from 1 within its conversation
    Column("asked_at", Float, nullable=False),  # seconds since the epoch
    Column("question", Text, nullable=False),
    Column("standalone_question", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("corpus_version", Integer, nullable=False),
    Column("body", Text, nullable=False),  # the whole answer, as JSON
    Index("answers_by_conversation", "conversation_id", "turn"),
    Index("answers_by_time", "asked_at"),
)

# What an answer quotes. No foreign key to the revision: that a document can be deleted, and its
# quotes with it, must not depend on the order in which that happens.
answer_citations = Table(
    "answer_citations",
    metadata,
    Column("answer_id", String(64), ForeignKey("answers.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # counts from 0
    Column("marker", Integer),  # NULL: of a passage that a refusal shows as nearest
    Column("document_id", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("quote", Text, nullable=False),
    Index("answer_citations_by_document", "document_id", "revision"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("answer_id", String(64), ForeignKey("answers.id"), primary_key=True),
    Column("rating", String(4), nullable=False),
    Column("comment", Text),
    Column("given_at", Float, nullable=False),  # seconds since the epoch
    Index("feedback_by_time", "given_at"),
)

# Ingests, by the order in which they were asked for. JSON is as text; times are seconds since the
# epoch. A job has ended when it has an ended_at.
jobs = Table(
    "jobs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("home", String(64), nullable=False),  # the server that took it, and has what was sent
    Column("state", String(16), nullable=False),
    Column("task", Text, nullable=False),
    Column("progress", Text),
    Column("report", Text),
    Column("failure", Text),
    Column("note", Text),
    Column("attempts", Integer, nullable=False),  # how often it was begun
    Column("base_version", Integer),  # the current corpus version when it was last begun
    Column("idempotency_key", String(200), unique=True),
    Column("fingerprint", String(64)),  # of the request that came with that key
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Index("jobs_by_end", "ended_at"),
)

# Keys of the HTTP interface. None is removed: a server that has had one goes on asking for one.
access_keys = Table(
    "access_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("digest", String(64), nullable=False),  # sha256 of the key's secret, in hex
    Column("scopes", String(100), nullable=False),  # with spaces between them
    Column("created_at", Float, nullable=False),  # seconds since the epoch
    Column("expires_at", Float),
    Column("revoked_at", Float),
)

# What servers on this catalog sign with.
access_secrets = Table(
    "access_secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(100), nullable=False),
)


def configure(engine: Engine, wait_seconds: float) -> None:
    """SQLite only, for every connection: readers go on while one writer writes; others that want
    to write wait for it so long."""
    if engine.dialect.name != sqlite.dialect.name:
        return
    pragmas = (
        f"busy_timeout={round(wait_seconds * 1000)}",  # first: the next one may have to wait
        "auto_vacuum=INCREMENTAL",  # before a new database's first page; see Database.tidy
        "journal_mode=WAL",
        "secure_delete=ON",  # what is deleted is overwritten, not only unlinked
        "synchronous=NORMAL",
        "foreign_keys=ON",
    )

    @event.listens_for(engine, "connect")
    def _configure(connection, _record) -> None:  # type: ignore[no-untyped-def]  # driver's own
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
