"""Ctrl-C while something is under way that is to end in good order."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 130  # exit status: what shells give to a command that Ctrl-C ended


class Interrupted(Exception):
    """Ctrl-C was pressed, and what was under way has ended without changing anything."""


@contextmanager
def stopping() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C, which does nothing else; the second one is as usual."""
    stop = threading.Event()

    def ask(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
