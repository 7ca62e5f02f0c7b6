"""One owning process for an index: two on one path lose acknowledged rows."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import StoreInUse


@contextmanager
def owned(index: Path, url: str | None = None) -> Iterator[None]:
    """Holds the index for this process. url: where its owner serves it, for others to go through.
    The kernel lets go of the lock when the process dies. Raises StoreInUse."""
    index.mkdir(parents=True, exist_ok=True)
    with (index / "owner.json").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            where = owner_url(index) or "another command"
            raise StoreInUse(
                f"{index} is in use by {where}; go through that server, or end it first"
            ) from error
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "url": url}))
        file.flush()
        yield
        file.truncate(0)


def owner_url(index: Path) -> str | None:
    """Where the process that owns the index serves it; None where nobody does."""
    path = index / "owner.json"
    try:
        with path.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                found = json.loads(file.read() or "{}").get("url")
                return str(found) if found else None
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return None
