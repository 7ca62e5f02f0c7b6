"""What every chat model promises: scripted, still loading, in this process, on a server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import chat_servers
import pytest
from chat_servers import LlamaCppProcess, ScriptedChatServer

from kb.adapters.background import BackgroundModel, LoadedModel
from kb.adapters.llamacpp import LlamaCppModel
from kb.adapters.openai_chat import OpenAiChatModel
from kb.errors import ModelFailed
from kb.fakes_model import ScriptedModel
from kb.settings import load_settings
from kb.types import Message

COUNT = (Message("system", "You are terse."), Message("user", "Count to fifty in words."))
YES_OR_NO = (Message("user", "Is Paris in France? Reply Yes or No."),)

Open = Callable[[], LoadedModel]


def never() -> bool:
    return False


def always() -> bool:
    return True


def scripted() -> LoadedModel:
    return ScriptedModel(lambda prompt: "one two three four " * 20, lambda prompt: 0.75)


def background() -> LoadedModel:
    model = BackgroundModel("scripted", scripted)
    while model.status[0] == "loading":
        time.sleep(0.01)
    return model


def smollm() -> LoadedModel:
    return LlamaCppModel(smollm_path(), "smollm2-135m", threads=2, context_tokens=1024)


def smollm_path() -> Path:
    found = sorted((load_settings().weights / "smollm2-135m").glob("*.gguf"))
    if not found:
        pytest.skip("SmolLM2's weights are not under KB_HOME; `kb models pull smollm2-135m`")
    return found[0]


@pytest.fixture(scope="module")
def chat_server() -> Iterator[ScriptedChatServer]:
    with chat_servers.scripted(chat_servers.says(["one ", "two ", "three "] * 20)) as server:
        yield server


@pytest.fixture(scope="module")
def llama_cpp() -> Iterator[LlamaCppProcess]:
    server = LlamaCppProcess(smollm_path())
    yield server
    server.stop()


HERE = {"scripted": scripted, "background": background, "llama.cpp": smollm}
SERVED = {"server": "chat_server", "llama.cpp server": "llama_cpp"}
MODELS = [
    pytest.param(name, marks=[pytest.mark.model] if name.startswith("llama") else [])
    for name in (*HERE, *SERVED)
]


@pytest.fixture(params=MODELS, scope="module")
def opening(request: pytest.FixtureRequest) -> Open:
    if request.param in HERE:
        return HERE[request.param]
    url: str = request.getfixturevalue(SERVED[request.param]).url
    return lambda: OpenAiChatModel(url, "smollm2-135m")


@pytest.fixture(scope="module")
def model(opening: Open) -> Iterator[LoadedModel]:
    opened = opening()
    yield opened
    opened.close()


@pytest.fixture
def closed(opening: Open) -> LoadedModel:
    opened = opening()
    opened.close()
    return opened


def text(model: LoadedModel, prompt: Sequence[Message] = COUNT, max_tokens: int = 12) -> str:
    return "".join(model.write(prompt, max_tokens, never))


def test_a_model_has_a_name(model: LoadedModel) -> None:
    assert model.name


def test_text_comes_in_pieces_none_of_them_empty(model: LoadedModel) -> None:
    pieces = list(model.write(COUNT, 12, never))

    assert len(pieces) > 3
    assert all(pieces)


def test_no_more_pieces_come_than_tokens_were_allowed(model: LoadedModel) -> None:
    assert 0 < len(list(model.write(COUNT, 5, never))) <= 5


def test_the_same_prompt_gives_the_same_text(model: LoadedModel) -> None:
    assert text(model) == text(model)


def test_a_caller_that_has_cancelled_already_gets_nothing(model: LoadedModel) -> None:
    assert list(model.write(COUNT, 40, always)) == []


def test_cancelling_midway_ends_the_text_soon_and_without_an_error(model: LoadedModel) -> None:
    cancelled = threading.Event()
    pieces = []

    for piece in model.write(COUNT, 200, cancelled.is_set):
        pieces.append(piece)
        if len(pieces) == 3:
            cancelled.set()

    assert len(pieces) == 3


def test_closing_the_generator_frees_the_model_for_the_next_caller(model: LoadedModel) -> None:
    whole = text(model)
    broken_off = model.write(COUNT, 400, never)
    list(islice(broken_off, 2))
    broken_off.close()  # type: ignore[attr-defined]  # an Iterator that happens to be a generator
    began = time.monotonic()

    assert text(model) == whole
    assert time.monotonic() - began < 10


def test_probability_of_yes_is_a_probability_and_repeatable(model: LoadedModel) -> None:
    first = model.probability_of_yes(YES_OR_NO, never)

    assert 0 <= first <= 1
    assert model.probability_of_yes(YES_OR_NO, never) == pytest.approx(first, abs=0.02)


def test_a_cancelled_judgement_is_an_error_and_not_a_number(model: LoadedModel) -> None:
    with pytest.raises(ModelFailed, match="cancelled"):
        model.probability_of_yes(YES_OR_NO, always)


def test_callers_in_several_threads_get_what_each_would_get_alone(model: LoadedModel) -> None:
    prompts = [(Message("user", f"Say the word {word}."),) for word in ("red", "green", "blue")]
    alone = [text(model, prompt) for prompt in prompts]

    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(lambda prompt: text(model, prompt), prompts))

    assert together == alone


def test_calls_after_close_fail(closed: LoadedModel) -> None:
    with pytest.raises(ModelFailed, match="closed"):
        list(closed.write(COUNT, 5, never))
    with pytest.raises(ModelFailed, match="closed"):
        closed.probability_of_yes(YES_OR_NO, never)


def test_closing_twice_is_harmless(closed: LoadedModel) -> None:
    closed.close()

    with pytest.raises(ModelFailed):
        list(closed.write(COUNT, 5, never))
