"""The doctor's comparison, and that its repair leaves nothing to find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import document, entries, opened, opened_on_disk

from cli.doctor import _jobs, _vectors
from ingest.job import Job, Task, row_of
from ingest.uploads import Uploads
from kb.doctor import compare, identity_findings, repair
from kb.fakes import MemoryPassageStore
from kb.job_log import JobLog
from kb.settings import Settings
from kb.types import Filters, Float32, IndexIdentity

IDS = st.sets(st.sampled_from("abcdefgh"))
IDENTITY = IndexIdentity("MiniLM", "5" * 64, 384, "structure-1")


def vector(id: str) -> Float32:
    return np.eye(8, dtype=np.float32)["abcdefgh".index(id)]


def test_each_kind_of_difference_is_told_apart() -> None:
    found = compare(needed=["a", "b"], known={"a", "b", "staged"}, stored=["b", "b", "staged", "x"])

    assert found.missing == ("a",)
    assert found.orphaned == ("x",)
    assert found.duplicated == ("b",)
    assert not found.healthy


@given(needed=IDS, staged=IDS, stored=IDS)
def test_repair_leaves_nothing_to_find(
    needed: set[str], staged: set[str], stored: set[str]
) -> None:
    store = MemoryPassageStore()
    if stored:
        store.put(sorted(stored), np.stack([vector(id) for id in sorted(stored)]))
    known = needed | staged

    repair(compare(needed, known, store.ids()), [(id, vector(id)) for id in needed], store)

    assert compare(needed, known, store.ids()).healthy
    assert set(store.ids()) == needed | (stored & known)
    for id in needed:
        assert store.nearest(vector(id), 1)[0][0] == id


def test_index_made_with_the_same_parts_is_fine() -> None:
    assert identity_findings(IDENTITY, IDENTITY) == []
    assert identity_findings(None, IDENTITY) == []


def test_every_part_that_differs_is_named() -> None:
    other = replace(IDENTITY, embedder="other", dimension=256)

    findings = identity_findings(other, IDENTITY)

    assert [finding.split()[3] for finding in findings] == ["embedder", "dimension"]
    assert all("kb migrate" in finding for finding in findings)


# -- the full-text index -------------------------------------------------------------------------

MOON = document("moon", "The moon is made of rock.", "It circles the earth.")
MARS = document("mars", "Mars is a planet of rust.")
DAMAGES = {
    "lost": "INSERT INTO passages_text(passages_text) VALUES ('delete-all')",
    "extra": "INSERT INTO passages_text(rowid, body) VALUES (99, 'of no passage')",
    "other words": "UPDATE passages SET body = 'Other words.' WHERE \"row\" = 1",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_full_text_index_is_found_and_made_anew(damage: str) -> None:
    with opened() as index:
        index.publish(MOON, MARS)
        assert index.catalog.full_text_faults() == []
        with index.database.writing() as connection:
            connection.exec_driver_sql(DAMAGES[damage])

        found = index.catalog.full_text_faults()
        index.catalog.rebuild_full_text()

        assert len(found) == 1
        assert "full-text" in found[0]
        assert index.catalog.full_text_faults() == []
        assert index.lookup.lexical(["planet"], 1, 9, Filters())


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path}/catalog.sqlite3")


def test_command_finds_and_mends_what_vectors_lack(settings: Settings) -> None:
    with opened_on_disk(settings.home) as index:
        index.publish(MOON, MARS)
        index.store.remove([entries(MARS)[0][0]])

        first = _vectors(index.catalog, index.lookup, index.store, mend=False)
        mended = _vectors(index.catalog, index.lookup, index.store, mend=True)
        last = _vectors(index.catalog, index.lookup, index.store, mend=False)

    assert ["passages have no vector" in finding for finding in first] == [True]
    assert mended == last == []


def test_command_names_vectors_of_another_encoder(tmp_path: Path) -> None:
    store = MemoryPassageStore()
    store.put([entries(MOON)[0][0]], np.ones((1, 8), np.float32))
    with opened(store=MemoryPassageStore()) as index:
        index.publish(MOON)

        found = _vectors(index.catalog, index.lookup, store, mend=False)

    assert any("8 dimensions" in finding for finding in found)


def test_command_ends_a_job_that_no_server_carries_out(settings: Settings) -> None:
    home = Uploads(settings.uploads).home()
    with opened(settings.catalog_url) as index:
        log = JobLog(index.database)
        running = Job("1" * 32, home, Task("corpus"), created_at=1.0, state="running")
        waiting = Job("2" * 32, home, Task("corpus"), created_at=2.0)
        for job in (running, waiting):
            log.add(row_of(job))

        told = list(_jobs(settings, index.database, mend=False))
        assert list(_jobs(settings, index.database, mend=True)) == []

        assert len(told) == 1
        assert running.id in told[0]
        found = log.find(running.id)
        assert found is not None
        assert found.state == "interrupted"
        assert [row.id for row in log.unfinished(home)] == [waiting.id]
