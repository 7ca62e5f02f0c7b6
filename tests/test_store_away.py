"""Searches and answers while the vector store is away: the catalog has the vectors, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import ClientOf, MakeKb
from stores import Index, document, opened

from kb.errors import StoreUnavailable
from kb.fakes import MemoryPassageStore
from kb.retrieve import EXACT_LIMIT
from kb.types import Filters, Float32

QUESTION = "Which licence do the open weights of Falcon have?"
ASKED = "What does the Gemini API cost for a million input tokens?"


class Leaving(MemoryPassageStore):
    """Holds vectors; once it has left, nobody can search them."""

    left = False

    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        if self.left:
            raise StoreUnavailable("the vector store failed. Look at it with: kb doctor")
        return super().nearest(vector, count)


@pytest.fixture
def store() -> Leaving:
    return Leaving()


@pytest.fixture
def index(store: Leaving) -> Iterator[Index]:
    with opened(store=store) as index:
        yield index


def test_a_small_version_is_searched_by_the_catalogs_own_vectors(
    index: Index, store: Leaving
) -> None:
    version = index.publish(document("a", "open weights of Falcon", "a price", "GPU hours"))
    before = index.retriever.search(QUESTION, version)

    store.left = True
    after = index.retriever.search(QUESTION, version)

    assert [hit.stored.id for hit in after.hits] == [hit.stored.id for hit in before.hits]
    assert [hit.score for hit in after.hits] == pytest.approx([hit.score for hit in before.hits])
    assert not after.by_words_only


def test_a_large_version_is_searched_by_words_only_where_that_will_do(
    index: Index, store: Leaving
) -> None:
    lines = (f"tokens {n}" for n in range(EXACT_LIMIT))
    version = index.publish(document("a", "open weights of Falcon", *lines))
    store.left = True

    with pytest.raises(StoreUnavailable, match="kb doctor"):
        index.retriever.search(QUESTION, version)
    found = index.retriever.search(QUESTION, version, words_will_do=True)
    narrowed = index.retriever.search(QUESTION, version, Filters(document_ids=("b",)))

    assert found.by_words_only
    assert found.hits[0].stored.passage.body == "open weights of Falcon"
    assert not narrowed.by_words_only


def test_an_answer_needs_no_vector_store(make_kb: MakeKb, client_of: ClientOf) -> None:
    store = Leaving()
    client = client_of(make_kb(store=store))
    store.left = True

    answer = client.post("/v1/ask", json={"question": ASKED}).raise_for_status().json()
    found = client.post("/v1/search", json={"question": ASKED}).raise_for_status().json()
    ready = client.get("/readyz")

    assert answer["outcome"] == "answered"
    assert found["hits"]
    assert not found["degraded"]
    assert (ready.status_code, ready.json()["reasons"][0]["part"]) == (503, "vector_store")
