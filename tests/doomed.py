"""A change that ends with SIGKILL at a chosen step: what `test_faults` runs in other processes.

A step is a statement that writes to the catalog, a commit, or a call to the vector store; the kill
comes before it. The product knows nothing of this: its stores are wrapped, and the database's
events are listened to.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from stores import Index, opened_on_disk

from kb.errors import StoreUnavailable
from kb.ports import PassageStore
from kb.types import Float32

KEEP = 1
REFUSED = 3
Step = Callable[[str], None]
Change = Callable[[Index], object]


def ingesting(corpus: Path, index: Index) -> None:
    index.pipeline(keep=KEEP).run([corpus], prune=True)


def deleting(document_id: str, index: Index) -> None:
    index.upkeep(keep=KEEP).delete(document_id)


def rolling_back(number: int, index: Index) -> None:
    index.upkeep(keep=KEEP).roll_back(number)


def killed(change: Change, home: Path, before_step: int) -> None:
    """Dies before that step, counted from 0, if it comes so far."""
    left = iter(range(before_step, -1, -1))

    def step(_what: str) -> None:
        if next(left) == 0:
            _die()

    _carry_out(change, home, step)


def killed_after(change: Change, home: Path, seconds: float) -> None:
    """Dies after that time, wherever it is then."""
    timer = threading.Timer(seconds, _die)

    def step(_what: str) -> None:
        if not timer.is_alive():
            timer.start()

    _carry_out(change, home, step)
    timer.cancel()


def on_full_disk(change: Change, home: Path, largest: int) -> None:
    """No file can grow past that many bytes. Exits with REFUSED where that is said clearly."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    try:
        _carry_out(change, home, lambda _what: None)
    except StoreUnavailable:
        sys.exit(REFUSED)


def steps_of(change: Change, home: Path) -> list[str]:
    """Runs to the end; returns what the steps were."""
    seen: list[str] = []
    _carry_out(change, home, seen.append)
    return seen


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _carry_out(change: Change, home: Path, step: Step) -> None:
    with opened_on_disk(home) as index, _listening(step):
        change(replace(index, store=_Store(index.store, step)))
        step("the end")


class _Store:
    """A PassageStore that takes a step before and after each write."""

    def __init__(self, store: PassageStore, step: Step) -> None:
        self._store = store
        self._step = step

    def put(self, ids: Sequence[str], vectors: Float32) -> None:
        self._step("put")
        self._store.put(ids, vectors)
        self._step("put done")

    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        return self._store.nearest(vector, count)

    def remove(self, ids: Sequence[str]) -> None:
        self._step("remove")
        self._store.remove(ids)
        self._step("remove done")

    def ids(self) -> Iterable[str]:
        return self._store.ids()

    def having(self, ids: Sequence[str]) -> set[str]:
        return self._store.having(ids)

    def tidy(self, vectors: Callable[[], Iterable[tuple[str, Float32]]]) -> bool:
        self._step("tidy")
        return self._store.tidy(vectors)


@contextmanager
def _listening(step: Step) -> Iterator[None]:
    def statement(_1: Any, _2: Any, sql: str, _3: Any, _4: Any, _5: Any) -> None:
        if not sql.lstrip().startswith(("SELECT", "PRAGMA")):
            step(" ".join(sql.split()[:3]))

    def commit(_: Any) -> None:
        step("COMMIT")

    event.listen(Engine, "before_cursor_execute", statement)
    event.listen(Engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", statement)
        event.remove(Engine, "commit", commit)
