"""The doctor's comparison, and that its repair leaves nothing to find."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kb.doctor import compare, identity_findings, repair
from kb.fakes import MemoryPassageStore
from kb.types import Float32, IndexIdentity

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
    assert all("kb ingest --rebuild" in finding for finding in findings)
