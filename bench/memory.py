"""A process's memory over time."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

SAMPLE_SECONDS = 10.0
HEAD = ("first", "last", "most", "slope, whole run", "slope, second half")


@dataclass
class Memory:
    """samples: (seconds since the start, MB), the first one before anything was asked."""

    samples: list[tuple[float, float]] = field(default_factory=list)

    def row(self) -> tuple[str, ...]:
        """Under HEAD."""
        sizes = [size for _, size in self.samples]
        half = self.samples[len(self.samples) // 2 :]
        return (
            *(f"{size:.0f} MB" for size in (sizes[0], sizes[-1], max(sizes))),
            *(f"{slope(part):+.0f} MB an hour" for part in (self.samples, half)),
        )


@contextmanager
def watched(
    size: Callable[[], float],
    every: float = SAMPLE_SECONDS,
    now: Callable[[], float] = time.monotonic,
) -> Iterator[Memory]:
    """size: MB. Looked at in a thread of its own, until the end."""
    memory, over, started = Memory(), threading.Event(), now()

    def watch() -> None:
        while True:
            memory.samples.append((now() - started, size()))
            if over.wait(every):
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield memory
    finally:
        over.set()
        watcher.join()


def slope(samples: Sequence[tuple[float, float]]) -> float:
    """MB an hour, by least squares; 0 where there is no time between the samples."""
    seconds, sizes = zip(*samples, strict=True)
    if len(set(seconds)) < 2:
        return 0.0
    return 3600 * statistics.linear_regression(seconds, sizes).slope
