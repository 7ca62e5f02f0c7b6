"""A circuit breaker: what keeps failing is left alone for a while, then tried by one call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

FAILURES, REST_SECONDS = 3, 10.0


class Breaker:
    """Closed until `failures` calls in a row have failed; then open for `rest_seconds`, after which
    one call is let through in each such span until one succeeds. Safe to share between threads."""

    def __init__(
        self,
        failures: int = FAILURES,
        rest_seconds: float = REST_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = failures
        self._rest = rest_seconds
        self._now = now
        self._failed = 0
        self._until = 0.0  # when the rest of an open one ends
        self._changing = threading.Lock()

    def wait_seconds(self) -> float:
        """How long this call would have to wait; 0 lets it through. Where that lets one through to
        an open breaker, it is the only one for the next span."""
        with self._changing:
            if self._failed < self._most:
                return 0.0
            left = self._until - self._now()
            if left > 0:
                return left
            self._until = self._now() + self._rest
            return 0.0

    def succeeded(self) -> None:
        with self._changing:
            self._failed = 0

    def failed(self) -> None:
        with self._changing:
            self._failed += 1
            self._until = self._now() + self._rest
