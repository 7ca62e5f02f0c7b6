"""Clients that go away: what was done for them ends, and nothing of it stays behind."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from traceback import walk_stack

import httpx
import pytest
from conftest import MakeKb
from fastapi import FastAPI
from serving import serving
from shelf import first_passage
from talk import QUESTION, STREAM, Unending, connected

import kb
from api.app import create_app
from kb.fakes_model import PIECE
from kb.types import Message, Token

CLIENTS = 100
LONGEST_STAY = 1.5  # seconds; an answer takes longer, unless it is stopped
SECOND = 1.0


class Slow:
    """A model that needs time for every word, and counts the calls that are under way."""

    name = "slow"

    def __init__(self, word_seconds: float = 0.1) -> None:
        self._word_seconds = word_seconds
        self._lock = threading.Lock()
        self.busy = self.calls = 0

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        with self._counted():
            for piece in PIECE.findall(first_passage(tuple(messages))):
                if cancelled():
                    return
                time.sleep(self._word_seconds)
                yield piece

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        yield from map(Token, self.write(messages, max_tokens, cancelled))

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        with self._counted():
            time.sleep(self._word_seconds)
            return 1.0

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.busy += 1
            self.calls += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether it comes true in that time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def busy_workers() -> list[str]:
    """Worker threads that are inside the knowledge base."""
    frames = sys._current_frames()
    workers = [thread for thread in threading.enumerate() if "AnyIO" in thread.name]
    return [
        f"{thread.name} in {frame.f_code.co_name}"
        for thread in workers
        for frame, _ in walk_stack(frames.get(thread.ident or 0))
        if Path(frame.f_code.co_filename).parent == Path(kb.__file__).parent
    ]


def telling_its_tasks(app: FastAPI) -> FastAPI:
    """The application, with a route that tells what its event loop has to do."""

    @app.get("/tasks")
    async def tasks() -> list[str]:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        return sorted(task.get_coro().__qualname__ for task in others)  # type: ignore[union-attr]  # all are coroutines

    return app


def tasks_at(port: int) -> Counter[str]:
    return Counter(httpx.get(f"http://127.0.0.1:{port}/tasks", timeout=10).json())


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "whole"])
def test_a_client_that_leaves_stops_the_model_within_a_second(
    make_kb: MakeKb, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    model = Unending()
    with caplog.at_level(logging.INFO, "weighbridge"), serving(create_app(make_kb(model))) as port:
        connection = connected(port, headers)
        assert model.writing.wait(10)
        connection.close()

        stopped = model.stopped.wait(SECOND)

    assert stopped
    assert "ask gone" in caplog.text


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "whole"])
def test_an_answer_that_nobody_waited_for_is_not_stored(
    make_kb: MakeKb, headers: dict[str, str]
) -> None:
    model = Unending()
    base = make_kb(model)
    with serving(create_app(base)) as port:
        connection = connected(port, headers)
        assert model.writing.wait(10)
        connection.close()
        assert model.stopped.wait(SECOND)

    assert base.journal.conversations(10) == ([], 0)


def visit(port: int, seconds: float, headers: dict[str, str], number: int) -> None:
    """Asks a question of its own, which no cache knows; reads for so long, and vanishes."""
    end = time.monotonic() + seconds
    with connected(port, headers, f"{QUESTION} Visitor {number} asks.") as connection:
        connection.settimeout(max(seconds, 0.001))
        with suppress(TimeoutError):
            while time.monotonic() < end and connection.recv(65536):
                pass


@pytest.mark.slow
def test_100_clients_that_vanish_at_random_moments_leave_nothing_behind(make_kb: MakeKb) -> None:
    chance = random.Random(7)
    model = Slow()
    app = telling_its_tasks(create_app(make_kb(model)))
    with serving(app) as port:
        visit(port, 2.0, STREAM, CLIENTS)  # what libraries start with the first stream, they keep
        before = tasks_at(port)
        visitors = []
        for number in range(CLIENTS):
            stay = chance.uniform(0, LONGEST_STAY)
            way = chance.choice([STREAM, {}])
            visitors.append(threading.Thread(target=visit, args=(port, stay, way, number)))
            visitors[-1].start()
            time.sleep(chance.uniform(0, 0.02))
        for visitor in visitors:
            visitor.join()

        idle = within(SECOND, lambda: model.busy == 0 and not busy_workers())
        free = within(SECOND, lambda: app.state.desk.threads.borrowed_tokens == 0)
        ended = within(SECOND, lambda: app.state.streams.running == 0)
        left = tasks_at(port) - before
        started = time.monotonic()
        with connected(port, STREAM) as connection:
            connection.recv(65536)
            waited = time.monotonic() - started

    assert model.calls > CLIENTS / 8, "most left before the model was asked: nothing was tried out"
    assert (idle, free, ended) == (True, True, True)
    assert not left
    assert waited < SECOND


def test_the_next_question_of_a_client_that_left_is_answered(make_kb: MakeKb) -> None:
    with serving(create_app(make_kb(Slow(0.01)))) as port:
        connected(port, STREAM).close()
        asked = httpx.post(
            f"http://127.0.0.1:{port}/v1/ask", json={"question": QUESTION}, timeout=10
        )

    assert json.loads(asked.content)["outcome"] == "answered"
