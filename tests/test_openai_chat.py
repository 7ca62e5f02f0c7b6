"""A chat server that is slow, broken or gone: what its callers see, and how it is tried again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from chat_servers import (
    Reply,
    ScriptedChatServer,
    breaks_off,
    complains,
    judges,
    refuses,
    says,
    scripted,
    sends,
)

from kb.adapters.openai_chat import OpenAiChatModel
from kb.breaker import Breaker
from kb.errors import ModelFailed, ModelNotReady
from kb.types import Message

PROMPT = (Message("system", "You are terse."), Message("user", "Say three words."))
HELLO = says(["Open ", "weights ", "matter."])


def never() -> bool:
    return False


@contextmanager
def model_of(
    server: ScriptedChatServer, breaker: Breaker | None = None, **given: float
) -> Iterator[OpenAiChatModel]:
    retries = int(given.pop("retries", 0))
    model = OpenAiChatModel(server.url, "scripted", retries=retries, breaker=breaker, **given)
    try:
        yield model
    finally:
        model.close()


def said(model: OpenAiChatModel, cancelled: Callable[[], bool] = never) -> str:
    return "".join(model.write(PROMPT, 20, cancelled))


# -- what is asked for ---------------------------------------------------------------------------


def test_server_is_asked_for_the_likeliest_tokens_of_the_named_model() -> None:
    with scripted(HELLO) as server, model_of(server) as model:
        assert said(model) == "Open weights matter."
        assert model.probability_of_yes(PROMPT, never) == pytest.approx(0.75, abs=1e-4)

    written, judged = server.requests
    assert (written["model"], written["temperature"], written["max_tokens"]) == ("scripted", 0, 20)
    assert written["messages"] == [{"role": m.role, "content": m.content} for m in PROMPT]
    assert (judged["max_tokens"], judged["logprobs"], judged["top_logprobs"]) == (1, True, 20)


def test_key_is_sent_and_shown_in_no_error() -> None:
    seen: list[str] = []

    def refuse(exchange: object) -> None:
        seen.append(exchange.headers["Authorization"])  # type: ignore[attr-defined]
        refuses(401)(exchange)  # type: ignore[arg-type]

    with scripted(refuse) as server:
        model = OpenAiChatModel(server.url, "scripted", "s3cret", retries=0)
        with pytest.raises(ModelFailed, match="KB_CHAT_KEY") as caught:
            said(model)
        model.close()

    assert seen == ["Bearer s3cret"]
    assert "s3cret" not in str(caught.value)


# -- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (refuses(500), ModelFailed, "failed .500."),
        (refuses(400), ModelFailed, "made to fail with 400"),
        (refuses(404), ModelFailed, "KB_MODEL"),
        (refuses(401), ModelFailed, "KB_CHAT_KEY"),
        (refuses(503), ModelNotReady, "loading or busy"),
        (refuses(429), ModelNotReady, "loading or busy"),
        (breaks_off("Open "), ModelFailed, "broke off"),
        (says(["Open "], finish=None), ModelFailed, "broke off"),
        (complains("the slot is lost"), ModelFailed, "the slot is lost"),
        (sends(b"<html>a page</html>"), ModelFailed, "broke off|no chat completion"),
    ],
)
def test_failures_are_named_with_what_to_do(reply: Reply, error: type, words: str) -> None:
    with scripted(reply) as server, model_of(server) as model, pytest.raises(error, match=words):
        said(model)


def test_text_that_has_begun_is_neither_lost_nor_asked_for_again() -> None:
    with scripted(breaks_off("Open ", "weights ")) as server, model_of(server, retries=2) as model:
        pieces = model.write(PROMPT, 20, never)

        assert [next(pieces), next(pieces)] == ["Open ", "weights "]
        with pytest.raises(ModelFailed):
            next(pieces)

    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (judges(None), "no log probabilities"),
        (judges({}), "no log probabilities"),
        (judges({"Maybe": -0.1}), "neither yes nor no"),
        (sends(b'{"choices": []}'), "no chat completion"),
        (sends(b'{"choices": null}'), "no chat completion"),
        (sends(b"[]"), "no chat completion"),
    ],
)
def test_judgement_that_can_not_be_read_is_an_error_and_not_a_number(
    reply: Reply, words: str
) -> None:
    with (
        scripted(reply) as server,
        model_of(server) as model,
        pytest.raises(ModelFailed, match=words),
    ):
        model.probability_of_yes(PROMPT, never)


def test_server_that_is_not_there_is_named() -> None:
    with scripted(HELLO) as server:
        pass

    with model_of(server) as model:
        with pytest.raises(ModelFailed, match="KB_CHAT_URL"):
            said(model)
        assert model.status[0] == "failed"


def test_what_fails_before_the_first_byte_is_tried_again() -> None:
    replies = (refuses(500, {"Retry-After-Ms": "10"}), refuses(503, {"Retry-After-Ms": "10"}))

    with scripted(*replies, HELLO) as server, model_of(server, retries=2) as model:
        assert said(model) == "Open weights matter."

    assert len(server.requests) == 3


# -- silence and cancelling ----------------------------------------------------------------------


def test_silence_ends_in_an_error() -> None:
    with scripted(HELLO) as server:
        server.replies = [server.stalls("Open ")]
        silent = pytest.raises(ModelFailed, match="fell silent")
        with model_of(server, silence_seconds=0.5) as model, silent:
            said(model)


@pytest.mark.parametrize("words", [(), ("Open ",)], ids=["before the first word", "midway"])
def test_cancelling_closes_the_connection_within_a_second(words: tuple[str, ...]) -> None:
    cancelled = threading.Event()
    with scripted(HELLO) as server:
        server.replies = [server.stalls(*words)]
        with model_of(server) as model:
            threading.Timer(0.3, cancelled.set).start()
            assert said(model, cancelled.is_set) == "".join(words)
            await_let_go(server)

    assert server.let_go_after[0] < 1.3


def test_closing_the_generator_closes_the_connection() -> None:
    with scripted(HELLO) as server:
        server.replies = [server.stalls("Open ")]
        with model_of(server) as model:
            pieces = model.write(PROMPT, 20, never)
            assert next(pieces) == "Open "
            pieces.close()  # type: ignore[attr-defined]  # an Iterator that is a generator
            await_let_go(server)


def test_closing_the_model_ends_what_is_running() -> None:
    with scripted(HELLO) as server:
        server.replies = [server.stalls("Open ")]
        with model_of(server) as model:
            pieces = model.write(PROMPT, 20, never)
            next(pieces)
            model.close()

            with pytest.raises(ModelFailed, match="closed"):
                list(pieces)
            assert model.status[0] == "failed"


def await_let_go(server: ScriptedChatServer) -> None:
    last = time.monotonic() + 10
    while not server.let_go_after and time.monotonic() < last:
        time.sleep(0.02)
    assert server.let_go_after, "the connection stayed open"


# -- the circuit breaker -------------------------------------------------------------------------


def test_server_that_keeps_failing_is_left_alone_and_tried_again_later() -> None:
    clock = [100.0]
    breaker = Breaker(failures=2, rest_seconds=10, now=lambda: clock[0])
    with scripted(refuses(500)) as server, model_of(server, breaker) as model:
        for _ in range(2):
            with pytest.raises(ModelFailed):
                said(model)
        with pytest.raises(ModelNotReady, match="tried again in 10 s"):
            said(model)
        assert len(server.requests) == 2

        clock[0] += 11
        server.replies = [HELLO]

        assert said(model) == said(model) == "Open weights matter."


def test_what_the_caller_got_wrong_does_not_open_the_breaker() -> None:
    breaker = Breaker(failures=1)
    with scripted(refuses(404)) as server, model_of(server, breaker) as model:
        for _ in range(3):
            with pytest.raises(ModelFailed, match="KB_MODEL"):
                said(model)

    assert len(server.requests) == 3


def test_open_breaker_lets_one_call_through_in_each_span() -> None:
    clock = [0.0]
    breaker = Breaker(failures=3, rest_seconds=10, now=lambda: clock[0])
    for _ in range(2):
        breaker.failed()
    assert breaker.wait_seconds() == 0
    breaker.failed()
    assert breaker.wait_seconds() == 10
    clock[0] = 10.0

    assert [breaker.wait_seconds() for _ in range(3)] == [0, 10, 10]

    breaker.failed()
    assert breaker.wait_seconds() == 10
    breaker.succeeded()
    assert [breaker.wait_seconds() for _ in range(3)] == [0, 0, 0]


# -- status --------------------------------------------------------------------------------------


def test_status_is_ready_while_the_server_answers() -> None:
    with scripted(HELLO) as server, model_of(server) as model:
        status, words = model.status

    assert status == "ready"
    assert server.url in words
