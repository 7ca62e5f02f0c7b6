"""What the event stream promises: its order, its end, and what becomes of failures."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from conftest import ClientOf, MakeKb
from serving import serving
from shelf import first_passage, replaying
from starlette.testclient import TestClient
from talk import QUESTION, STEPS, STREAM, exchanged, parsed, received

from api.app import create_app
from kb.errors import IndexMismatch, ModelFailed
from kb.events import SentenceWithheld
from kb.fakes import MemoryPassageStore
from kb.fakes_model import ScriptedModel
from kb.types import Float32
from kb.wiring import KnowledgeBase


def streamed(client: TestClient, question: str = QUESTION) -> list[tuple[str, Any]]:
    response = client.post("/v1/ask", json={"question": question}, headers=STREAM)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return parsed(response.text)


# -- order and equality --------------------------------------------------------------------------


def test_the_answer_event_equals_the_json_body(kb: KnowledgeBase, client_of: ClientOf) -> None:
    """But for what is another one's: each question gets an answer with an id of its own."""
    client = client_of(replaying(kb, *STEPS))

    answer = dict(streamed(client))["answer"]
    body = client.post("/v1/ask", json={"question": QUESTION}).json()

    assert answer.pop("id") != body.pop("id")
    assert answer == body
    assert body["conflicts"] == [
        {
            "about": "price",
            "positions": [
                {"statement": "It is $2.", "citations": [1]},
                {"statement": "It is $3.", "citations": [2]},
            ],
        }
    ]


def test_the_answer_event_is_what_is_stored_under_its_id(client: TestClient) -> None:
    answer = dict(streamed(client))["answer"]

    stored = client.get(f"/v1/answers/{answer['id']}").json()

    assert stored["answer"] == answer


def test_events_are_numbered_under_the_answers_id(client: TestClient) -> None:
    response = client.post("/v1/ask", json={"question": QUESTION}, headers=STREAM)

    events = received(response.text)
    answer = next(one.data for one in events if one.event == "answer")
    assert [one.id for one in events] == [f"{answer['id']}.{n + 1}" for n in range(len(events))]


def test_events_come_in_the_order_in_which_they_happen(
    kb: KnowledgeBase, client_of: ClientOf
) -> None:
    events = streamed(client_of(replaying(kb, *STEPS)))

    assert [name for name, _ in events] == [
        "status", "evidence", "status", "sentence", "conflict", "answer", "done",
    ]  # fmt: skip


def test_a_sentence_that_failed_its_check_reaches_nobody(
    kb: KnowledgeBase, client_of: ClientOf
) -> None:
    withheld = SentenceWithheld("R1 costs $999.", "figure: $999")
    client = client_of(replaying(kb, *STEPS[:3], withheld, *STEPS[3:]))

    response = client.post("/v1/ask", json={"question": QUESTION}, headers=STREAM)

    assert "event: done" in response.text
    assert "$999" not in response.text


def test_sentences_add_up_to_the_answer(client: TestClient) -> None:
    events = streamed(client)

    sentences = [data for name, data in events if name == "sentence"]
    answer = dict(events)["answer"]
    assert sentences
    assert [c for s in sentences for c in s["citations"]] == answer["citations"]
    for sentence in sentences:
        for citation in sentence["citations"]:
            span = slice(citation["answer_start"], citation["answer_end"])
            assert answer["text"][span] == sentence["text"]


def test_the_first_sentence_comes_while_the_model_still_writes(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    said = "The Gemini API costs $2.00 for a million input tokens.\nThen it falls silent."
    model = ScriptedModel([said], stalls_after=11)
    names: list[str] = []
    asked = {"question": QUESTION}
    client = client_of(make_kb(model))
    with client.stream("POST", "/v1/ask", json=asked, headers=STREAM) as response:
        lines = response.iter_lines()
        while names[-1:] != ["sentence"]:
            line = next(lines)
            names += [line.removeprefix("event: ")] if line.startswith("event: ") else []

    assert names == ["status", "evidence", "status", "status", "sentence"]


@pytest.mark.parametrize("likelihood", [0.0, 1.0])
def test_a_stream_ends_with_an_answer_and_done(
    make_kb: MakeKb, client_of: ClientOf, likelihood: float
) -> None:
    model = ScriptedModel(first_passage, probability=likelihood)
    events = streamed(client_of(make_kb(model)))

    assert [name for name, _ in events[-2:]] == ["answer", "done"]
    assert events[-1][1] == {}


# -- failures ------------------------------------------------------------------------------------


class StrangeStore(MemoryPassageStore):
    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        raise IndexMismatch("the vector store refused a vector; kb ingest --rebuild PATH")


def test_a_store_of_other_vectors_fails_before_the_first_byte(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    client = client_of(make_kb(store=StrangeStore()))

    response = client.post("/v1/ask", json={"question": QUESTION}, headers=STREAM)

    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "index_mismatch"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"question": " "}, 422, "empty_question"),
        ({"question": QUESTION, "corpus_version": 9}, 404, "corpus_version_not_found"),
        ({"question": QUESTION, "stream": True}, 422, "invalid_request"),
    ],
)
def test_a_question_that_cannot_be_asked_opens_no_stream(
    client: TestClient, body: dict[str, Any], status: int, code: str
) -> None:
    response = client.post("/v1/ask", json=body, headers=STREAM)

    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_later_failure_is_an_error_event(
    kb: KnowledgeBase, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(replaying(kb, *STEPS[:3], ModelFailed("the model broke off; ask again")))

    with caplog.at_level(logging.INFO, "weighbridge"):
        events = streamed(client)

    assert [name for name, _ in events] == ["status", "evidence", "status", "error", "done"]
    assert dict(events)["error"] == {
        "type": "/docs#model_failed",
        "title": "Model failed",
        "status": 503,
        "detail": "the model broke off; ask again",
        "code": "model_failed",
    }
    assert "ask failed" in caplog.text
    assert "code=model_failed" in caplog.text


def test_a_model_that_breaks_off_leaves_what_was_checked(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    model = ScriptedModel(first_passage, dies_after=4)

    answer = dict(streamed(client_of(make_kb(model))))["answer"]

    assert answer["outcome"] == "quoted"
    assert answer["citations"]


def test_a_stream_that_breaks_off_unexpectedly_has_no_done(
    kb: KnowledgeBase, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(replaying(kb, *STEPS[:3], ZeroDivisionError("a secret detail")))
    with caplog.at_level(logging.INFO, "weighbridge"), serving(app) as port:
        told = exchanged(port, STREAM)

    assert "event: evidence" in told
    assert "event: done" not in told
    assert "secret" not in told
    assert "ask broken" in caplog.text


def test_a_stream_over_a_real_connection_is_whole(kb: KnowledgeBase) -> None:
    with serving(create_app(kb)) as port:
        told = exchanged(port, STREAM)

    assert told.startswith("HTTP/1.1 200")
    assert "event: answer" in told
    assert "event: done" in told
