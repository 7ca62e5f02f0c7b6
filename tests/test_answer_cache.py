"""Answers that are kept: told again while what they rest on is found again, and never longer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import ClientOf, MakeKb
from hypothesis import given
from hypothesis import strategies as st
from shelf import PRICES, WEIGHTS, first_passage, publish
from talk import ANSWER, PIECE, received

from kb.answer_cache import AnswerCache, key_of
from kb.events import Answered, Ask, Event, EvidenceFound, SentencePassed
from kb.evidence import Gathered
from kb.fakes_model import ScriptedModel
from kb.types import Document, Filters
from kb.wiring import KnowledgeBase

PRICE = "What does the Gemini API cost for a million input tokens?"
TUNING = "How many GPUs does fine-tuning an open-weights model take?"
DEARER = replace(PRICES, text=PRICES.text.replace("$2.00", "$3.00"))
UNRELATED = Document("tea", "Tea", None, "tea.md", None, "# Tea\n\nTea is steeped for 4 minutes.\n")
GATHERED = Gathered((PIECE,), 0.5, (), (PIECE,))


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(first_passage)


@pytest.fixture
def kb(make_kb: MakeKb, model: ScriptedModel) -> KnowledgeBase:
    return make_kb(model)


# -- hits ------------------------------------------------------------------------------------------


def test_the_same_question_needs_no_model(kb: KnowledgeBase, model: ScriptedModel) -> None:
    first = kb.ask(Ask(PRICE))
    calls = len(model.written), len(model.judged)

    second = kb.ask(Ask(f"  {PRICE.rstrip('?')} "))

    assert (len(model.written), len(model.judged)) == calls
    assert (first.cached, second.cached) == (False, True)
    assert (second.text, second.citations) == (first.text, first.citations)
    assert second.id != first.id
    assert second.conversation_id != first.conversation_id
    assert second.question == f"  {PRICE.rstrip('?')} "


def test_a_capital_letter_may_make_it_another_question(kb: KnowledgeBase) -> None:
    """ "may" is no month: what is found for both can be the same, the answer not."""
    kb.ask(Ask(PRICE))

    assert not kb.ask(Ask(PRICE.lower())).cached


def test_a_hit_tells_the_same_events(kb: KnowledgeBase) -> None:
    def events() -> list[Event]:
        return list(kb.events(Ask(PRICE)))

    first, second = events(), events()

    assert [type(event) for event in first] == [type(event) for event in second]
    assert [e for e in first if isinstance(e, SentencePassed)] == [
        e for e in second if isinstance(e, SentencePassed)
    ]
    recalled = [e.recalled for e in (*first, *second) if isinstance(e, EvidenceFound)]
    assert recalled == [False, True]


def test_timings_of_a_hit_are_its_own(kb: KnowledgeBase) -> None:
    kb.ask(Ask(PRICE))

    again = kb.ask(Ask(PRICE))

    assert set(again.timings_ms) == {"retrieve", "first_sentence", "total"}
    assert 0 <= again.timings_ms["retrieve"] <= again.timings_ms["total"]


def test_a_refusal_is_kept_with_what_came_nearest(make_kb: MakeKb) -> None:
    kb = make_kb(ScriptedModel(first_passage, probability=0.0))
    first, second = kb.ask(Ask(PRICE)), kb.ask(Ask(PRICE))

    assert (first.outcome, first.reason) == (second.outcome, second.reason)
    assert first.outcome == "refused"
    assert (first.nearest, second.cached) == (second.nearest, True)
    assert set(second.timings_ms) == {"total"}


def test_a_hit_is_marked_in_the_answer_and_in_the_stream(
    kb: KnowledgeBase, client_of: ClientOf
) -> None:
    client = client_of(kb)
    told = [client.post("/v1/ask", json={"question": PRICE}).json()["cached"] for _ in range(2)]

    stream = client.post(
        "/v1/ask", json={"question": PRICE}, headers={"Accept": "text/event-stream"}
    )

    events = received(stream.text)
    assert told == [False, True]
    assert [one.event for one in events][-2:] == ["answer", "done"]
    assert events[-2].data["cached"] is True
    assert "sentence" in [one.event for one in events]


# -- misses ----------------------------------------------------------------------------------------


def test_a_changed_source_is_answered_anew(kb: KnowledgeBase) -> None:
    first = kb.ask(Ask(PRICE))
    publish(kb, [DEARER])

    second = kb.ask(Ask(PRICE))

    assert "$2.00" in first.text
    assert "$3.00" in second.text
    assert not second.cached
    assert all(c.source.revision != PRICES.revision for c in second.citations)


def test_an_earlier_version_keeps_its_own_answer(kb: KnowledgeBase) -> None:
    kb.ask(Ask(PRICE))
    publish(kb, [DEARER])
    kb.ask(Ask(PRICE))

    earlier, current = kb.ask(Ask(PRICE, corpus_version=1)), kb.ask(Ask(PRICE))

    assert (earlier.cached, current.cached) == (True, True)
    assert ("$2.00" in earlier.text, "$3.00" in current.text) == (True, True)
    assert (earlier.corpus_version, current.corpus_version) == (1, 2)


def test_a_new_title_of_the_same_text_is_answered_anew(kb: KnowledgeBase) -> None:
    kb.ask(Ask(PRICE))
    publish(kb, [replace(PRICES, title="Renamed")])

    answer = kb.ask(Ask(PRICE))

    assert "Renamed" in {c.source.title for c in answer.citations}
    assert PRICES.title not in {c.source.title for c in answer.citations}


def test_a_question_with_other_filters_is_another_one(kb: KnowledgeBase) -> None:
    kb.ask(Ask(PRICE))

    filtered = kb.ask(Ask(PRICE, filters=Filters(document_ids=("open-weights",))))

    assert not filtered.cached


def test_an_answer_without_the_model_is_not_kept(make_kb: MakeKb) -> None:
    kb = make_kb(ScriptedModel(not_ready="the chat model is being loaded"))

    answers = [kb.ask(Ask(PRICE)) for _ in range(2)]

    assert [(one.outcome, one.cached) for one in answers] == [("quoted", False)] * 2


def test_an_answer_that_broke_off_is_not_kept(make_kb: MakeKb) -> None:
    kb = make_kb(ScriptedModel(first_passage, dies_after=3))

    assert [kb.ask(Ask(PRICE)).cached for _ in range(2)] == [False, False]


def test_an_answer_that_was_cut_short_is_not_kept(kb: KnowledgeBase) -> None:
    gone = threading.Event()
    for event in kb.events(Ask(PRICE), gone.is_set):
        if isinstance(event, EvidenceFound):
            gone.set()

    assert not kb.ask(Ask(PRICE)).cached


def test_nothing_is_kept_where_the_settings_say_so(make_kb: MakeKb) -> None:
    kb = make_kb(answer_cache=0)

    assert [kb.ask(Ask(PRICE)).cached for _ in range(2)] == [False, False]


# -- deleting --------------------------------------------------------------------------------------


def test_a_deleted_document_takes_its_answers_along(kb: KnowledgeBase) -> None:
    kb.ask(Ask(PRICE))

    receipt = kb.upkeep.delete("api-prices")

    assert receipt.removed.cached == 1
    assert receipt.left.nothing
    again = kb.ask(Ask(PRICE))
    assert not again.cached
    assert "api-prices" not in {c.source.document_id for c in again.citations}


def test_what_is_answered_during_a_deletion_is_not_kept() -> None:
    cache = AnswerCache(8)
    key = key_of("Q?", Filters(), "m", GATHERED)

    def events() -> Iterator[Event]:
        cache.forget_document(PIECE.source.document_id)
        yield Answered(ANSWER)

    list(cache.keeping(key, events(), lambda: False))

    assert cache.recall(key) == ()


# -- keys and room ---------------------------------------------------------------------------------


def test_the_answer_used_longest_ago_makes_room() -> None:
    cache = AnswerCache(2)
    a, b, c = (key_of(word, Filters(), "m", GATHERED) for word in "abc")
    for key in (a, b):
        list(cache.keeping(key, iter([Answered(ANSWER)]), lambda: False))
    cache.recall(a)

    list(cache.keeping(c, iter([Answered(ANSWER)]), lambda: False))

    assert [bool(cache.recall(key)) for key in (a, b, c)] == [True, False, True]
    assert len(cache) == 2


def test_an_answer_that_quotes_more_than_was_found_is_not_kept() -> None:
    cache = AnswerCache(2)
    key = key_of("q", Filters(), "m", Gathered((), 0.5, ()))

    list(cache.keeping(key, iter([Answered(ANSWER)]), lambda: False))

    assert cache.recall(key) == ()


@given(st.text(), st.text(alphabet=" \t\n?!."))
def test_what_ends_a_question_makes_no_difference(question: str, end: str) -> None:
    plain = key_of(question, Filters(), "m", GATHERED)

    assert key_of(question + end, Filters(), "m", GATHERED) == plain
    assert key_of(f" {question}", Filters(), "m", GATHERED) == plain


@given(st.integers(1, 30), st.sampled_from(["source", "start", "model", "filters", "near"]))
def test_any_change_of_what_is_found_is_another_key(by: int, changed: str) -> None:
    before = key_of("q", Filters(), "m", GATHERED)
    moved = replace(PIECE, start=PIECE.start + by, end=PIECE.end + by)
    revised = replace(PIECE, source=replace(PIECE.source, revision=f"sha256:{by}"))
    after = {
        "source": key_of("q", Filters(), "m", replace(GATHERED, evidence=(revised,))),
        "start": key_of("q", Filters(), "m", replace(GATHERED, evidence=(moved,))),
        "near": key_of("q", Filters(), "m", replace(GATHERED, near=(PIECE, moved))),
        "model": key_of("q", Filters(), f"m{by}", GATHERED),
        "filters": key_of("q", Filters(document_ids=(str(by),)), "m", GATHERED),
    }

    assert after[changed] != before


def test_an_unrelated_document_leaves_answers_be(make_kb: MakeKb) -> None:
    kb = make_kb(documents=(WEIGHTS, PRICES))
    kb.ask(Ask(TUNING, filters=Filters(document_ids=("open-weights",))))
    publish(kb, [UNRELATED])

    again = kb.ask(Ask(TUNING, filters=Filters(document_ids=("open-weights",))))

    assert again.cached
    assert again.corpus_version == 2
