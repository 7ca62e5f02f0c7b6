"""Many may use what one may change."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    """Safe to share between threads; a thread must not go through it twice at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._users = 0
        self._waiting = 0  # for their turn alone: who comes later lets them pass

    @contextmanager
    def using(self) -> Iterator[None]:
        """Waits only for `alone`."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting)
            self._users += 1
        try:
            yield
        finally:
            with self._changed:
                self._users -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else is inside, and whoever comes waits; readers without end don't keep it out."""
        with self._changed:
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._users == 0)
                yield
            finally:
                self._waiting -= 1
                self._changed.notify_all()
