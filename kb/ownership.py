"""One owning process for an index, because two on one path lose acknowledged rows; and in it one
writer at a time."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kb.database import Database
from kb.errors import StoreInUse, StoreUnavailable

LOCK_FILE = "owner.json"
# `owner_url` of another process has the lock for a moment while it looks.
PATIENCE_SECONDS, STEP_SECONDS = 0.3, 0.02


@contextmanager
def owned(index: Path, url: str | None = None) -> Iterator[None]:
    """Holds the index for this process. url: where its owner serves it, for others to go through.
    The kernel lets go of the lock when the process dies. Raises StoreInUse, StoreUnavailable."""
    with _opened(index) as file:
        _lock(file, index)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": url}))
        file.flush()
        yield
        file.truncate(0)


def owner_url(index: Path) -> str | None:
    """Where the process that owns the index serves it; None where nobody does."""
    try:
        with (index / LOCK_FILE).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found = json.loads(file.read() or "{}").get("url")
                return str(found) if found else None
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None
    return None


class Turn:
    """Whose turn it is to change the corpus. Safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, wait_seconds: float | None = None) -> Iterator[None]:
        """Held for a whole change. wait_seconds: for the ones before it, here and in other
        processes; None: as long as it takes. Raises StoreInUse."""
        began = time.monotonic()
        if not self._lock.acquire(timeout=-1 if wait_seconds is None else wait_seconds):
            raise StoreInUse(
                "an ingest is changing the corpus: try again when its job has ended, or cancel it"
            )
        try:
            left = None
            if wait_seconds is not None:
                left = max(0.0, wait_seconds - (time.monotonic() - began))
            with self._database.ingesting(left):
                yield
        finally:
            self._lock.release()


def _opened(index: Path) -> IO[str]:
    try:
        index.mkdir(parents=True, exist_ok=True)
        return (index / LOCK_FILE).open("a+")
    except OSError as error:
        raise StoreUnavailable(
            f"{index} can't be used ({error.strerror}); check its permissions, or set KB_HOME"
        ) from error


def _lock(file: IO[str], index: Path) -> None:
    last = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() > last:
                where = owner_url(index) or "another command"
                raise StoreInUse(
                    f"{index} is in use by {where}; go through that server, or end it first"
                ) from error
        time.sleep(STEP_SECONDS)
