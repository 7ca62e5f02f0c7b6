"""`kb versions`: earlier corpus versions, what changed between them, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from cli.local import searching
from cli.remote import Server, Wire
from cli.screen import say, say_json
from cli.sending import SERVER_SECONDS
from kb.ownership import owner_url
from kb.settings import load_settings

if TYPE_CHECKING:
    from kb.wiring import KnowledgeBase

app = typer.Typer(help="Earlier corpus versions, as long as they are kept.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Number = Annotated[int, typer.Argument(min=0, help="A corpus version.")]
Result = TypeVar("Result")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """The versions that are kept, oldest first; the last one is current."""
    found = _by(lambda server: server.versions(), _versions)
    if as_json:
        say_json(found)
        return
    for one in found["versions"]:
        made = datetime.fromtimestamp(one["created_at"]).isoformat(" ", "seconds")
        current = "  current" if one["number"] == found["current"] else ""
        say(f"{one['number']:5}  {made}  {_counted(one)}{current}")


@app.command()
def rollback(number: Number) -> None:
    """Make a new version with what an earlier one holds. Nothing is embedded again."""
    made = _by(
        lambda server: server.roll_back(number),
        lambda kb: {"corpus_version": kb.upkeep.roll_back(number)},
    )
    say(f"corpus version {made['corpus_version']} holds what version {number} held")


@app.command()
def diff(before: Number, after: Number, as_json: AsJson = False) -> None:
    """Which documents differ between two versions."""
    found = _by(
        lambda server: server.changes(before, after), lambda kb: _changes(kb, before, after)
    )
    if as_json:
        say_json(found)
        return
    for one in found["changes"]:
        say(f"{_word(one):10}{one['document_id']}")
    if not found["changes"]:
        say("both hold the same")


def _by(through: Callable[[Server], Result], directly: Callable[[KnowledgeBase], Result]) -> Result:
    """By the server that owns the index, or else in this process."""
    settings = load_settings()
    url = owner_url(settings.index)
    if url is None:
        with searching(settings) as kb:
            return directly(kb)
    with Server(url, SERVER_SECONDS, key=settings.key) as server:
        return through(server)


def _versions(kb: KnowledgeBase) -> Wire:
    listed = [asdict(one) for one in kb.catalog.versions()]
    return {"current": kb.catalog.current_version(), "versions": listed}


def _changes(kb: KnowledgeBase, before: int, after: int) -> Wire:
    changes = [asdict(one) for one in kb.catalog.changes(before, after)]
    return {"before": before, "after": after, "changes": changes}


def _word(change: Wire) -> str:
    if change["before"] is None:
        return "added"
    return "removed" if change["after"] is None else "replaced"


def _counted(version: Wire) -> str:
    return f"{version['documents']} documents, {version['passages']} passages"
