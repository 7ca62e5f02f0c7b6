"""What an ingest counts, as one step with the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ingest.job import Step

EMBEDDING, PASSAGES = "embedding", "passages"


class Pace:
    """Takes what a `Progress` takes. How long a document takes to embed is told by those before it,
    so that nothing can be told while files are still being read."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._step = Step("reading", 0, 0)
        self._phase_began = now()
        self._left: tuple[float, float] | None = None  # when it was estimated, and the seconds

    def step(self, what: str, done: int, total: int) -> Step:
        if what == PASSAGES:
            known = self._step if self._step.what == EMBEDDING else Step(EMBEDDING, 0, 0)
            self._step = replace(known, passages=done)
        else:
            self._count(what, done, total)
        return replace(self._step, seconds_left=self._seconds_left())

    def _count(self, what: str, done: int, total: int) -> None:
        now = self._now()
        if what == EMBEDDING and done:
            self._left = now, (now - self._phase_began) / done * (total - done)
        if what != EMBEDDING:  # each file that is read: embedding begins after the last one
            self._phase_began = now
        self._step = Step(what, done, total, self._step.passages)

    def _seconds_left(self) -> float | None:
        if self._left is None:
            return None
        at, seconds = self._left
        return round(max(0.0, seconds - (self._now() - at)), 1)
