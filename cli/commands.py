"""All commands of `kb`, and what becomes of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

import typer

from cli import ask, doctor, evals, ingest, keys, mcp, migrate, models, serve, versions, watch
from cli.screen import note, say
from kb.errors import InputError, WeighbridgeError

FAILED, WRONG_INPUT = 1, 2

app = typer.Typer(
    name="kb",
    help="Cited answers from your own documents.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(serve.serve)
app.command()(ask.ask)
app.command()(ask.search)
app.command()(ingest.ingest)
app.command()(mcp.mcp)
app.command()(watch.watch)
app.add_typer(models.app, name="models")
app.add_typer(versions.app, name="versions")
app.add_typer(keys.app, name="keys")
app.command()(migrate.migrate)
app.command()(doctor.doctor)
app.add_typer(evals.app, name="eval")


@app.command()
def version() -> None:
    """Print the version."""
    try:
        found = installed_version("weighbridge")
    except PackageNotFoundError:  # run from a checkout that isn't installed
        found = "0+checkout"
    say(f"weighbridge {found}")


def run(arguments: Sequence[str]) -> int:
    """Exit status. What this project raises on purpose becomes one line; anything else is a
    defect, and shows its traceback."""
    try:
        app(list(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except WeighbridgeError as error:
        note(f"kb: {error}")
        return WRONG_INPUT if isinstance(error, InputError) else FAILED
    return 0
