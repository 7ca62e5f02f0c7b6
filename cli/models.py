"""`kb models`: which weights there are, which are here, and getting them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.screen import megabytes, note, notes, say, transferring
from kb.errors import WeightsCorrupt, WeightsMissing
from kb.settings import Settings, load_settings
from kb.weights import locate, pull, pulled, verify
from kb.weights_catalogue import CATALOGUE, ENCODER, Entry, find
from kb.weights_sources import partial_of, size_of

app = typer.Typer(no_args_is_help=True, help="The weights: list, pull, verify.")

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]…", help="Names from `kb models list`.", show_default=False),
]


@app.command("list")
def list_models() -> None:
    """Every model of the catalogue, and whether it is here."""
    settings = load_settings()
    rows = [("NAME", "KIND", "SIZE", "LICENCE", "STATE")]
    rows += [
        (e.name, e.kind, megabytes(e.bytes), e.licence, state(e, settings.weights))
        for e in CATALOGUE
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        say("  ".join([*cells, row[4]]))
    note(f"KB_MODEL is {settings.model}; weights are under {settings.weights}")


@app.command("pull")
def pull_models(names: Names = None) -> None:
    """Fetch weights: by default the encoder and the chat model that KB_MODEL names.

    Continues what broke off, and accepts a file only with its pinned sha256."""
    settings = load_settings()
    for entry in [find(name) for name in names] if names else needed(settings):
        _pull(entry, settings.weights)


@app.command("verify")
def verify_models(names: Names = None) -> None:
    """Read every byte again and compare its sha256; by default of all weights that are here."""
    settings = load_settings()
    chosen = [find(name) for name in names] if names else here(settings.weights)
    if not chosen:
        raise WeightsMissing("no weights are here yet: run `kb models pull`")
    wrong = 0
    for entry in chosen:
        try:
            with notes.status(f"reading {entry.name}"):
                verify(entry, settings.weights)
            say(f"{entry.name}: every byte as published")
        except (WeightsCorrupt, WeightsMissing) as error:
            wrong += 1
            note(f"kb: {error}")
    if wrong:
        raise typer.Exit(1)


def needed(settings: Settings) -> list[Entry]:
    """The encoder and the configured chat model. Raises UnknownModel."""
    chat = [entry for entry in CATALOGUE if entry.name == settings.model and entry.kind == "chat"]
    if not chat:
        located = locate(settings.model, settings.weights)
        note(f"{located.path}: the chat model is your own file")
    return [ENCODER, *chat]


def here(weights: Path) -> list[Entry]:
    """Entries of which at least one whole file is here."""
    return [e for e in CATALOGUE if any((weights / e.name / f.name).is_file() for f in e.files)]


def state(entry: Entry, weights: Path) -> str:
    if pulled(entry, weights):
        return "here"
    paths = [weights / entry.name / file.name for file in entry.files]
    done = sum(size_of(path) or size_of(partial_of(path)) for path in paths)
    if done >= entry.bytes:
        return "here, not verified yet"
    return f"{100 * done // entry.bytes} % here" if done else "not here"


def _pull(entry: Entry, weights: Path) -> None:
    if pulled(entry, weights):
        say(f"{entry.name}: here already")
    else:
        note(f"{entry.name}: fetching {megabytes(entry.bytes)} ({entry.licence})")
        with transferring() as bars:
            bar = bars.add_task(entry.name, total=entry.bytes)

            def progress(done: int, total: int, what: str) -> None:
                bars.update(bar, completed=done, total=total, description=what)

            pull(entry, weights, progress)
        say(f"{entry.name}: fetched, sha256 as pinned")
    if entry == ENCODER:
        _export(weights / entry.name)


def _export(folder: Path) -> None:
    """The graph that serving uses, made once."""
    from kb.adapters.minilm import ExportRecord, ensure_encoder  # onnxruntime: only where needed

    out = folder / "onnx"
    if ExportRecord.read(out) is None:
        note("exporting the encoder for serving, once; about 15 seconds")
    with notes.status("checking the encoder's export"):
        ensure_encoder(folder, out)
    record = ExportRecord.read(out)
    if record is not None:
        say(f"{folder.name}: exported, cosine to the reference at least {record.min_cosine:.5f}")
