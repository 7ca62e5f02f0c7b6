"""Files that something may be writing at this moment: half of one is worse than none."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingest.items import Found, Item
from kb.errors import FileChanging
from kb.types import Document

Stamp = tuple[int, int]  # size in bytes, time of the last change in ns


def stamp(path: Path) -> Stamp | None:
    """None where there is nothing."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Steady:
    """Lets files be read that have been left alone for `seconds`. A time of change that lies ahead
    is some clock's error, and no sign of writing."""

    seconds: float
    now: Callable[[], float] = time.time  # as file systems have it: seconds since the epoch

    def check(self, path: Path) -> Stamp | None:
        """How it is. Raises FileChanging."""
        found = stamp(path)
        if found is not None and 0 <= self.now() - found[1] / 1e9 < self.seconds:
            raise self._changing(path)
        return found

    def check_unchanged(self, path: Path, since: Stamp | None) -> None:
        """Raises FileChanging."""
        if stamp(path) != since:
            raise self._changing(path)

    def found(self, found: Found) -> Found:
        """The same files, each of which says when it is read that it is being written."""
        items, failed = found
        return [Item(item.name, partial(self._read, item)) for item in items], failed

    def _read(self, item: Item, max_bytes: int) -> Document:
        path = Path(item.name)
        before = self.check(path)
        document = item.read(max_bytes)
        self.check_unchanged(path, before)
        return document

    def _changing(self, path: Path) -> FileChanging:
        return FileChanging(
            f"{path}: is being written; it is taken in when it has been left alone for "
            f"{self.seconds:g} seconds"
        )
