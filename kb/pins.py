"""Corpus versions that questions read: a sweep leaves them, whichever process it runs in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kb.database import Database

PIN_LOCKS = 7_301_004  # the first of the two numbers of PostgreSQL's advisory locks; see kb.layout


class Pins:
    """Safe to share between threads. On a catalog that a server keeps, a pin is a shared lock of
    one session of this process: other processes see it, and it goes when the process dies."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._held: Counter[int] = Counter()
        self._session: Connection | None = None
        self._open = ExitStack()

    @contextmanager
    def one(self, version: int) -> Iterator[None]:
        """Raises StoreUnavailable."""
        with self._lock:
            if self._database.served and not self._held[version]:
                self._share(version)
            self._held[version] += 1
        try:
            yield
        finally:
            with self._lock:
                self._held[version] -= 1
                self._held += Counter()  # drops what is at 0
                if self._database.served:
                    self._let_go(version)

    def oldest(self, connection: Connection, among: Sequence[int]) -> int | None:
        """The oldest of these versions that is read, here or in another process. connection: of
        the transaction that would remove them; none of them can be pinned before it ends."""
        with self._lock:
            read = set(self._held)
        if self._database.served:
            query = text("SELECT pg_try_advisory_xact_lock(:locks, :version)")
            read |= {
                one
                for one in among
                if not connection.scalar(query, {"locks": PIN_LOCKS, "version": one})
            }
        return min(read & set(among), default=None)

    def _share(self, version: int) -> None:
        with self._database.translated():
            try:
                self._lock_shared([version])
            except DBAPIError:  # the server was started anew, and every lock is lost with it
                self._forget_session()
                self._lock_shared([*self._held, version])

    def _lock_shared(self, versions: Sequence[int]) -> None:
        if self._session is None:
            self._session = self._open.enter_context(self._database.reading())
        query = text("SELECT pg_advisory_lock_shared(:locks, :version)")
        for version in versions:
            self._session.execute(query, {"locks": PIN_LOCKS, "version": version})
        self._session.commit()  # the locks are the session's; no transaction stays open meanwhile

    def _let_go(self, version: int) -> None:
        if self._session is None or self._held[version]:
            return
        query = text("SELECT pg_advisory_unlock_shared(:locks, :version)")
        try:
            self._session.execute(query, {"locks": PIN_LOCKS, "version": version})
            self._session.commit()
            if not self._held:
                self._open.close()
                self._session = None
        except DBAPIError:  # the session is lost, and its locks with it
            self._forget_session()

    def _forget_session(self) -> None:
        if self._session is not None:
            self._session.invalidate()
        self._open.close()
        self._session = None
