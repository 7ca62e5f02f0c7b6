"""What disagrees is shown as two positions; what differs in scope does not disagree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quotes import quote, row, units

from kb.conflicts import disagreements
from kb.types import Evidence


def _pairs(question: str, *pieces: Evidence) -> list[tuple[str, str]]:
    return [(d.first.statement, d.second.statement) for d in disagreements(question, pieces)]


TWO = quote("Gemini 3.1 Pro is the only model with a context window of 2M tokens.", start=100)
ONE = row("Model: Gemini 3.1 Pro; Context window: 1M tokens")


def test_two_values_for_the_same_thing_disagree() -> None:
    asked = "How long is Gemini 3.1 Pro's context window?"
    assert _pairs(asked, ONE, TWO) == [(ONE.statement, TWO.statement)]


def test_the_same_value_in_another_spelling_agrees() -> None:
    same = quote("Gemini 3.1 Pro has a context window of 1 million tokens.", start=100)
    assert _pairs("How long is Gemini 3.1 Pro's context window?", ONE, same) == []


@pytest.mark.parametrize(
    ("question", "first", "second"),
    [
        (
            "What does GPT-4o cost per million tokens?",
            "GPT-4o costs $5 per million input tokens.",
            "GPT-4o costs $30 per million output tokens.",
        ),
        (
            "What does GPT-4o cost per million tokens?",
            "GPT-4o costs $5 per million tokens.",
            "GPT-4o mini costs $1 per million tokens.",
        ),
        (
            "What does Gemini 3.1 Pro cost per million tokens?",
            "Gemini 3.1 Pro costs $2 per million tokens below 200K.",
            "Gemini 3.1 Pro costs $4 per million tokens above 200K.",
        ),
        (
            "Can GPT-4o be fine-tuned?",
            "GPT-4o mini can be fine-tuned through the API.",
            "GPT-4o cannot be run on your own servers.",
        ),
    ],
)
def test_another_scope_is_no_disagreement(question: str, first: str, second: str) -> None:
    assert _pairs(question, quote(first), quote(second, start=200)) == []


def test_an_open_licence_and_its_denial_disagree() -> None:
    open_row = row("Model family: Qwen; Developer: Alibaba; License: Apache 2.0")
    denied = quote("Qwen and Mistral are not open source in the OSI-compliant sense.", start=300)
    asked = "Is Qwen released under an open source license?"
    assert _pairs(asked, open_row, denied) == [(open_row.statement, denied.statement)]


NONE = quote("For whole books no open-weights model matches the proprietary context length.")
ALL = quote("On context length open-weights models now match proprietary models.", start=400)


def test_a_statement_and_its_negation_disagree_where_yes_or_no_is_asked() -> None:
    asked = "Can an open-weights model match the context length of proprietary models?"
    assert set(*_pairs(asked, NONE, ALL)) == {NONE.statement, ALL.statement}


def test_the_same_pair_is_no_disagreement_about_something_else() -> None:
    assert _pairs("Which context length do open-weights models reach?", NONE, ALL) == []
    assert _pairs("Can an open-weights model be sold to hospitals?", NONE, ALL) == []


@given(st.data())
def test_a_piece_never_disagrees_with_itself(data: st.DataObject) -> None:
    piece = data.draw(st.sampled_from(units()))
    asked = data.draw(st.sampled_from(["Is it free?", "What does GPT-4o cost?", piece.statement]))
    assert disagreements(asked, [piece, piece]) == []
