"""An ingest that a command asks for: in this process, or by the server that owns the index."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.interrupts import Interrupted
from cli.local import ingesting
from cli.progress import Shows, showing
from cli.remote import Server
from cli.screen import notes
from cli.sending import SERVER_SECONDS, Sending
from kb.errors import StoreInUse
from kb.ownership import owner_url
from kb.settings import Settings

if TYPE_CHECKING:  # trafilatura and Chroma take a second each
    from ingest.pipeline import Progress, Report

UNCHANGED = "nothing of this became current; the documents are as they were"
EMPTIED = "the index had been deleted and holds nothing yet; run the command again"


@dataclass(frozen=True, slots=True)
class Wanted:
    """settle_seconds: a file that changed since is left out. workers: processes that read, split
    and embed; 1: this one."""

    paths: tuple[Path, ...]
    prune: bool = False
    dry_run: bool = False
    rebuild: bool = False
    settle_seconds: float = 0.0
    workers: int = 1


def carried_out(settings: Settings, wanted: Wanted, stop: threading.Event) -> Report:
    """Raises Interrupted once `stop` is set, with nothing changed."""
    url = owner_url(settings.index)
    if url is None:
        return _here(settings, wanted, stop)
    if wanted.workers > 1:
        raise StoreInUse(
            f"the server at {url} owns this index and reads what it is sent by itself: stop it, or "
            "leave out --workers"
        )
    with Server(url, SERVER_SECONDS, key=settings.key) as server, showing(notes) as shows:
        sending = Sending(server, shows, stop)
        return sending.send(wanted.paths, wanted.prune, wanted.dry_run, wanted.settle_seconds)


def _here(settings: Settings, wanted: Wanted, stop: threading.Event) -> Report:
    from ingest.items import found_in
    from ingest.steady import Steady

    opening = notes.status("opening the index")
    with opening, ingesting(settings, wanted.rebuild, wanted.workers) as pipeline:
        opening.stop()
        known = replace(pipeline.known(), corpus=settings.corpus)
        found = found_in(wanted.paths, known=known)
        if wanted.settle_seconds:
            found = Steady(wanted.settle_seconds).found(found)
        with showing(notes) as shows:
            progress = paced(shows, stop, wanted.rebuild)
            return pipeline.carry_out(*found, wanted.prune, wanted.dry_run, progress)


def paced(shows: Shows, stop: threading.Event, rebuild: bool) -> Progress:
    """Raises Interrupted, out of what it is given to, once `stop` is set."""
    from ingest.pace import Pace

    pace = Pace()

    def progress(what: str, done: int, total: int) -> None:
        if stop.is_set():
            raise Interrupted(EMPTIED if rebuild else UNCHANGED)
        step = pace.step(what, done, total)
        shows(step.what, step.done, step.total, step.passages, step.seconds_left)

    return progress
