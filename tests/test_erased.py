"""After a document was deleted for good nothing of it is left in what a process remembers, also in
one that was not told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ClientOf, MakeKb
from shelf import PRICES as SHELVED
from shelf import first_passage
from stores import EMBEDDER, Index, document, opened

from kb.events import Ask
from kb.fakes_model import ScriptedModel
from kb.retrieve import Retriever
from kb.types import Document, Filters

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


def paper(name: str, title: str, text: str) -> Document:
    return Document(name, title, None, f"{name}.md", None, f"# {title}\n\n{text}\n")


SECRET = paper(
    "merger",
    "How the takeover of Initech will work",
    "The takeover of Initech is planned for May.",
)
# As many as push the secret one out of what a question about tea is answered from.
TEAS = [
    paper(
        f"tea{i}",
        f"Tea {i}",
        f"Tea of kind {i} is steeped for {i} minutes. Many minutes make tea of kind {i} bitter.",
    )
    for i in range(30)
]
TEA = Ask("How many minutes is tea steeped?")


def test_a_cached_refusal_offers_nothing_of_a_document_that_another_replica_deleted(
    make_kb: MakeKb,
) -> None:
    model = ScriptedModel(first_passage, probability=0.0)
    here = make_kb(model, documents=[SHELVED, SECRET, *TEAS])
    there = make_kb(model, documents=(), store=here.store, database_url=here.settings.catalog_url)
    assert any("Initech" in one for one in there.ask(TEA).suggestions)

    here.upkeep.delete("merger")
    again = there.ask(TEA)

    assert again.cached
    assert again.suggestions
    assert not any("Initech" in one for one in again.suggestions)


def test_a_stream_s_rest_is_not_told_once_another_replica_deleted_what_it_quotes(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    here = make_kb()
    there = make_kb(documents=(), store=here.store, database_url=here.settings.catalog_url)
    client = client_of(there)
    body = {"question": "What does the Gemini API cost?"}
    stream = {"Accept": "text/event-stream"}
    told = client.post("/v1/ask", json=body, headers=stream).text
    assert "$2.00" in told
    first = told[told.index("id: ") :].splitlines()[0].removeprefix("id: ")

    here.upkeep.delete(SHELVED.id)
    rest = client.post("/v1/ask", json=body, headers={**stream, "Last-Event-ID": first}).text

    assert "event: done" in rest
    assert "$2.00" not in rest
