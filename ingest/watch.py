"""Folders whose changes lead to an ingest, once nothing is being written any more."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from watchfiles import Change
from watchfiles import watch as notified

from ingest.steady import Stamp, stamp
from kb.errors import WeighbridgeError

log = logging.getLogger("weighbridge.watch")

PATIENCE = 30  # settle times: what is written without end must not keep all else out
AGAIN_SECONDS = 30.0  # after an ingest that failed
TICK_MS, TOGETHER_MS = 250, 500  # between two looks; of changes that are told together
MISSING_SECONDS = 1.0


@dataclass(slots=True)
class _File:
    stamp: Stamp | None
    since: float  # when it was first seen to be so
    waiting: float  # when it was first told of


@dataclass(slots=True)
class Changes:
    """What has changed since the last ingest, and whether it is time for the next one. `now`
    counts seconds."""

    settle_seconds: float
    now: Callable[[], float] = time.monotonic
    _files: dict[Path, _File] = field(default_factory=dict)
    _again: float = float("inf")

    def note(self, paths: Iterable[Path]) -> None:
        for path in paths:
            at = self.now()
            known = self._files.get(path)
            self._files[path] = _File(stamp(path), at, known.waiting if known else at)

    def again_in(self, seconds: float) -> None:
        """Due by then, even without another change."""
        self._again = self.now() + seconds

    def due(self) -> bool:
        """True when all that changed has been left alone long enough, and also where some of it
        has kept the rest waiting too long; the latter stays noted."""
        if self._settled() or self.now() >= self._again:
            self._again = float("inf")
            return True
        return False

    def _settled(self) -> bool:
        now = self.now()
        for path, file in self._files.items():
            if (found := stamp(path)) != file.stamp:
                file.stamp, file.since = found, now
        # added, as whoever waits adds: the difference of two times rounds the other way
        settled = [p for p, f in self._files.items() if now >= f.since + self.settle_seconds]
        if not settled:
            return False
        longest = max(now - file.waiting for file in self._files.values())
        if len(settled) < len(self._files) and longest < PATIENCE * self.settle_seconds:
            return False
        for path in settled:
            del self._files[path]
        for file in self._files.values():
            file.waiting = now
        return True


def watch(
    folders: Sequence[Path],
    act: Callable[[], None],
    settle_seconds: float,
    stop: threading.Event,
    polling: bool = False,
) -> None:
    """Calls `act` at once, and after every change of what is in the folders, until `stop` is set.
    What `act` raises is logged, and leads to another call later. polling: look at all files again
    and again, where the system tells of no changes."""
    changes = Changes(settle_seconds)
    changes.note(folders)
    for told in _told(folders, stop, polling):
        changes.note(told)
        if not changes.due():
            continue
        try:
            act()
        except (WeighbridgeError, OSError) as error:
            log.error("watch: not ingested, and tried again: %s", error)
            changes.again_in(AGAIN_SECONDS)


def _told(folders: Sequence[Path], stop: threading.Event, polling: bool) -> Iterator[set[Path]]:
    """The paths that changed, and now and then none. A folder that goes and comes back, or becomes
    another one, is watched again."""
    roots = [folder.absolute() for folder in folders]
    while not stop.is_set():
        seen = _identities(roots)
        if None in seen:
            log.warning("watch: %s is not there; waiting for it", roots[seen.index(None)])
            while None in _identities(roots) and not stop.wait(MISSING_SECONDS):
                pass
            yield set(folders)
            continue
        try:
            for raw in _notified(roots, stop, polling):
                yield {Path(path) for _, path in raw}
                if _identities(roots) != seen:
                    break
        except (OSError, RuntimeError) as error:  # the system's own limits, mostly
            log.warning("watch: the system tells of no changes (%s); looking for them", error)
            polling = True
            stop.wait(MISSING_SECONDS)
        yield set(folders)


def _notified(
    roots: Sequence[Path], stop: threading.Event, polling: bool
) -> Iterator[set[tuple[Change, str]]]:
    def shown(_change: Change, path: str) -> bool:
        """As in `ingest.readers.find`: what is hidden is not looked at."""
        inside = (Path(path).relative_to(root) for root in roots if Path(path).is_relative_to(root))
        return not any(part.startswith(".") for parts in inside for part in parts.parts)

    return notified(
        *roots,
        watch_filter=shown,
        debounce=TOGETHER_MS,
        rust_timeout=TICK_MS,
        yield_on_timeout=True,
        stop_event=stop,
        force_polling=polling or None,  # None: as its own environment variable says
        ignore_permission_denied=True,
    )


def _identities(roots: Sequence[Path]) -> list[tuple[int, int] | None]:
    found: list[tuple[int, int] | None] = []
    for root in roots:
        try:
            status = root.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return found
