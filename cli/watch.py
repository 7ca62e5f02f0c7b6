"""`kb watch`: folders whose changes go into the index as they happen."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.ingesting import Wanted, carried_out
from cli.interrupts import INTERRUPTED, Interrupted, stopping
from cli.reported import counts
from cli.screen import note, say
from kb.settings import load_settings

if TYPE_CHECKING:
    from ingest.pipeline import Report

SETTLE_SECONDS = 2.0


def watch(
    folders: Annotated[list[Path], typer.Argument(help="Folders.", exists=True, file_okay=False)],
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove documents whose files have gone, too.")
    ] = False,
    settle: Annotated[
        float,
        typer.Option(min=0.1, max=600, help="Seconds that a file must have been left alone."),
    ] = SETTLE_SECONDS,
) -> None:
    """Ingest the folders, and again whenever something in them changes, until Ctrl-C. A file that
    is being written is left alone until it is whole; errors are shown, and watching goes on."""
    from ingest.watch import watch as watching  # only where files are looked at

    settings = load_settings()
    wanted = Wanted(tuple(folders), prune, settle_seconds=settle)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    with stopping() as stop:

        def ingest() -> None:
            _tell(carried_out(settings, wanted, stop))

        try:
            note(f"watching {', '.join(map(str, folders))}; Ctrl-C stops it")
            watching(folders, ingest, settle, stop)
        except Interrupted as interrupted:
            note(f"cancelled: {interrupted}")
            raise typer.Exit(INTERRUPTED) from interrupted
    note("stopped")


def _tell(report: Report) -> None:
    for failed in report.failed:
        say(f"failed  {failed.path}: {failed.message}")
    say(f"{counts(report)}; corpus version {report.version}")
