"""A model that loads while the server already answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from conftest import MakeKb

from kb.adapters.background import BackgroundModel, LoadedModel
from kb.errors import ModelFailed, ModelNotReady, WeightsUnavailable
from kb.events import Ask
from kb.fakes_model import ScriptedModel
from kb.types import Message

PROMPT = (Message("user", "Hello?"),)


def never() -> bool:
    return False


def until(happens: Callable[[], bool], seconds: float = 3.0) -> bool:
    end = time.monotonic() + seconds
    while not happens() and time.monotonic() < end:
        time.sleep(0.005)
    return happens()


class SlowLoad:
    """Loads when it is told to."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.go = threading.Event()

    def __call__(self) -> LoadedModel:
        self.go.wait(5)
        return self.model


@pytest.fixture
def load() -> SlowLoad:
    return SlowLoad(ScriptedModel(["hello there"], lambda prompt: 0.75))


def test_every_call_says_how_far_the_loading_is(load: SlowLoad) -> None:
    percent = iter(["34 %", "35 %", "36 %"])
    model = BackgroundModel("small", load, lambda: f"weights are being fetched: {next(percent)}")

    with pytest.raises(ModelNotReady, match="fetched: 34 %"):
        list(model.write(PROMPT, 9, never))
    with pytest.raises(ModelNotReady, match="fetched: 35 %"):
        model.probability_of_yes(PROMPT, never)
    assert model.status == ("loading", "weights are being fetched: 36 %")
    load.go.set()
    model.close()


def test_once_loaded_the_calls_go_through(load: SlowLoad) -> None:
    model = BackgroundModel("small", load)
    load.go.set()

    assert until(lambda: model.status[0] == "ready")
    assert model.name == "small"
    assert "".join(model.write(PROMPT, 9, never)) == "hello there"
    assert model.probability_of_yes(PROMPT, never) == 0.75
    model.close()


def test_a_failed_load_keeps_its_reason() -> None:
    def load() -> LoadedModel:
        raise WeightsUnavailable("neither the hub nor the registry answers; check the network")

    model = BackgroundModel("small", load)

    assert until(lambda: model.status[0] == "failed")
    assert model.status[1] == "neither the hub nor the registry answers; check the network"
    with pytest.raises(ModelNotReady, match="check the network"):
        list(model.write(PROMPT, 9, never))
    model.close()


@pytest.mark.filterwarnings(  # the error is meant to reach the thread's excepthook
    "ignore::pytest.PytestUnhandledThreadExceptionWarning"
)
def test_an_error_nobody_expected_does_not_leave_it_loading_for_ever() -> None:
    def load() -> LoadedModel:
        raise ZeroDivisionError

    model = BackgroundModel("small", load)

    model.close()

    assert model.status[0] == "failed"
    assert "log says why" in model.status[1]


def test_close_waits_for_the_load_and_closes_the_model(load: SlowLoad) -> None:
    model = BackgroundModel("small", load)
    threading.Timer(0.1, load.go.set).start()
    model.close()

    with pytest.raises(ModelFailed, match="closed"):
        load.model.probability_of_yes(PROMPT, never)


def test_a_load_that_ends_after_close_has_its_model_closed(load: SlowLoad) -> None:
    model = BackgroundModel("small", load)
    model.close(wait_seconds=0.05)
    assert load.model.probability_of_yes(PROMPT, never) == 0.75
    load.go.set()

    def closed() -> bool:
        try:
            load.model.probability_of_yes(PROMPT, never)
        except ModelFailed:
            return True
        return False

    assert until(closed)


@pytest.mark.parametrize("kept", [0, 256])
def test_without_a_model_there_are_quotes_whether_answers_are_kept_or_not(
    make_kb: MakeKb, kept: int
) -> None:
    def load() -> LoadedModel:
        raise WeightsUnavailable("check the network")

    kb = make_kb(BackgroundModel("qwen", load), answer_cache=kept)

    answer = kb.ask(Ask("What does the Gemini API cost for a million input tokens?"))

    assert answer.outcome == "quoted"
