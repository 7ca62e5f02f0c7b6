"""The embedded runtime's queue, against a native model that misbehaves."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.adapters.llamacpp import LlamaCppModel, share_of_yes
from kb.adapters.llamacpp_native import Chunk
from kb.errors import ModelFailed, WeightsMissing
from kb.types import Message

PROMPT = (Message("user", "Hello?"),)

Act = Callable[[Callable[[Chunk], bool]], None]


def never() -> bool:
    return False


def piece(text: str | None, finish: str | None = None) -> Chunk:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish}]}


def says(*chunks: Chunk) -> Act:
    def act(on_chunk: Callable[[Chunk], bool]) -> None:
        for chunk in chunks:
            if on_chunk(chunk):
                return

    return act


def talks_on(on_chunk: Callable[[Chunk], bool]) -> None:
    end = time.monotonic() + 5  # a queue that never stops it shall fail, not hang
    while not on_chunk(piece("on ")) and time.monotonic() < end:
        time.sleep(0.002)


class ActedNative:
    """A native model whose every chat is an act. Records who was let in, and how it ended."""

    def __init__(self, act: Act) -> None:
        self.act = act
        self.asked: list[str] = []
        self.running = threading.Event()
        self.closed = False

    def chat(self, request: Mapping[str, object], on_chunk: Callable[[Chunk], bool]) -> None:
        messages = request["messages"]
        assert isinstance(messages, list)
        self.asked.append(messages[-1]["content"])
        self.running.set()
        self.act(on_chunk)
        self.running.clear()

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "any.gguf"
    path.write_bytes(b"GGUF, or so it says")
    return path


@pytest.fixture
def opened(gguf: Path) -> Iterator[Callable[..., LlamaCppModel]]:
    models = []

    def open_model(native: ActedNative, stall_seconds: float = 5.0) -> LlamaCppModel:
        model = LlamaCppModel(
            gguf, "acted", 2, 512, stall_seconds=stall_seconds, open_native=lambda *_: native
        )
        models.append(model)
        return model

    yield open_model
    for model in models:
        model.close()


Opened = Callable[..., LlamaCppModel]


# -- what goes wrong -----------------------------------------------------------------------------


def test_progress_and_empty_pieces_are_not_text(opened: Opened) -> None:
    progress = {**piece(None), "prompt_progress": {"processed": 3}}
    model = opened(ActedNative(says(progress, piece("Yes"), piece(""), piece(None, "stop"))))

    assert list(model.write(PROMPT, 9, never)) == ["Yes"]


def test_what_the_native_side_complains_of_is_in_the_error(opened: Opened) -> None:
    model = opened(ActedNative(says({"error": {"code": 400, "message": "context exceeded"}})))

    with pytest.raises(ModelFailed, match="context exceeded"):
        list(model.write(PROMPT, 9, never))


def test_an_exception_of_the_native_side_fails_that_call_and_not_the_next(opened: Opened) -> None:
    native = ActedNative(says())
    model = opened(native)

    def breaks(on_chunk: Callable[[Chunk], bool]) -> None:
        raise ValueError("expected 'content'")

    native.act = breaks
    with pytest.raises(ModelFailed, match="expected 'content'"):
        list(model.write(PROMPT, 9, never))

    native.act = says(piece("fine", "stop"))
    assert list(model.write(PROMPT, 9, never)) == ["fine"]


def test_a_text_that_breaks_off_without_a_reason_is_an_error(opened: Opened) -> None:
    model = opened(ActedNative(says(piece("half a"))))

    with pytest.raises(ModelFailed, match="broke off"):
        list(model.write(PROMPT, 9, never))


def test_a_judgement_that_never_comes_is_an_error(opened: Opened) -> None:
    model = opened(ActedNative(says(piece(None, "stop"))))

    with pytest.raises(ModelFailed, match="broke off"):
        model.probability_of_yes(PROMPT, never)


def test_a_silent_model_fails_the_caller_and_everybody_behind_it(opened: Opened) -> None:
    wake = threading.Event()

    def silent(on_chunk: Callable[[Chunk], bool]) -> None:
        wake.wait(5)

    model = opened(ActedNative(silent), stall_seconds=0.3)

    with ThreadPoolExecutor(3) as threads:
        calls = [threads.submit(list, model.write(PROMPT, 9, never)) for _ in range(3)]
        failures = [call.exception(timeout=4) for call in calls]
    wake.set()

    assert [type(failure) for failure in failures] == [ModelFailed] * 3
    assert "no sign of life" in str(failures[0])


def test_a_slow_model_that_still_reports_is_not_taken_for_a_silent_one(opened: Opened) -> None:
    def slow(on_chunk: Callable[[Chunk], bool]) -> None:
        for _ in range(6):
            time.sleep(0.1)
            on_chunk({**piece(None), "prompt_progress": {}})
        on_chunk(piece("there", "stop"))

    assert list(opened(ActedNative(slow), 0.4).write(PROMPT, 9, never)) == ["there"]


# -- whose turn it is ----------------------------------------------------------------------------


def test_callers_are_served_in_the_order_in_which_they_asked(opened: Opened) -> None:
    native = ActedNative(says(piece("ok", "stop")))
    go = threading.Event()
    served = native.act
    native.act = lambda on_chunk: (go.wait(5), served(on_chunk))[1]
    model = opened(native)

    with ThreadPoolExecutor(8) as threads:
        for number in range(8):
            prompt = (Message("user", str(number)),)
            threads.submit(list, model.write(prompt, 9, never))
            time.sleep(0.03)
        go.set()

    assert native.asked == [str(number) for number in range(8)]


def test_a_caller_that_cancels_while_it_waits_never_reaches_the_model(opened: Opened) -> None:
    native = ActedNative(talks_on)
    model = opened(native)
    first = model.write((Message("user", "first"),), 9, never)
    next(first)
    cancel = threading.Event()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(list, model.write((Message("user", "second"),), 9, cancel.is_set))
        time.sleep(0.1)
        cancel.set()
        assert waiting.result(timeout=1) == []
        assert native.running.is_set()  # the first caller's turn has not ended
    first.close()  # type: ignore[attr-defined]  # an Iterator that happens to be a generator
    native.act = says(piece("ok", "stop"))

    assert list(model.write((Message("user", "third"),), 9, never)) == ["ok"]
    assert native.asked == ["first", "third"]


@pytest.mark.parametrize("leave", ["close", "cancel"])
def test_the_native_model_stops_when_its_caller_leaves(opened: Opened, leave: str) -> None:
    native = ActedNative(talks_on)
    gone = threading.Event()
    writing = opened(native).write(PROMPT, 9, gone.is_set)
    next(writing)

    if leave == "cancel":
        gone.set()
        assert list(writing) == []
    else:
        writing.close()  # type: ignore[attr-defined]  # as above
    end = time.monotonic() + 2
    while native.running.is_set() and time.monotonic() < end:
        time.sleep(0.01)

    assert not native.running.is_set()


def test_close_ends_the_running_call_and_fails_the_waiting_ones(opened: Opened) -> None:
    native = ActedNative(talks_on)
    model = opened(native)

    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(list, model.write(PROMPT, 9, never)) for _ in range(2)]
        assert native.running.wait(2)
        time.sleep(0.1)
        began = time.monotonic()
        model.close()
        closed_after = time.monotonic() - began
        failures = [call.exception(timeout=2) for call in calls]

    assert ["closed" in str(failure) for failure in failures] == [True, True]
    assert closed_after < 2
    assert native.closed
    assert len(native.asked) == 1


# -- yes and no ----------------------------------------------------------------------------------


def candidate(token: str, probability: float) -> Mapping[str, object]:
    return {"token": token, "logprob": math.log(probability)}


def test_every_spelling_of_yes_and_no_counts() -> None:
    told = {"Yes": 0.3, " yes": 0.1, "YES": 0.2, "No": 0.1, " no": 0.1, "Maybe": 0.2}

    share = share_of_yes(candidate(token, p) for token, p in told.items())

    assert share == pytest.approx(0.6 / 0.8)


def test_neither_yes_nor_no_is_an_error_and_not_one_half() -> None:
    with pytest.raises(ModelFailed, match="neither yes nor no"):
        share_of_yes([candidate("Perhaps", 0.5), candidate("Yesterday", 0.4)])


PROBABILITY = st.floats(1e-6, 1.0)


@given(PROBABILITY, PROBABILITY, st.lists(PROBABILITY, max_size=5))
def test_other_words_do_not_move_the_share(yes: float, no: float, others: list[float]) -> None:
    answers = [candidate("Yes", yes), candidate("No", no)]
    noise = [candidate(f"word{i}", p) for i, p in enumerate(others)]

    share = share_of_yes(noise + answers)

    assert 0 <= share <= 1
    assert share == pytest.approx(yes / (yes + no))
    assert share == pytest.approx(1 - share_of_yes(swapped(answers)))


def swapped(answers: list[Mapping[str, object]]) -> list[Mapping[str, object]]:
    return [{**a, "token": "No" if a["token"] == "Yes" else "Yes"} for a in answers]


# -- files ---------------------------------------------------------------------------------------


def test_a_missing_file_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="kb models pull"):
        LlamaCppModel(tmp_path / "none.gguf", "none", 2, 512)


def test_a_file_that_is_no_model_is_an_error_that_names_it(gguf: Path) -> None:
    with pytest.raises(ModelFailed, match=r"any\.gguf can't be loaded"):
        LlamaCppModel(gguf, "broken", 2, 512)
