"""What the event stream promises: its order, its end, and that leaving it stops the work."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from conftest import ClientOf, MakeKb
from serving import serving
from shelf import PRICES, first_passage, replaying
from starlette.testclient import TestClient

from api.app import create_app
from kb.errors import ModelFailed, StoreUnavailable
from kb.events import (
    Answered,
    ConflictFound,
    EvidenceFound,
    SentencePassed,
    SentenceWithheld,
    Status,
)
from kb.fakes import MemoryPassageStore
from kb.fakes_model import ScriptedModel
from kb.types import (
    Answer,
    Citation,
    Conflict,
    Evidence,
    Float32,
    Message,
    Position,
    Source,
)
from kb.wiring import KnowledgeBase

QUESTION = "What does the Gemini API cost for a million input tokens?"
STREAM = {"Accept": "text/event-stream"}

SOURCE = Source(
    PRICES.id, PRICES.revision, PRICES.title, PRICES.publisher, PRICES.uri, PRICES.as_of
)
QUOTE = "Proprietary vendors bill every token."
START = PRICES.text.index(QUOTE)
PIECE = Evidence(
    source=SOURCE,
    start=START,
    end=START + len(QUOTE),
    quote=QUOTE,
    statement=QUOTE,
    shown=QUOTE,
    heading="Prices",
    score=0.5,
)
CITED = tuple(
    Citation(n, 0, 5, SOURCE, START, START + len(QUOTE), QUOTE, "Prices", 0.9) for n in (1, 2)
)
CONFLICT = Conflict("price", (Position("It is $2.", (1,)), Position("It is $3.", (2,))))
ANSWER = Answer(
    id="a1",
    conversation_id="c1",
    question=QUESTION,
    standalone_question=QUESTION,
    outcome="conflicting",
    text="It is $2. [1] It is $3. [2]",
    corpus_version=1,
    model="scripted",
    citations=CITED,
    conflicts=(CONFLICT,),
    nearest=(PIECE,),
    timings_ms={"retrieve": 3, "total": 9},
)
STEPS = (
    Status("searching", 0),
    EvidenceFound((PIECE,)),
    Status("reading", 4),
    SentencePassed("It is $2.", CITED[:1]),
    ConflictFound(CONFLICT),
    Answered(ANSWER),
)


def parsed(stream: str) -> list[tuple[str, Any]]:
    """(event, data) of each event; comments are left out."""
    found = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def streamed(client: TestClient, question: str = QUESTION) -> list[tuple[str, Any]]:
    response = client.post("/v1/ask", json={"question": question}, headers=STREAM)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return parsed(response.text)


# -- order and equality --------------------------------------------------------------------------


def test_the_answer_event_equals_the_json_body(kb: KnowledgeBase, client_of: ClientOf) -> None:
    client = client_of(replaying(kb, *STEPS))

    events = streamed(client)
    body = client.post("/v1/ask", json={"question": QUESTION}).json()

    assert dict(events)["answer"] == body
    assert body["conflicts"] == [
        {
            "about": "price",
            "positions": [
                {"statement": "It is $2.", "citations": [1]},
                {"statement": "It is $3.", "citations": [2]},
            ],
        }
    ]


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
    assert "999" not in response.text


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
    said = "The Gemini API costs $2.00 for a million input tokens. Then it falls silent."
    model = ScriptedModel([said], stalls_after=13)
    names: list[str] = []
    asked = {"question": QUESTION}
    client = client_of(make_kb(model))
    with client.stream("POST", "/v1/ask", json=asked, headers=STREAM) as response:
        lines = response.iter_lines()
        while names[-1:] != ["sentence"]:
            line = next(lines)
            names += [line.removeprefix("event: ")] if line.startswith("event: ") else []

    assert names == ["status", "evidence", "status", "status", "sentence"]


@pytest.mark.parametrize("yes", [0.0, 1.0])
def test_a_stream_ends_with_an_answer_and_done(
    make_kb: MakeKb, client_of: ClientOf, yes: float
) -> None:
    events = streamed(client_of(make_kb(ScriptedModel(first_passage, lambda prompt: yes))))

    assert [name for name, _ in events[-2:]] == ["answer", "done"]
    assert events[-1][1] == {}


# -- failures ------------------------------------------------------------------------------------


class DeadStore(MemoryPassageStore):
    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        raise StoreUnavailable("the vector store failed; look at it with: kb doctor")


def test_a_dead_store_fails_before_the_first_byte(make_kb: MakeKb, client_of: ClientOf) -> None:
    client = client_of(make_kb(store=DeadStore()))

    response = client.post("/v1/ask", json={"question": QUESTION}, headers=STREAM)

    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "store_unavailable"


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
        received = exchanged(port, STREAM)

    assert "event: evidence" in received
    assert "event: done" not in received
    assert "secret" not in received
    assert "ask broken" in caplog.text


# -- leaving, over a real connection -------------------------------------------------------------


class Unending:
    """A model that writes until it is told to stop, and tells when it was."""

    name = "unending"

    def __init__(self) -> None:
        self.writing, self.stopped = threading.Event(), threading.Event()

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        self.writing.set()
        while not cancelled():
            time.sleep(0.01)
        self.stopped.set()
        yield from ()

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        return 1.0


def connected(port: int, headers: dict[str, str]) -> socket.socket:
    """A connection on which the question has been asked."""
    body = json.dumps({"question": QUESTION})
    lines = {"Host": "localhost", "Content-Type": "application/json", **headers}
    lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(f"POST /v1/ask HTTP/1.1\r\n{head}\r\n{body}".encode())
    return connection


def exchanged(port: int, headers: dict[str, str]) -> str:
    """All that comes back until the server closes the connection."""
    with connected(port, {**headers, "Connection": "close"}) as connection:
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received.decode()


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "whole"])
def test_a_client_that_leaves_stops_the_model_within_a_second(
    make_kb: MakeKb, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    model = Unending()
    with caplog.at_level(logging.INFO, "weighbridge"), serving(create_app(make_kb(model))) as port:
        connection = connected(port, headers)
        assert model.writing.wait(10)
        connection.close()

        stopped = model.stopped.wait(1.0)

    assert stopped
    assert "ask gone" in caplog.text


def test_a_stream_over_a_real_connection_is_whole(kb: KnowledgeBase) -> None:
    with serving(create_app(kb)) as port:
        received = exchanged(port, STREAM)

    assert received.startswith("HTTP/1.1 200")
    assert "event: answer" in received
    assert "event: done" in received
