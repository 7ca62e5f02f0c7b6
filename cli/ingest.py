"""`kb ingest`: files and folders into the index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.ingesting import Wanted, carried_out
from cli.interrupts import INTERRUPTED, Interrupted, stopping
from cli.local import check_rebuild
from cli.reported import exit_status, show, wire
from cli.screen import note, say_json
from ingest.formats import FORMATS
from kb.errors import InputError, StoreInUse
from kb.ownership import owner_url
from kb.settings import Settings, load_settings

if TYPE_CHECKING:
    from ingest.pipeline import Report


def ingest(
    paths: Annotated[list[Path], typer.Argument(help=f"Files and folders: {', '.join(FORMATS)}.")],
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove documents that are not among PATHS.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; change nothing.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Delete the index first: after a change of encoder.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before --rebuild deletes.")] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="Processes that read and embed: for many documents.")
    ] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Read, split, embed and index documents; what is unchanged is left alone. Ctrl-C ends it with
    nothing changed.

    Exit status: 0, or 1 when files were left out, or 2 when there was nothing to use."""
    settings = load_settings()
    if rebuild:
        _check_rebuild(settings, paths, dry_run, yes)
    report = _carried_out(settings, Wanted(tuple(paths), prune, dry_run, rebuild, workers=workers))
    if as_json:
        say_json(wire(report))
    else:
        show(report, dry_run)
    if prune and report.failed:
        note("nothing was removed: a file that can't be read may be one that is to stay")
    if status := exit_status(report):
        raise typer.Exit(status)


def _carried_out(settings: Settings, wanted: Wanted) -> Report:
    with stopping() as stop:
        try:
            return carried_out(settings, wanted, stop)
        except Interrupted as interrupted:
            note(f"cancelled: {interrupted}")
            raise typer.Exit(INTERRUPTED) from interrupted


def _check_rebuild(settings: Settings, paths: Sequence[Path], dry_run: bool, yes: bool) -> None:
    """Nothing is deleted under a server, nothing for paths that hold nothing, and nothing without
    a yes."""
    from ingest.readers import find  # trafilatura: only where files are read

    if (url := owner_url(settings.index)) is not None:
        raise StoreInUse(
            f"the server at {url} owns this index, and can't be served a new one: "
            "stop it, run this command again, and start it"
        )
    check_rebuild(settings)
    if dry_run:
        raise InputError("--rebuild deletes the index, so there is no --dry-run of it; leave one")
    if not find(paths)[0]:
        raise InputError("nothing that can be read is under these paths; the index was left alone")
    if not yes:
        typer.confirm(f"Delete the index in {settings.index} and make it anew?", abort=True)
