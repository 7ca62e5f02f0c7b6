"""`kb keys`: who may use a server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Annotated

import typer

from cli.screen import note, say, say_json
from kb.database import Database
from kb.keys import Key, KeyBook, Scope
from kb.settings import load_settings

app = typer.Typer(help="Keys for servers on this catalog.", no_args_is_help=True)

MOST_DAYS = 36_500
COLUMNS = "{:8}  {:8}  {:24}  {:10}  {}"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is, or what for.")],
    scopes: Annotated[
        str, typer.Option("--scopes", help="With commas, of: ask, read, ingest, admin.")
    ] = "ask,read",
    days: Annotated[
        float | None, typer.Option("--days", min=0.001, max=MOST_DAYS, help="Until it expires.")
    ] = None,
) -> None:
    """Make a key, and print it: it is stored as a hash only, and can't be shown again.

    Works while servers run. The first key ends a loopback server's being open without one."""
    named, chosen = _name(name), _scopes(scopes)
    with _book() as book:
        first = not book.exist()
        key, text = book.create(named, chosen, days)
    say(text)
    note(f"key {key.id} for {named}: {_scopes_of(key)}; {_until(key)}. It is not shown again")
    if first:
        note("from here on this catalog's servers ask for keys; kb's own commands send KB_KEY")


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Every key that was made, without the keys themselves."""
    with _book() as book:
        keys = book.listed()
    now = time.time()
    if as_json:
        say_json({"keys": [_wire(key, now) for key in keys]})
        return
    if not keys:
        note("there are no keys; kb keys create makes one")
        return
    say(COLUMNS.format("ID", "STATE", "SCOPES", "EXPIRES", "NAME"))
    for key in keys:
        expires = _day(key.expires_at) or "never"
        say(COLUMNS.format(key.id, key.state(now), _scopes_of(key), expires, key.name))


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID", help="From kb keys list.")]) -> None:
    """End a key. Servers refuse it from the next request on."""
    with _book() as book:
        key = book.revoke(key_id)
        left = book.active()
    say(f"key {key.id} ({key.name}) is revoked")
    if not left:
        note("no key is left that opens anything, and servers go on asking for one")


@contextmanager
def _book() -> Iterator[KeyBook]:
    """The catalog may be open in a server too: only the vectors have one owner."""
    settings = load_settings()
    with closing(Database(settings.catalog_url, settings.store_seconds)) as database:
        yield KeyBook(database)


def _name(name: str) -> str:
    if not 0 < len(name.strip()) <= 200 or not name.isprintable():
        raise typer.BadParameter("a name of up to 200 printable characters")
    return name.strip()


def _scopes(named: str) -> frozenset[Scope]:
    try:
        return frozenset(Scope(scope.strip()) for scope in named.split(","))
    except ValueError as error:
        known = ", ".join(Scope)
        raise typer.BadParameter(f"{error}; scopes are {known}") from error


def _scopes_of(key: Key) -> str:
    return ",".join(sorted(key.scopes))


def _day(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at).date().isoformat()


def _until(key: Key) -> str:
    return "it does not expire" if key.expires_at is None else f"until {_day(key.expires_at)}"


def _wire(key: Key, now: float) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scopes": sorted(key.scopes),
        "state": key.state(now),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
