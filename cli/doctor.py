"""`kb doctor`: weights, catalog, full-text index and vector store, compared with what they should
be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cli.local import owned_unless_shared
from cli.models import needed
from cli.screen import notes, say
from kb.doctor import Comparison, compare, identity_findings, repair
from kb.errors import (
    IndexMismatch,
    JobInterrupted,
    WeighbridgeError,
    WeightsCorrupt,
    WeightsMissing,
)
from kb.settings import Settings, load_settings
from kb.types import IndexIdentity
from kb.weights import verify

if TYPE_CHECKING:
    from kb.catalog import Catalog
    from kb.database import Database
    from kb.lookup import Lookup
    from kb.ports import PassageStore

SHOWN = 5  # ids named of each kind; the count says how many more there are


def doctor(
    mend: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended from the catalog.")
    ] = False,
) -> None:
    """Compare weights, catalog, full-text index, vectors and jobs. Exit status 1 when something
    is wrong."""
    settings = load_settings()
    with owned_unless_shared(settings):
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
    from kb.catalog import Catalog  # these, and Chroma, take a second to load
    from kb.database import Database
    from kb.lookup import Lookup
    from kb.wiring import open_store

    with closing(Database(settings.catalog_url)) as database:
        catalog, lookup = Catalog(database), Lookup(database)
        if catalog.current_version() == 0:
            say("index: nothing has been ingested yet")
            return []
        findings = _identity(settings, catalog)
        findings += _full_text(catalog, mend)
        findings += _jobs(settings, database, mend)
        with closing(open_store(settings)) as store:
            return [*findings, *_vectors(catalog, lookup, store, mend)]


def _vectors(catalog: Catalog, lookup: Lookup, store: PassageStore, mend: bool) -> list[str]:
    stored = list(store.ids())
    found = compare(catalog.needed_ids(), catalog.passage_ids(), stored)
    say(f"index: {len(catalog.passage_ids())} passages in the catalog, {len(stored)} vectors")
    if mend and not found.healthy:
        repair(found, lookup.vectors(), store)
        say(f"repaired: {'; '.join(described(found))}")
        found = compare(catalog.needed_ids(), catalog.passage_ids(), store.ids())
    return [*described(found), *_dimension(lookup, store)]


def _dimension(lookup: Lookup, store: PassageStore) -> list[str]:
    """Vectors of another length than the catalog's are another encoder's."""
    try:
        for _, vector in lookup.vectors():
            store.nearest(vector, 1)
            break
    except IndexMismatch as error:
        return [str(error)]
    return []


def _full_text(catalog: Catalog, mend: bool) -> list[str]:
    found = catalog.full_text_faults()
    if mend and found:
        catalog.rebuild_full_text()
        say(f"repaired: {'; '.join(found)}")
        found = catalog.full_text_faults()
    return found


def _jobs(settings: Settings, database: Database, mend: bool) -> Iterator[str]:
    """Ingests that are under way, it says, though no server is: this command has the index."""
    from ingest.job import Failure, job_of, row_of
    from ingest.uploads import Uploads
    from kb.job_log import JobLog

    if not settings.uploads.exists():
        return
    log = JobLog(database)
    for job in map(job_of, log.unfinished(Uploads(settings.uploads).home())):
        if job.state == "queued":
            continue
        if mend:
            why = Failure(JobInterrupted.code, "the server ended while this was under way")
            ended = replace(job, state="interrupted", failure=why, ended_at=time.time())
            log.save(row_of(ended))
            say(f"repaired: job {job.id} is marked as interrupted")
        else:
            yield f"job {job.id} was under way when its server ended: kb serve goes on with it"


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
