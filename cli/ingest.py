"""`kb ingest`: files and folders into the index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.local import ingesting
from cli.remote import Server
from cli.screen import counting, note, notes, say, say_json
from cli.sending import SERVER_SECONDS, send
from kb.errors import InputError, StoreInUse
from kb.ownership import owner_url
from kb.settings import Settings, load_settings

if TYPE_CHECKING:
    from ingest.pipeline import Progress, Report

SOME_FAILED, NOTHING_USABLE = 1, 2


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders: .md, .txt, .html.")],
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Read, split, embed and index documents; what is unchanged is left alone.

    Exit status: 0, or 1 when files were left out, or 2 when there was nothing to use."""
    settings = load_settings()
    url = owner_url(settings.index)
    if rebuild:
        if url is not None:
            raise StoreInUse(
                f"the server at {url} owns this index, and can't be served a new one: "
                "stop it, run this command again, and start it"
            )
        _confirm_rebuild(settings, paths, dry_run, yes)
    if url is not None:
        report = _through(url, paths, prune, dry_run)
    else:
        report = _run(settings, paths, prune, dry_run, rebuild)
    if as_json:
        say_json(wire(report))
    else:
        show(report, dry_run)
    if prune and report.failed:
        note("nothing was removed: a file that can't be read may be one that is to stay")
    if status := exit_status(report):
        raise typer.Exit(status)


def exit_status(report: Report) -> int:
    plan = report.plan
    if not (plan.add or plan.replace or plan.keep):
        return NOTHING_USABLE
    return SOME_FAILED if report.failed else 0


def wire(report: Report) -> dict[str, object]:
    return {
        "version": report.version,
        **asdict(report.plan),
        "failed": [asdict(failed) for failed in report.failed],
        "passages": report.passages,
        "embedded": report.embedded,
    }


def show(report: Report, dry_run: bool) -> None:
    plan = report.plan
    for word, ids in (("add", plan.add), ("replace", plan.replace), ("remove", plan.remove)):
        for document in ids:
            say(f"{word:8}{document}")
    for failed in report.failed:
        say(f"failed  {failed.path}: {failed.message}")
    counts = f"{len(plan.add)} added, {len(plan.replace)} replaced, {len(plan.keep)} unchanged"
    counts += f", {len(plan.remove)} removed, {len(report.failed)} failed"
    if dry_run:
        say(f"would be: {counts}")
    else:
        say(f"{counts}; {report.embedded} of {report.passages} passages embedded")
        say(f"corpus version {report.version}")


def _run(
    settings: Settings, paths: Sequence[Path], prune: bool, dry_run: bool, rebuild: bool
) -> Report:
    with notes.status("opening the index") as opening, ingesting(settings, rebuild) as pipeline:
        opening.stop()
        with _shown("reading", "embedding") as progress:
            return pipeline.run(paths, prune, dry_run, progress)


def _through(url: str, paths: Sequence[Path], prune: bool, dry_run: bool) -> Report:
    """By the server that owns the index."""
    bars = _shown("sending", "reading", "embedding")
    with Server(url, SERVER_SECONDS) as server, bars as progress:
        return send(server, paths, prune, dry_run, progress)


@contextmanager
def _shown(*kinds: str) -> Iterator[Progress]:
    with counting() as bars:
        known = {what: bars.add_task(what, total=None) for what in kinds}

        def progress(what: str, done: int, total: int) -> None:
            bars.update(known[what], completed=done, total=total)

        yield progress


def _confirm_rebuild(settings: Settings, paths: Sequence[Path], dry_run: bool, yes: bool) -> None:
    """Nothing is deleted for paths that hold nothing, and nothing without a yes."""
    from ingest.readers import find  # trafilatura: only where files are read

    if dry_run:
        raise InputError("--rebuild deletes the index, so there is no --dry-run of it; leave one")
    if not find(paths)[0]:
        raise InputError("nothing that can be read is under these paths; the index was left alone")
    if not yes:
        typer.confirm(f"Delete the index in {settings.index} and make it anew?", abort=True)
