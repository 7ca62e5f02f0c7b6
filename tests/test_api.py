"""What the HTTP interface promises when all goes well."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ClientOf, MakeKb
from shelf import PRICES, WEIGHTS, first_passage, publish
from starlette.testclient import TestClient

from api import jobs, schemas
from api.app import create_app
from api.requests import AskIn, IngestIn, SearchIn
from kb.adapters.chroma import ChromaStore
from kb.errors import StoreUnavailable
from kb.fakes import MemoryPassageStore
from kb.fakes_model import ScriptedModel
from kb.types import Document, Float32
from kb.wiring import KnowledgeBase

QUESTION = "What does the Gemini API cost for a million input tokens?"
ANSWER_KEYS = {
    "id", "conversation_id", "question", "standalone_question", "outcome", "reason", "text",
    "citations", "conflicts", "withheld", "nearest", "suggestions", "corpus_version", "model",
    "timings_ms",
    "cached",
}  # fmt: skip
SOURCE_KEYS = {"document_id", "title", "uri", "as_of", "revision", "publisher"}
SPAN_KEYS = {"start", "end", "quote", "heading"}


def ask(client: TestClient, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return dict(response.json())


def stored_text(client: TestClient, citation: dict[str, Any]) -> str:
    place = f"/v1/documents/{citation['document_id']}/revisions/{citation['revision']}"
    return str(client.get(place).json()["text"])


def revised(document: Document, text: str) -> Document:
    return replace(document, text=text)


# -- questions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [QUESTION, "How many GPUs does fine-tuning take?"])
def test_every_quote_is_found_at_its_place_in_the_stored_revision(
    client: TestClient, question: str
) -> None:
    answer = ask(client, question)

    assert answer["outcome"] == "answered"
    assert answer["citations"]
    for citation in answer["citations"]:
        text = stored_text(client, citation)
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_offsets_count_code_points_past_an_emoji(client: TestClient) -> None:
    answer = ask(client, "What decides whether the tuned model may be sold?")

    quotes = [citation["quote"] for citation in answer["citations"]]
    assert any(quote.startswith("😀") for quote in quotes)
    for citation in answer["citations"]:
        text = stored_text(client, citation)
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_answer_spans_are_the_sentences_that_the_quotes_support(client: TestClient) -> None:
    answer = ask(client)

    citation = answer["citations"][0]
    said = answer["text"][citation["answer_start"] : citation["answer_end"]]
    assert said == "The Gemini API costs $2.00 for a million input tokens."
    assert answer["text"] == f"{said} [{citation['marker']}]"


def test_answer_has_the_fields_of_the_wire_and_no_others(client: TestClient) -> None:
    answer = ask(client)

    assert set(answer) == ANSWER_KEYS
    assert set(answer["citations"][0]) == SOURCE_KEYS | SPAN_KEYS | {
        "marker", "answer_start", "answer_end", "support",
    }  # fmt: skip


def test_refusal_has_a_reason_and_the_nearest_passages_and_cites_nothing(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    client = client_of(make_kb(ScriptedModel(first_passage, lambda prompt: 0.0)))

    answer = ask(client)

    assert (answer["outcome"], answer["reason"]) == ("refused", "not_stated")
    assert answer["citations"] == []
    assert answer["nearest"]
    for passage in answer["nearest"]:
        assert set(passage) == SOURCE_KEYS | SPAN_KEYS | {"score"}
        text = stored_text(client, passage)
        assert text[passage["start"] : passage["end"]] == passage["quote"]


def test_a_question_is_answered_with_quotes_while_the_model_is_not_ready(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    client = client_of(make_kb(ScriptedModel(not_ready="the weights are being fetched: 34 %")))

    answer = ask(client)

    assert answer["outcome"] == "quoted"
    assert "The Gemini API costs $2.00" in answer["text"]


def test_conversation_id_comes_back_and_is_made_up_where_none_was_sent(client: TestClient) -> None:
    history = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello."}]

    assert ask(client, conversation_id="c-1", history=history)["conversation_id"] == "c-1"
    assert ask(client)["conversation_id"] != ask(client)["conversation_id"]


@pytest.mark.parametrize(
    "filters",
    [
        {"document_ids": ["open-weights"]},
        {"publishers": ["Example Press"]},
        {"as_of_from": "2026", "as_of_to": "2026-05"},
    ],
)
def test_filters_keep_other_documents_out_of_the_evidence(
    client: TestClient, filters: dict[str, Any]
) -> None:
    hits = client.post("/v1/search", json={"question": QUESTION, "filters": filters}).json()["hits"]

    assert {hit["document_id"] for hit in hits} == {"open-weights"}
    assert {c["document_id"] for c in ask(client, filters=filters)["citations"]} <= {"open-weights"}


def test_a_question_pinned_to_an_earlier_version_cites_the_earlier_revision(
    kb: KnowledgeBase, client: TestClient
) -> None:
    new = revised(PRICES, PRICES.text.replace("$2.00", "$3.50"))
    publish(kb, [new])

    old_answer, new_answer = ask(client, corpus_version=1), ask(client)

    assert "$2.00" in old_answer["text"]
    assert {c["revision"] for c in old_answer["citations"]} == {PRICES.revision}
    assert "$3.50" in new_answer["text"]
    assert {c["revision"] for c in new_answer["citations"]} == {new.revision}
    assert (old_answer["corpus_version"], new_answer["corpus_version"]) == (1, 2)


def test_the_log_has_one_line_a_question_and_not_the_question(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "weighbridge"):
        response = client.post("/v1/ask", json={"question": QUESTION})

    lines = [r.getMessage() for r in caplog.records if r.name.startswith("weighbridge")]
    assert len(lines) == 1
    assert lines[0].startswith(f"ask ok request={response.headers['x-request-id']} ")
    for figure in ("outcome=answered", "cited=1", "withheld=0", "retrieve_ms=", "total_ms="):
        assert figure in lines[0]
    assert "Gemini" not in lines[0]


def test_other_routes_answer_while_a_question_waits_for_the_model(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def slow(prompt: Any) -> str:
        asked.set()
        assert go_on.wait(10)
        return first_passage(prompt)

    client = client_of(make_kb(ScriptedModel(slow)))
    asking = threading.Thread(target=ask, args=(client,))
    asking.start()
    assert asked.wait(10)

    alive, listed = client.get("/livez"), client.get("/v1/documents")

    assert asking.is_alive()
    assert (alive.status_code, listed.status_code) == (200, 200)
    go_on.set()
    asking.join()


def test_answers_come_from_embedded_chroma_as_well(
    make_kb: MakeKb, client_of: ClientOf, tmp_path: Path
) -> None:
    client = client_of(make_kb(store=ChromaStore.embedded(tmp_path / "chroma")))

    assert ask(client)["outcome"] == "answered"
    assert client.get("/readyz").status_code == 200


# -- search --------------------------------------------------------------------------------------


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


# -- documents -----------------------------------------------------------------------------------


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


# -- operations ----------------------------------------------------------------------------------


def test_ready_when_every_part_is(client: TestClient) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "reasons": [], "warnings": []}


@pytest.mark.parametrize("status", ["loading", "failed"])
def test_not_ready_says_what_the_model_waits_for(
    make_kb: MakeKb, client_of: ClientOf, status: str
) -> None:
    words = "the chat model's weights are being fetched: 34 %"
    client = client_of(make_kb(status=(status, words)))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["reasons"] == [{"part": "model", "reason": words}]
    assert client.get("/livez").status_code == 200


class DeadStore(MemoryPassageStore):
    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        raise StoreUnavailable("the vector store failed; look at it with: kb doctor")


def test_not_ready_says_which_store_is_dead(make_kb: MakeKb, client_of: ClientOf) -> None:
    client = client_of(make_kb(store=DeadStore()))

    body = client.get("/readyz").json()

    assert body["status"] == "not_ready"
    assert [reason["part"] for reason in body["reasons"]] == ["vector_store"]
    assert "kb doctor" in body["reasons"][0]["reason"]


def test_not_ready_when_the_catalog_is_gone(kb: KnowledgeBase, client: TestClient) -> None:
    for file in (kb.settings.index).glob("catalog.sqlite3*"):
        file.write_bytes(b"this is no database" * 500)

    body = client.get("/readyz").json()

    assert "catalog" in [reason["part"] for reason in body["reasons"]]


def test_an_empty_index_is_a_warning(make_kb: MakeKb, client_of: ClientOf) -> None:
    response = client_of(make_kb(documents=())).get("/readyz")

    assert response.status_code == 200
    assert [warning["part"] for warning in response.json()["warnings"]] == ["index"]


def test_about_counts_and_names_the_parts(client: TestClient) -> None:
    about = client.get("/v1/about").json()

    assert (about["documents"], about["passages"], about["corpus_version"]) == (2, 4, 1)
    assert about["model"]["name"] == "scripted"
    assert about["embedder"]["embedder"] == "word-hash"
    assert about["settings"]["question_chars"] == 2000
    assert not {"home", "corpus", "host", "database_url"} & set(about["settings"])


# -- what every response carries -----------------------------------------------------------------

PATHS = ["/", "/docs", "/static/page.css", "/livez", "/v1/documents", "/nowhere", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_an_id_and_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert len(headers["x-request-id"]) == 32
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("given", "kept"), [("proxy-1.a_B", True), ("two words", False), ("x" * 65, False)]
)
def test_a_request_id_is_kept_when_it_is_harmless(
    client: TestClient, given: str, kept: bool
) -> None:
    answered = client.get("/livez", headers={"X-Request-Id": given}).headers["x-request-id"]

    assert (answered == given) is kept


# -- the description -----------------------------------------------------------------------------


def operations(app_description: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method} {path}", operation)
        for path, methods in app_description["paths"].items()
        for method, operation in methods.items()
    ]


def shown(description: dict[str, Any], reference: str) -> Any:
    return description["components"]["schemas"][reference.rsplit("/", 1)[-1]].get("examples")


def test_every_route_is_described_with_examples(kb: KnowledgeBase) -> None:
    described = create_app(kb).openapi()

    assert len(operations(described)) >= 30
    for name, operation in operations(described):
        assert operation["summary"], name
        successes = [one for status, one in operation["responses"].items() if status[0] == "2"]
        assert successes, name
        for part in [*successes, *filter(None, [operation.get("requestBody")])]:
            for kind, content in part.get("content", {}).items():
                if kind == "application/json" and "$ref" in content["schema"]:
                    assert shown(described, content["schema"]["$ref"]), (name, kind)
                else:
                    assert content.get("example") or content.get("schema"), (name, kind)


def test_every_reference_in_the_description_leads_somewhere(kb: KnowledgeBase) -> None:
    described = create_app(kb).openapi()

    references = set(_references(described))
    assert references
    for reference in references:
        assert reference.rsplit("/", 1)[-1] in described["components"]["schemas"]


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for item in node for found in _references(item)]
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for item in node.values() for found in _references(item)]
    return []


EXEMPLARY = [
    *(m for m in vars(schemas).values() if isinstance(m, type) and issubclass(m, schemas._Out)),
    *(m for m in vars(jobs).values() if isinstance(m, type) and issubclass(m, schemas._Out)),
    AskIn,
    IngestIn,
    SearchIn,
]


@pytest.mark.parametrize("model", EXEMPLARY, ids=lambda model: model.__name__)
def test_examples_are_what_the_schema_allows(model: Any) -> None:
    extra = model.model_config.get("json_schema_extra", {})

    for example in extra.get("examples", []):
        assert json.loads(model.model_validate(example).model_dump_json(exclude_unset=True)) == (
            example
        )


def test_the_example_answer_keeps_the_promises_of_answers() -> None:
    answer = schemas.AnswerOut.model_json_schema()["examples"][0]

    citation = answer["citations"][0]
    said = answer["text"][citation["answer_start"] : citation["answer_end"]]
    assert said == citation["quote"]
    assert len(citation["quote"]) == citation["end"] - citation["start"]
