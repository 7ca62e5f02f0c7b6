"""A model that dies, stalls or is not there: verified quotes, within the deadline, labelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from corpora import Fact, asked, assert_sound, knowing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shelf import BY_THE_MODEL

from kb.answer_cache import AnswerCache
from kb.answering.answer import Answering, Limits
from kb.events import Ask
from kb.fakes_model import ScriptedModel
from kb.types import Answer, Document
from kb.wiring import KnowledgeBase

GEMMA = Fact("Gemma 3", "$3.21", 128, "May 5, 2025")
FALCON = Fact("Falcon 2", "$0.75", 32, "March 9, 2024")
TEXT = "\n\n".join(["# Report", *(" ".join(fact.sentences) for fact in (GEMMA, FALCON))]) + "\n"
REPORT = Document("report", "Report", None, "report.md", None, TEXT)
QUESTION = "What does Gemma 3 cost per million input tokens?"
SAID = f"{GEMMA.sentences[0]} {GEMMA.sentences[1]} {GEMMA.sentences[2]}"
WORDS = len(SAID.split())
DEADLINE = 20.0
SLACK = 15  # looks at the clock that an answer may still take after its deadline, a second each


@dataclass
class Clock:
    """A second goes by with each look at it, so that whoever waits by it waits for no real one."""

    now: float = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@contextmanager
def answering_with(
    model: ScriptedModel, clock: Callable[[], float] | None = None
) -> Iterator[KnowledgeBase]:
    with knowing([REPORT], model) as kb:
        limits = Limits(answer_seconds=DEADLINE)
        timed = Answering(
            kb.catalog,
            kb.retriever,
            model,
            BY_THE_MODEL,
            limits,
            AnswerCache(0),
            clock=clock or Clock(),
        )
        yield replace(kb, answering=timed)


def answer_of(model: ScriptedModel) -> Answer:
    with answering_with(model) as kb:
        answer, events = asked(kb, QUESTION)
        assert_sound(kb, answer, events)
    return answer


def is_verbatim(answer: Answer) -> bool:
    return answer.text.startswith(GEMMA.sentences[0]) and bool(answer.citations)


@pytest.mark.parametrize(
    "model",
    [
        ScriptedModel([SAID], not_ready="the weights are being fetched: 34 %"),
        ScriptedModel([SAID], dies_after=0),
        ScriptedModel([SAID], dies_after=3),
        ScriptedModel([SAID], stalls_after=0),
        ScriptedModel([SAID], stalls_after=0, stall_seconds=0.02),
        ScriptedModel([]),
    ],
    ids=["not ready", "dead", "dies early", "silent", "gives up", "has nothing to say"],
)
def test_without_a_model_the_verified_quotes_are_the_answer_and_say_so(
    model: ScriptedModel,
) -> None:
    answer = answer_of(model)

    assert answer.outcome == "quoted"
    assert is_verbatim(answer)


def test_a_closed_model_leaves_the_quotes() -> None:
    model = ScriptedModel([SAID])
    model.close()

    assert answer_of(model).outcome == "quoted"


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, WORDS))
def test_wherever_a_model_dies_what_was_checked_stands(pieces: int) -> None:
    answer = answer_of(ScriptedModel([SAID], dies_after=pieces))

    whole = [sentence for sentence in GEMMA.sentences if sentence in answer.text]
    assert GEMMA.sentences[0] in whole
    assert answer.outcome in ("answered", "quoted")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, WORDS - 1))
def test_wherever_a_model_stalls_the_deadline_ends_it(pieces: int) -> None:
    answer = answer_of(ScriptedModel([SAID], stalls_after=pieces))

    assert DEADLINE <= answer.timings_ms["total"] / 1000 <= DEADLINE + SLACK
    assert answer.outcome in ("answered", "quoted")


def test_a_model_that_stalls_after_its_first_sentence_has_answered() -> None:
    first = len(GEMMA.sentences[0].split())

    lines = SAID.replace(" The", "\nThe", 1)
    answer = answer_of(ScriptedModel([lines], stalls_after=first + 1))

    assert answer.outcome == "answered"
    assert answer.text.startswith(f"{GEMMA.sentences[0]} [1]")


def test_a_sentence_that_the_deadline_cut_off_is_not_shown() -> None:
    """Half a sentence can say what the whole one takes back: "free … for research only"."""
    text = "# Report\n\nFalcon 2 may be used and sold for free in the EU by research groups only.\n"
    free = Document("free", "Report", None, "free.md", None, text)
    said = "Falcon 2 may be used and sold for free in the EU by research groups only."
    model = ScriptedModel([said], stalls_after=said.split().index("EU") + 1)

    with knowing([free], model, answer_seconds=1.0) as kb:
        answer, _ = asked(kb, "May Falcon 2 be used and sold for free in the EU?")

    assert said in answer.text
    assert not answer.text.startswith(said.partition(" by research")[0] + " [")


def test_a_reader_who_leaves_stops_the_model() -> None:
    """Who asked is gone while the model is silent, long before any deadline."""
    model = ScriptedModel([SAID], stalls_after=2)
    looks = iter(range(40))

    with answering_with(model, lambda: 0.0) as kb:
        answer = kb.ask(Ask(QUESTION), lambda: next(looks, None) is None)

    assert len(model.written) == 1
    assert answer.outcome == "quoted"


def test_a_reader_who_is_gone_already_costs_no_generation() -> None:
    model = ScriptedModel([SAID])

    with answering_with(model) as kb:
        answer = kb.ask(Ask(QUESTION), lambda: True)

    assert answer.outcome == "quoted"
    assert model.written == []


def test_the_deadline_is_the_settings() -> None:
    model = ScriptedModel([SAID], stalls_after=0)

    with knowing([REPORT], model, answer_seconds=1.0) as kb:
        answer, _ = asked(kb, QUESTION)

    assert answer.outcome == "quoted"
    assert 1000 <= answer.timings_ms["total"] < 10_000
