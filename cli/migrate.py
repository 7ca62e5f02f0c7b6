"""`kb migrate`: another embedder or splitter, without a moment in which nothing is answered."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.comparing import Asked, finds_as_much
from cli.ingesting import paced
from cli.interrupts import INTERRUPTED, Interrupted, stopping
from cli.local import searching
from cli.progress import showing
from cli.remote import Server
from cli.screen import note, notes, say
from cli.sending import SERVER_SECONDS, Sending
from kb.errors import IndexMismatch, MigrationIncomplete
from kb.ownership import owner_url
from kb.settings import Settings, load_settings

if TYPE_CHECKING:  # trafilatura, onnxruntime and Chroma take a second each
    from ingest.migration import Built, Migration
    from kb.database import Database

TRIES = 3  # documents may change while those that changed before are made up for

Questions = Annotated[
    Path | None, typer.Option(help="Question file, one JSON object a line: compare recall on it.")
]
Scorer = Annotated[
    Path | None,
    typer.Option(help="The scorer that came with the questions: a Python file, which is run."),
]


def migrate(
    questions: Questions = None,
    scorer: Scorer = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Build and compare; don't switch.")
    ] = False,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Switch though the new index finds less.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Forget what an earlier run built.")
    ] = False,
) -> None:
    """Make the index anew for this release's embedder and splitter, beside the one that is serving;
    compare the two, and switch in one step. Documents are taken from the catalog. Ctrl-C ends it,
    and the next run goes on from there.

    Exit status: 0, or 1 when the new index finds less and was left where it is."""
    from kb.database import Database

    asked = Asked(questions, scorer)  # before anything is built
    settings = load_settings()
    with closing(Database(settings.catalog_url, settings.store_seconds)) as database:
        if abandon:
            _abandon(database)
            return
        with stopping() as stop:
            try:
                _migrate(settings, database, asked, (dry_run, anyway), stop)
            except Interrupted as interrupted:
                note(f"cancelled: {interrupted}")
                raise typer.Exit(INTERRUPTED) from interrupted


def _abandon(database: Database) -> None:
    from kb.makes import Makes

    Makes(database).abandon()
    say("what was built beside the serving index is removed")


def _migrate(
    settings: Settings,
    database: Database,
    asked: Asked,
    how: tuple[bool, bool],
    stop: threading.Event,
) -> None:
    from ingest.migration import Migration
    from ingest.split import SPLITTER, split
    from kb.migrating import check_alone
    from kb.wiring import load_encoder

    encoder = load_encoder(settings)
    migration = Migration(database, encoder, SPLITTER, split)
    serving = migration.serving
    if serving is None or serving == migration.wanted:
        say("the index is made with what this release makes one with; nothing to do")
        return
    check_alone(database, serving, migration.wanted)
    built = _built(migration, stop)
    say(
        f"made {built.passages} passages of {built.documents} documents, "
        f"{built.embedded} of them embedded"
    )
    dry_run, anyway = how
    good = finds_as_much(settings, database, encoder, built, asked)
    if dry_run:
        say("compared only; the serving index is as it was")
    elif good or anyway:
        _switched(settings, migration, stop)
    else:
        note(
            "the new index finds less, and the serving one stays: look at it, and switch with "
            "--anyway, or forget it with --abandon"
        )
        raise typer.Exit(1)


def _built(migration: Migration, stop: threading.Event) -> Built:
    with showing(notes) as shows:
        return migration.build(paced(shows, stop, rebuild=False))


# -- switching -----------------------------------------------------------------------------------


def _switched(settings: Settings, migration: Migration, stop: threading.Event) -> None:
    """By the server that has the index, or here; and again where documents changed meanwhile."""
    for _ in range(TRIES):
        try:
            url = owner_url(settings.index)
            if url is None:
                _here(settings)
            else:
                _by_server(settings, url, stop)
        except MigrationIncomplete:
            _built(migration, stop)
        else:
            return
    raise MigrationIncomplete("documents keep changing; run kb migrate when fewer of them do")


def _here(settings: Settings) -> None:
    """Opening the index takes up what was built for this release."""
    with notes.status("switching"), searching(settings) as kb:
        version = kb.catalog.current_version()
    say(f"switched; corpus version {version}")


def _by_server(settings: Settings, url: str, stop: threading.Event) -> None:
    with Server(url, SERVER_SECONDS, key=settings.key) as server, showing(notes) as shows:
        try:
            report = Sending(server, shows, stop).waited(server.migrate())
        except IndexMismatch as error:
            say(f"the new index is whole and waits: {error}")
            return
    say(f"switched by the server at {url}; corpus version {report.version}")
    say("it splits as its own release does: restart it before the next ingest")
