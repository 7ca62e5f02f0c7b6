"""After a document was deleted for good nothing of it is left in what a process remembers, also in
one that was not told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stores import EMBEDDER, Index, document, opened

from kb.retrieve import Retriever
from kb.types import Filters

PRICES = document("prices", "Gemini costs two dollars.", "Tea costs less.")
THIRD = document("third", "Gemini tokens and Gemini prices.", "Gemini again.")
QUESTION = "What does Gemini cost?"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/kb.sqlite3"


@pytest.fixture
def replicas(url: str) -> Iterator[tuple[Index, Index]]:
    """Two on one catalog, each with what it remembers."""
    with opened(url) as one, opened(url, one.store) as other:
        yield one, other


def test_a_deletion_changes_a_kept_version_s_frequencies_and_ranks_everywhere(
    url: str, replicas: tuple[Index, Index]
) -> None:
    one, _ = replicas
    version = one.publish(PRICES, THIRD)
    retrievers = [each.retriever for each in replicas]
    for each in retrievers:
        each.search(QUESTION, version)

    one.upkeep().delete("third")

    with opened(url) as new:
        expected = Retriever(EMBEDDER, one.store, new.lookup).search(QUESTION, version)
    for each in retrievers:
        found = each.search(QUESTION, version)
        assert found.idf.tolist() == expected.idf.tolist()
        assert [(hit.stored.id, hit.score) for hit in found.hits] == [
            (hit.stored.id, hit.score) for hit in expected.hits
        ]
    words = ["gemini"]
    ranked = [each.lookup.lexical(words, version, 9, Filters()) for each in replicas]
    assert ranked[0] == ranked[1]
