"""Questions that are being answered, so that what they read is not taken away from them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Questions:
    """Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next = 0
        self._open: set[int] = set()

    @contextmanager
    def one(self) -> Iterator[None]:
        """From before a question pins its corpus version until it is answered."""
        with self._changed:
            number = self._next
            self._next += 1
            self._open.add(number)
        try:
            yield
        finally:
            with self._changed:
                self._open.discard(number)
                self._changed.notify_all()

    def ended(self, seconds: float) -> bool:
        """Waits for those that have begun by now; whether all of them ended in that time."""
        with self._changed:
            before = self._next
            return self._changed.wait_for(
                lambda: all(number >= before for number in self._open), seconds
            )
