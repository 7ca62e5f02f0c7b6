"""One question that asks several: taken apart, searched one by one, put together again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quotes import quote

from kb.evidence import Gathered
from kb.parts import bridge, gather_all, parts
from kb.types import Evidence


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What does Falcon cost?", ("What does Falcon cost?",)),
        (
            "Which license does Falcon use, and what does Gemma use?",
            ("Which license does Falcon use", "what does Gemma use?"),
        ),
        (
            "Who builds Falcon and where are they based?",
            ("Who builds Falcon", "where are they based (Falcon)?"),
        ),
        (
            "Since Falcon is free, where can I get it?",
            ("where can I get it (Falcon)?", "Falcon is free"),
        ),
        (
            "How do Falcon and Gemma differ in context length and in hardware needs?",
            (
                "How do Falcon and Gemma differ in context length?",
                "How do Falcon and Gemma differ in hardware needs?",
            ),
        ),
        ("Is Falcon fast and cheap, and why?", ("Is Falcon fast and cheap, and why?",)),
        (
            "In the guide from 2026, who is named the winner?",
            ("In the guide from 2026, who is named the winner?",),
        ),
        ("Is Falcon older than Gemma and Qwen?", ("Is Falcon older than Gemma and Qwen?",)),
    ],
)
def test_a_question_is_taken_apart_where_it_asks_twice(
    question: str, expected: tuple[str, ...]
) -> None:
    assert parts(question) == expected


@given(st.text(max_size=300))
def test_any_text_has_at_least_one_part_and_a_single_one_is_the_text(question: str) -> None:
    found = parts(question)
    assert 1 <= len(found) <= 3
    assert len(found) > 1 or found == (question,)


def test_a_described_model_leads_to_a_second_search_with_its_name() -> None:
    gathered = _gathered("On the SWE-bench Pro test Claude Opus 4.7 has the best score.")
    asked = "The model with the best SWE-bench Pro score is sold on which clouds?"
    onward = bridge(asked, gathered)
    assert onward is not None
    assert onward.startswith("Claude Opus 4.7 ")
    assert "clouds" in onward
    assert "best" not in onward


def test_a_question_that_names_its_model_needs_no_second_search() -> None:
    gathered = _gathered("Falcon-180B is larger than Gemma 3.")
    assert bridge("On which clouds is Gemma 3 sold?", gathered) is None


def test_nothing_found_leads_nowhere() -> None:
    assert bridge("Which model is best?", Gathered((), 0.0, ())) is None


def test_evidence_of_every_part_is_put_together_once_with_the_best_of_each_first() -> None:
    first = quote("Falcon is under Apache 2.0.", start=0)
    shared = quote("Falcon and Gemma are open.", start=40)
    second = quote("Gemma has terms of its own.", start=80)
    found = {
        "Which license does Falcon use": (first, shared),
        "what does Gemma use?": (shared, second),
    }
    seen: list[tuple[str, int]] = []

    def look(question: str, words: int) -> Gathered:
        seen.append((question, words))
        return Gathered(found[question], 0.5, (), found[question])

    gathered = gather_all("Which license does Falcon use, and what does Gemma use?", look, 100)
    assert gathered.evidence == (first, shared, second)
    assert gathered.near == (first, shared, second)
    assert [words for _, words in seen] == [50, 50]
    assert gathered.uncovered == ("license", "use")


def test_words_that_no_part_mentions_stay_uncovered() -> None:
    gathered = gather_all(
        "Which license does Falcon use, and what does Gemma cost?",
        lambda question, words: _gathered("Falcon is under the Apache license."),
        100,
    )
    assert "cost" in gathered.uncovered
    assert "license" not in gathered.uncovered


def _gathered(*statements: str) -> Gathered:
    pieces: list[Evidence] = []
    for number, statement in enumerate(statements):
        pieces.append(replace(quote(statement, start=1000 * number), score=0.9 - number / 10))
    return Gathered(tuple(pieces), 0.9, (), tuple(pieces))


def test_a_question_of_no_model_is_not_led_on() -> None:
    gathered = _gathered("A quantized Llama 4 Scout can run on the M5 Max with 460 GB/s.")
    assert bridge("How much memory bandwidth does the M5 Max have?", gathered) is None
