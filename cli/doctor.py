"""`kb doctor`: weights, index and vector store, compared with what they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.models import needed
from cli.screen import notes, say
from kb.doctor import Comparison, compare, identity_findings, repair
from kb.errors import WeighbridgeError, WeightsCorrupt, WeightsMissing
from kb.ownership import owned
from kb.settings import Settings, load_settings
from kb.types import IndexIdentity
from kb.weights import verify

if TYPE_CHECKING:
    from kb.catalog import Catalog

SHOWN = 5  # ids named of each kind; the count says how many more there are


def doctor(
    mend: Annotated[
        bool, typer.Option("--repair", help="Put back missing vectors, remove orphaned ones.")
    ] = False,
) -> None:
    """Compare weights, catalog and vector store. Exit status 1 when something is wrong."""
    settings = load_settings()
    with owned(settings.index):
        findings = [*_weights(settings), *_index(settings, mend)]
    for finding in findings:
        say(f"wrong: {finding}")
    if findings:
        raise typer.Exit(1)
    say("everything is as it should be")


def _weights(settings: Settings) -> list[str]:
    findings = []
    for entry in needed(settings):
        try:
            with notes.status(f"reading {entry.name}"):
                verify(entry, settings.weights)
            say(f"weights: {entry.name}: every byte as published")
        except (WeightsMissing, WeightsCorrupt) as error:
            findings.append(str(error))
    return findings


def _index(settings: Settings, mend: bool) -> list[str]:
    """Opens the parts one by one: an index that `kb serve` refuses can still be looked at."""
    from kb.adapters.chroma import ChromaStore  # Chroma takes a second to load
    from kb.catalog import Catalog
    from kb.database import Database
    from kb.lookup import Lookup

    database = Database(settings.catalog_url)
    try:
        catalog, lookup = Catalog(database), Lookup(database)
        if catalog.current_version() == 0:
            say("index: nothing has been ingested yet")
            return []
        findings = _identity(settings, catalog)
        store = ChromaStore.embedded(settings.index / "chroma")
        known = catalog.passage_ids()
        found = compare((id for id, _ in lookup.vectors()), known, store.ids())
        say(f"index: {len(known)} passages in the catalog")
        if mend and not found.healthy:
            repair(found, lookup.vectors(), store)
            say(f"repaired: {'; '.join(described(found))}")
            found = compare((id for id, _ in lookup.vectors()), known, store.ids())
        return [*findings, *described(found)]
    finally:
        database.close()


def _identity(settings: Settings, catalog: Catalog) -> list[str]:
    from ingest.split import SPLITTER
    from kb.wiring import load_encoder

    try:
        encoder = load_encoder(settings)
    except WeighbridgeError as error:
        return [str(error)]
    wanted = IndexIdentity(encoder.name, encoder.weights_sha256, encoder.dimension, SPLITTER)
    return identity_findings(catalog.identity(), wanted)


def described(found: Comparison) -> list[str]:
    """A line for each kind of difference; how to mend it is the same for all."""
    kinds = (
        (found.missing, "passages have no vector"),
        (found.orphaned, "vectors belong to no passage"),
        (found.duplicated, "vectors are stored more than once"),
    )
    return [
        f"{len(ids)} {what} ({', '.join(ids[:SHOWN])}{', …' if len(ids) > SHOWN else ''})"
        for ids, what in kinds
        if ids
    ]
