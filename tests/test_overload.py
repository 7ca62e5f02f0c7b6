"""More questions than the model can take: served, refused at once, or quotes; searches go on."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from conftest import MakeKb
from serving import serving
from shelf import first_passage
from talk import QUESTION, STREAM, connected, received, waiting

from api.app import create_app
from kb.fakes_model import Prompt, ScriptedModel

ASKERS = 16


class Held(ScriptedModel):
    """A model that writes only once it is let go, and counts who is with it."""

    def __init__(self, seconds: float = 20.0) -> None:
        self.let_go, self.reached = threading.Event(), threading.Event()
        self.together = self.most_together = 0
        self._seconds = seconds
        self._counting = threading.Lock()
        super().__init__(self._held)

    def _held(self, prompt: Prompt) -> str:
        with self._counting:
            self.together += 1
            self.most_together = max(self.most_together, self.together)
        self.reached.set()
        self.let_go.wait(self._seconds)
        with self._counting:
            self.together -= 1
        return first_passage(prompt)


def asked(port: int, number: int = 0, **more: Any) -> httpx.Response:
    body = {"question": f"{QUESTION} {number}"}
    return httpx.post(f"http://127.0.0.1:{port}/v1/ask", json=body, timeout=60, **more)


@pytest.fixture
def held() -> Iterator[Held]:
    model = Held()
    yield model
    model.let_go.set()


def test_what_the_line_does_not_hold_is_refused_at_once(make_kb: MakeKb, held: Held) -> None:
    app = create_app(make_kb(held, queue=2))
    with serving(app) as port, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(asked, port, 0)]
        assert held.reached.wait(30)
        answers.append(pool.submit(asked, port, 1))
        waiting(app, 1)
        # the second place is for another address
        app.state.desk.line.join("address:another")
        whole, stream = asked(port, 2), asked(port, 3, headers=STREAM)
        chat = httpx.post(
            f"http://127.0.0.1:{port}/v1/chat/completions",
            json={"model": "weighbridge", "messages": [{"role": "user", "content": "Why?"}]},
            timeout=60,
        )
        held.let_go.set()
        served = [answer.result().json() for answer in answers]

    for response in (whole, stream, chat):
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    assert whole.json()["code"] == stream.json()["code"] == "overloaded"
    assert chat.json()["error"]["code"] == "overloaded"
    assert [one["outcome"] for one in served] == ["answered", "answered"]
    assert held.most_together == 1


def test_searches_and_evidence_keep_their_pace_while_questions_wait(
    make_kb: MakeKb, held: Held
) -> None:
    app = create_app(make_kb(held, queue=2 * ASKERS))
    with serving(app) as port, ThreadPoolExecutor(ASKERS) as pool:
        for number in range(ASKERS):
            pool.submit(asked, port, number)
        assert held.reached.wait(30)
        waiting(app, ASKERS - 1)
        paces = []
        for _ in range(5):
            started = time.monotonic()
            found = httpx.post(
                f"http://127.0.0.1:{port}/v1/search", json={"question": QUESTION}, timeout=60
            )
            paces.append(time.monotonic() - started)
        with connected(port, STREAM) as connection:
            told = b""
            while b"event: evidence" not in told:
                told += connection.recv(65536)
        still = app.state.desk.line.waiting
        held.let_go.set()

    assert found.status_code == 200
    assert min(paces) < 1.0  # the model is held for as long as the test wants
    assert still >= ASKERS - 1
    assert b"event: sentence" not in told


def test_a_question_whose_deadline_passes_in_the_line_gets_verified_quotes(
    make_kb: MakeKb, held: Held
) -> None:
    app = create_app(make_kb(held, answer_seconds=1.0))
    with serving(app) as port, ThreadPoolExecutor(2) as pool:
        first = pool.submit(asked, port, 0)
        assert held.reached.wait(30)
        calls = len(held.written)
        started = time.monotonic()
        late = asked(port, 1, headers=STREAM)
        took = time.monotonic() - started
        unasked = len(held.written) == calls
        held.let_go.set()
        first.result()

    events = received(late.text)
    answer = events[-2].data
    assert (answer["outcome"], events[-1].event) == ("quoted", "done")
    assert answer["citations"]
    assert 1.0 <= took < 15
    assert unasked
    statuses = [one.data["milliseconds"] for one in events if one.event == "status"]
    assert statuses == sorted(statuses)


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "whole"])
def test_who_leaves_the_line_makes_room(
    make_kb: MakeKb, held: Held, headers: dict[str, str]
) -> None:
    app = create_app(make_kb(held))
    with serving(app) as port, ThreadPoolExecutor(1) as pool:
        first = pool.submit(asked, port)
        assert held.reached.wait(30)
        connection = connected(port, headers, "What may be sold?")
        waiting(app, 1)
        connection.close()
        end = time.monotonic() + 10
        while app.state.desk.line.waiting and time.monotonic() < end:
            time.sleep(0.01)
        left = app.state.desk.line.waiting
        held.let_go.set()
        first.result()

    assert left == 0
    assert len(held.written) == 1


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "whole"])
def test_answers_under_way_end_before_the_server_does(
    make_kb: MakeKb, held: Held, headers: dict[str, str]
) -> None:
    server = serving(create_app(make_kb(held)))
    port = server.__enter__()
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(asked, port, headers=headers)
        assert held.reached.wait(30)
        ended = pool.submit(server.__exit__)
        time.sleep(0.3)
        under_way = not (answer.done() or ended.done())
        held.let_go.set()
        response = answer.result()
        ended.result()

    assert under_way
    assert response.status_code == 200
    assert '"outcome":"answered"' in response.text


def test_a_known_answer_waits_for_nobody(make_kb: MakeKb, held: Held) -> None:
    app = create_app(make_kb(held))
    with serving(app) as port, ThreadPoolExecutor(1) as pool:
        held.let_go.set()
        asked(port, 7)
        held.let_go.clear()
        held.reached.clear()
        busy = pool.submit(asked, port, 8)
        assert held.reached.wait(30)
        known = json.loads(asked(port, 7).content)
        running = app.state.desk.line.running
        held.let_go.set()
        busy.result()

    assert (known["cached"], running) == (True, 1)
