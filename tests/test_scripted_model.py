"""The shipped fake: what it can be told to do, beyond what every model promises."""

from __future__ import annotations

import threading
import time
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import ModelFailed, ModelNotReady
from kb.fakes_model import ScriptedModel
from kb.types import Message

PROMPT = (Message("user", "Hello?"),)


def never() -> bool:
    return False


@given(st.text())
def test_the_pieces_add_up_to_the_script(text: str) -> None:
    assert "".join(ScriptedModel([text]).write(PROMPT, 10_000, never)) == text


def test_answers_are_given_in_turn_and_then_no_more() -> None:
    model = ScriptedModel(["first", "second"])

    assert ["".join(model.write(PROMPT, 9, never)) for _ in range(2)] == ["first", "second"]
    with pytest.raises(ModelFailed, match="only 2 answers"):
        list(model.write(PROMPT, 9, never))


def test_a_script_sees_the_prompt() -> None:
    model = ScriptedModel(
        lambda prompt: prompt[-1].content.upper(), lambda prompt: len(prompt[-1].content) / 10
    )

    assert "".join(model.write(PROMPT, 9, never)) == "HELLO?"
    assert model.probability_of_yes(PROMPT, never) == 0.6


def test_every_call_that_reached_it_is_kept() -> None:
    model = ScriptedModel(["a", "b"])
    list(model.write(PROMPT, 9, never))
    list(model.write(PROMPT, 9, lambda: True))
    model.probability_of_yes(PROMPT, never)

    assert model.written == [PROMPT]
    assert model.judged == [PROMPT]


def test_it_can_die_midway() -> None:
    writing = ScriptedModel(["one two three four"], dies_after=2).write(PROMPT, 9, never)

    assert list(islice(writing, 2)) == ["one", " two"]
    with pytest.raises(ModelFailed, match="broke off"):
        next(writing)


def test_it_can_stall_until_its_patience_ends() -> None:
    model = ScriptedModel(["one two three"], stalls_after=1, stall_seconds=0.05)
    writing = model.write(PROMPT, 9, never)

    assert next(writing) == "one"
    with pytest.raises(ModelFailed, match="no sign of life"):
        next(writing)


def test_a_stalled_model_lets_a_caller_go_that_cancels() -> None:
    cancelled = threading.Event()
    model = ScriptedModel(["one two three"], stalls_after=1)
    threading.Timer(0.1, cancelled.set).start()
    began = time.monotonic()

    assert list(model.write(PROMPT, 9, cancelled.is_set)) == ["one"]
    assert time.monotonic() - began < 2


def test_it_can_be_not_ready() -> None:
    model = ScriptedModel(["a"], not_ready="weights are being fetched: 34 %")

    with pytest.raises(ModelNotReady, match="34 %"):
        list(model.write(PROMPT, 9, never))
    with pytest.raises(ModelNotReady, match="34 %"):
        model.probability_of_yes(PROMPT, never)
