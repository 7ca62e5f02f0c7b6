"""How far an ingest is: bars in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from cli.screen import printable

LINE_SECONDS = 5.0  # between two lines


class Shows(Protocol):
    """total, passages: 0 where they aren't counted; seconds_left: None where it can't be told."""

    def __call__(
        self, what: str, done: int, total: int, passages: int, seconds_left: float | None
    ) -> None: ...


@contextmanager
def showing(console: Console) -> Iterator[Shows]:
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (
        TextColumn("{task.description:9}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[beside]}"),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars)


@dataclass
class _Bars:
    bars: Progress
    known: dict[str, TaskID] = field(default_factory=dict)

    def __call__(
        self, what: str, done: int, total: int, passages: int, seconds_left: float | None
    ) -> None:
        if what not in self.known:
            self.known[what] = self.bars.add_task(what, total=None, beside="")
        beside = ", ".join(_beside(passages, seconds_left))
        self.bars.update(
            self.known[what], completed=done, total=total or None, beside=printable(beside)
        )


@dataclass
class Lines:
    """Each kind's first and last count, and one every few seconds in between."""

    console: Console
    now: Callable[[], float] = time.monotonic
    _last: tuple[str, float] | None = None

    def __call__(
        self, what: str, done: int, total: int, passages: int, seconds_left: float | None
    ) -> None:
        now = self.now()
        fresh = self._last is None or self._last[0] != what
        early = self._last is not None and now - self._last[1] < LINE_SECONDS
        if not fresh and early and (done < total or not total):
            return
        self._last = what, now
        counted = f"{what} {done:,} of {total:,} documents" if total else what
        self.console.print(", ".join([counted, *_beside(passages, seconds_left)]))


def _beside(passages: int, seconds_left: float | None) -> Iterator[str]:
    if passages:
        yield f"{passages:,} passages"
    if seconds_left is not None:
        yield f"{timedelta(seconds=round(seconds_left))} left"
