"""One SQL database: its connections, and its failures as this project's errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from kb import postgres, schema
from kb.errors import SettingsInvalid, StoreInUse, StoreUnavailable
from kb.full_text import full_text
from kb.layout import bring_up

WRITE_LOCK, INGEST_LOCK = 7_301_002, 7_301_003  # PostgreSQL's advisory locks; see kb.layout

STEP_SECONDS = 0.1  # between two looks whether another process's ingest has ended


class Database:
    """Safe to share between threads. A transaction is one `with writing()` block."""

    def __init__(self, url: str, wait_seconds: float = 10.0) -> None:
        """wait_seconds: for another process that writes, and for a server to answer. Raises
        StoreUnavailable, SettingsInvalid, and IndexMismatch on a catalog of another release."""
        self._engine = _engine(url, wait_seconds)
        self._served = self._engine.dialect.name != sqlite.dialect.name
        self._driver_error = self._engine.dialect.loaded_dbapi.Error
        self.text = full_text(self._engine.dialect.name)
        with ExitStack() as undoing, self.translated():
            undoing.callback(self._engine.dispose)
            bring_up(self._engine)
            undoing.pop_all()

    @property
    def served(self) -> bool:
        """By a server, which processes elsewhere may be using too."""
        return self._served

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Commits at the block's end; an exception undoes all of it. One at a time, from the
        block's beginning: what it reads first is still so when it writes."""
        with self.translated(), self._engine.begin() as connection:
            if self._served:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})"))
            else:
                # Python's driver begins a transaction only with the first row that is written
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection

    def tidy(self) -> None:
        """Gives the room of what was deleted back to the disk. A server does that by itself."""
        if self._served:
            return
        with self.reading() as connection:
            cursor = connection.connection.cursor()
            # as a script: `execute` takes one step of a statement without columns, and a page is
            # given back with each step
            cursor.executescript("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.close()

    @contextmanager
    def ingesting(self, wait_seconds: float | None = 0.0) -> Iterator[None]:
        """Held for a whole ingest, which sweeps what others would have staged. Of the processes
        that share a catalog one can have it; the server lets go when that process dies.
        wait_seconds: for the one that has it; None: as long as it takes. Raises StoreInUse.
        SQLite's file has one owning process anyway (kb.ownership)."""
        if not self._served:
            yield
            return
        with self.translated(), self._engine.connect() as connection:
            _lock(connection, wait_seconds)
            try:
                yield
            finally:
                _unlock(connection)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """The driver's failures as this project's."""
        try:
            yield
        except (DBAPIError, NoConnectionFree, self._driver_error) as error:
            # while a connection is being set up, the driver's errors come as they are
            reason = getattr(error, "orig", None) or error
            advice = "its server" if self._served else "the disk"
            raise StoreUnavailable(
                f"the catalog failed: {reason}; check {advice} and who else uses it"
            ) from error


def _lock(connection: Connection, wait_seconds: float | None) -> None:
    """Asks again and again: a session that waits in the server for a lock would be ended by its
    lock timeout, and goes on waiting there when this process is told to end."""
    last = None if wait_seconds is None else time.monotonic() + wait_seconds
    while not connection.scalar(text(f"SELECT pg_try_advisory_lock({INGEST_LOCK})")):
        connection.commit()
        if last is not None and time.monotonic() >= last:
            raise StoreInUse(
                "another process is ingesting into this catalog; wait until it is done"
            )
        time.sleep(STEP_SECONDS)
    connection.commit()  # the lock is the session's; no transaction stays open meanwhile


def _unlock(connection: Connection) -> None:
    try:
        connection.execute(text(f"SELECT pg_advisory_unlock({INGEST_LOCK})"))
        connection.commit()
    except DBAPIError:  # the session is lost, and the lock with it
        connection.invalidate()


def _engine(url: str, wait_seconds: float) -> Engine:
    try:
        named = make_url(url)
        if named.get_backend_name() == postgresql.dialect.name:
            return postgres.engine(named, wait_seconds)
        if named.database and named.database != ":memory:":
            _make_folder(Path(named.database).parent)
        engine = create_engine(named)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise SettingsInvalid(
            f"KB_DATABASE_URL: {error}; it is like postgresql+psycopg://user:password@host/name, "
            "which needs: pip install 'weighbridge[postgres]'"
        ) from error
    schema.configure(engine, wait_seconds)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"{folder} can't be made ({error.strerror}); check its permissions, or set KB_HOME"
        ) from error
