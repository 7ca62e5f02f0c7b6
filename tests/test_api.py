"""What the HTTP interface promises when all goes well: answers."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import ClientOf, MakeKb
from shelf import PRICES, first_passage, publish
from starlette.testclient import TestClient
from wire import QUESTION, SOURCE_KEYS, ask, revised, stored_text

from kb.adapters.chroma import ChromaStore
from kb.fakes_model import ScriptedModel
from kb.wiring import KnowledgeBase

ANSWER_KEYS = {
    "id", "conversation_id", "question", "standalone_question", "outcome", "reason", "text",
    "citations", "conflicts", "confidence", "marked", "withheld", "nearest", "suggestions",
    "corpus_version", "model",
    "timings_ms",
    "cached",
}  # fmt: skip


SPAN_KEYS = {"start", "end", "quote", "heading"}


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
    client = client_of(make_kb(ScriptedModel(first_passage, probability=0.0)))

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
