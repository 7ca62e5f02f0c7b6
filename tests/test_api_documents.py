"""What the HTTP interface promises of passages and documents."""

from __future__ import annotations

from conftest import ClientOf, MakeKb
from shelf import PRICES, WEIGHTS, publish
from starlette.testclient import TestClient
from wire import QUESTION, SOURCE_KEYS, ask, revised, stored_text

from kb.wiring import KnowledgeBase

# -- search ----------------------------------------------------------------------------------------


def test_hits_are_ranked_slices_of_stored_revisions(client: TestClient) -> None:
    found = client.post("/v1/search", json={"question": QUESTION}).json()

    assert (found["question"], found["corpus_version"]) == (QUESTION, 1)
    assert len(found["hits"]) == 4
    assert found["hits"][0]["document_id"] == "api-prices"
    scores = [hit["score"] for hit in found["hits"]]
    assert scores == sorted(scores, reverse=True)
    for hit in found["hits"]:
        assert stored_text(client, hit)[hit["start"] : hit["end"]] == hit["text"]
        assert {"fused", "late"} <= set(hit["scores"]) <= {"dense", "lexical", "fused", "late"}
        assert set(hit) == SOURCE_KEYS | {
            "id", "kind", "start", "end", "text", "body", "heading", "score", "scores",
        }  # fmt: skip


def test_search_returns_no_more_than_count(client: TestClient) -> None:
    found = client.post("/v1/search", json={"question": QUESTION, "count": 2}).json()

    assert len(found["hits"]) == 2


def test_a_search_pinned_to_an_earlier_version_finds_the_earlier_revision(
    kb: KnowledgeBase, client: TestClient
) -> None:
    publish(kb, [revised(PRICES, PRICES.text.replace("$2.00", "$3.50"))])

    body = {"question": QUESTION, "corpus_version": 1}
    found = client.post("/v1/search", json=body).json()

    assert found["corpus_version"] == 1
    assert "$2.00" in found["hits"][0]["text"]
    assert PRICES.revision in {hit["revision"] for hit in found["hits"]}


def test_an_empty_index_finds_nothing_and_refuses(make_kb: MakeKb, client_of: ClientOf) -> None:
    client = client_of(make_kb(documents=()))

    assert client.post("/v1/search", json={"question": QUESTION}).json()["hits"] == []
    answer = ask(client)
    assert (answer["outcome"], answer["reason"]) == ("refused", "no_evidence")
    assert answer["corpus_version"] == 0


# -- documents -------------------------------------------------------------------------------------


def test_documents_lists_the_current_version(client: TestClient) -> None:
    listed = client.get("/v1/documents").json()

    assert listed["corpus_version"] == 1
    assert [d["document_id"] for d in listed["documents"]] == ["api-prices", "open-weights"]
    weights = listed["documents"][1]
    assert weights == {
        "document_id": "open-weights",
        "title": WEIGHTS.title,
        "uri": WEIGHTS.uri,
        "as_of": "2026-05-01",
        "revision": WEIGHTS.revision,
        "publisher": "Example Press",
        "passages": 2,
        "characters": len(WEIGHTS.text),
    }


def test_a_revision_tells_of_the_newer_one_that_replaced_it(
    kb: KnowledgeBase, client: TestClient
) -> None:
    new = revised(PRICES, "# Prices\n\nEverything is free.\n")
    publish(kb, [new])

    document = client.get("/v1/documents/api-prices").json()
    old_text, new_text = (
        client.get(f"/v1/documents/api-prices/revisions/{revision}").json()
        for revision in (PRICES.revision, new.revision)
    )

    assert document["revision"] == new.revision
    assert document["revisions"] == [
        {"revision": PRICES.revision, "since_version": 1, "until_version": 2},
        {"revision": new.revision, "since_version": 2, "until_version": None},
    ]
    assert (old_text["text"], old_text["newer_revision"]) == (PRICES.text, new.revision)
    assert (new_text["text"], new_text["newer_revision"]) == (new.text, None)


def test_a_removed_document_keeps_its_revisions_until_they_are_swept(
    kb: KnowledgeBase, client: TestClient
) -> None:
    kb.catalog.flip([], remove=["api-prices"])

    listed = client.get("/v1/documents").json()
    removed = client.get("/v1/documents/api-prices").json()

    assert [d["document_id"] for d in listed["documents"]] == ["open-weights"]
    assert removed["title"] == PRICES.title
    assert [kept["until_version"] for kept in removed["revisions"]] == [2]


def test_a_staged_revision_is_not_shown_before_its_version(
    kb: KnowledgeBase, client: TestClient
) -> None:
    unseen = revised(PRICES, "Not published yet.")
    kb.catalog.stage(unseen, kb.splitter, [])

    response = client.get(f"/v1/documents/api-prices/revisions/{unseen.revision}")

    assert (response.status_code, response.json()["code"]) == (404, "revision_not_found")
