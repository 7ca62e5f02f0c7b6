"""A connection that broke off is made good by sending the question again."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from conftest import ClientOf, MakeKb
from serving import serving
from shelf import first_passage
from starlette.testclient import TestClient
from talk import QUESTION, STREAM, Received, connected, exchanged, received

from api.app import create_app
from kb.fakes_model import ScriptedModel
from kb.types import Message, Token

OTHER = "Who may withdraw a model?"


def asked(client: TestClient, last: str | None = None, **fields: Any) -> list[Received]:
    headers = STREAM if last is None else {**STREAM, "Last-Event-ID": last}
    response = client.post("/v1/ask", json={"question": QUESTION, **fields}, headers=headers)
    assert response.status_code == 200, response.text
    return received(response.text)


def answer_of(events: Sequence[Received]) -> Any:
    return next(one.data for one in events if one.event == "answer")


# -- after its end -------------------------------------------------------------------------------


def test_a_client_gets_exactly_the_events_that_it_has_not_seen(client: TestClient) -> None:
    whole = asked(client)

    for seen in range(len(whole)):
        assert asked(client, whole[seen].id) == (whole[seen + 1 :] or whole[-1:])


def test_a_stream_of_which_all_was_seen_ends_at_once(client: TestClient) -> None:
    whole = asked(client)

    assert asked(client, whole[-1].id.replace(".", ".99")) == whole[-1:]


def test_what_is_no_longer_kept_comes_as_it_was_stored(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    kb = make_kb()
    whole = asked(client_of(kb))

    again = asked(client_of(kb), whole[1].id)  # of a server that was started anew

    assert [one.event for one in again] == ["answer", "done"]
    assert answer_of(again) == answer_of(whole)
    assert {one.id.partition(".")[0] for one in again} == {answer_of(whole)["id"]}


def test_what_is_neither_kept_nor_stored_is_answered_anew(client: TestClient) -> None:
    lost = "0" * 32

    again = asked(client, f"{lost}.4")

    assert [again[0].event, again[-1].event] == ["status", "done"]
    assert not any(one.id.startswith(lost) for one in again)


@pytest.mark.parametrize("fields", [{"question": OTHER}, {"conversation_id": "another"}])
def test_no_question_gets_another_ones_answer(
    make_kb: MakeKb, client_of: ClientOf, fields: dict[str, Any]
) -> None:
    kb = make_kb()
    client = client_of(kb)
    whole = asked(client)

    for server in (client, client_of(kb)):  # of which the second one knows only what is stored
        again = asked(server, whole[2].id, **fields)
        assert again[0].event == "status"
        assert answer_of(again)["id"] != answer_of(whole)["id"]


@pytest.mark.parametrize("last", ["", "7", "../1", "0" * 32, f"{'0' * 31}G.1"])
def test_an_id_of_another_shape_is_ignored(client: TestClient, last: str) -> None:
    headers = {**STREAM, "Last-Event-ID": last}

    response = client.post("/v1/ask", json={"question": QUESTION}, headers=headers)

    assert received(response.text)[-1].event == "done"


# -- while it runs -------------------------------------------------------------------------------


class Held:
    """A model that says its first sentence, and the rest when it is let go."""

    name = "held"

    def __init__(self) -> None:
        self.said, self.go_on = threading.Event(), threading.Event()
        self.calls = 0

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        self.calls += 1
        yield from ScriptedModel(first_passage).write(messages, max_tokens, cancelled)
        self.said.set()
        while not cancelled() and not self.go_on.wait(0.01):
            pass

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        """A line that has ended, and the silence after it."""
        self.calls += 1
        model = ScriptedModel(first_passage)
        yield from model.copy(messages, grammar, max_tokens, cancelled)
        yield Token("\n")
        self.said.set()
        while not cancelled() and not self.go_on.wait(0.01):
            pass

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        return 1.0


def until(connection: socket.socket, event: str) -> list[Received]:
    told = b""
    while f"event: {event}\n".encode() not in told or not told.endswith(b"\n\n\r\n"):
        told += connection.recv(65536)
    return received(told.decode())


def test_a_running_stream_is_read_on_without_asking_the_model_again(make_kb: MakeKb) -> None:
    model = Held()
    app = create_app(make_kb(model))
    # a break that the server hasn't noticed: the first connection stays open
    with serving(app) as port, connected(port, STREAM) as broken:
        assert model.said.wait(10)
        seen = until(broken, "evidence")
        threading.Timer(0.2, model.go_on.set).start()

        rest = received(exchanged(port, {**STREAM, "Last-Event-ID": seen[0].id}))

    numbers = [int(one.id.partition(".")[2]) for one in rest]
    assert numbers == list(range(2, 2 + len(rest)))
    assert rest[-1].event == "done"
    assert answer_of(rest)["id"] == seen[0].id.partition(".")[0]
    assert model.calls == 1


def test_a_stream_that_was_stopped_is_answered_anew(make_kb: MakeKb) -> None:
    model = Held()
    app = create_app(make_kb(model))
    with serving(app) as port:
        with connected(port, STREAM) as left:
            assert model.said.wait(10)
            seen = until(left, "evidence")
        while app.state.streams.running:
            time.sleep(0.01)
        model.go_on.set()

        again = received(exchanged(port, {**STREAM, "Last-Event-ID": seen[-1].id}))

    assert [again[0].event, again[-1].event] == ["status", "done"]
    assert again[0].id.partition(".")[0] != seen[0].id.partition(".")[0]
    assert model.calls == 2
