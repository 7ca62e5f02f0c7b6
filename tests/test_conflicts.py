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


RELEASED = quote("GPT-4o from OpenAI, released April 23, 2026, leads in reasoning.", start=100)
RELEASES = row(
    "Model family: GPT; Latest release (date): GPT-5 (August 7, 2025); GPT-4o (May 2024)"
)


def test_a_date_in_brackets_is_of_the_name_before_it() -> None:
    assert _pairs("When was GPT-4o released?", RELEASED, RELEASES) == [
        (RELEASED.statement, RELEASES.statement)
    ]
    assert _pairs("When was GPT-5 released?", RELEASED, RELEASES) == []


def test_a_more_precise_date_agrees() -> None:
    month = quote("GPT-4o was released in April 2026.", start=700)
    assert _pairs("When was GPT-4o released?", RELEASED, month) == []


def test_a_question_without_a_name_has_its_condition_for_a_subject() -> None:
    asked = "At 50 million tokens a day, what does self-hosting cost a day?"
    high = quote("At 50M tokens/day, self-hosting costs ~$50/day.")
    said = "At 50M tokens/day, an API costs $750/day, compared with $15/day for self-hosting."
    low = quote(said, start=100)
    less = quote("At 5M tokens/day, self-hosting costs $2/day.", start=300)
    assert _pairs(asked, high, less, low) == [(high.statement, low.statement)]


def test_a_limit_and_its_removal_disagree() -> None:
    holds = row("License: Community; Examples: Llama 2, Llama 3; Notable: cap of 700 million users")
    ended = quote("Llama 2 had a cap of 700M users; in Llama 3 it was removed.", start=300)
    asked = "Does the 700 million user limit still apply to Llama 3?"
    assert _pairs(asked, holds, ended) == [(holds.statement, ended.statement)]


def test_a_part_that_is_spared_does_not_deny_what_holds_for_the_rest() -> None:
    partly = quote("The act partially exempts open models from its duties.")
    never = quote("Models with systemic risk get no exemption from the act's duties.", start=300)
    assert _pairs("Does the act exempt open models from its duties?", partly, never) == []


@given(st.data())
def test_a_piece_never_disagrees_with_itself(data: st.DataObject) -> None:
    piece = data.draw(st.sampled_from(units()))
    asked = data.draw(st.sampled_from(["Is it free?", "What does GPT-4o cost?", piece.statement]))
    assert disagreements(asked, [piece, piece]) == []


def test_prices_do_not_disagree_about_a_date() -> None:
    prices = [
        quote("Opus 4.7 costs $5 on a day of May.", start=0),
        quote("Opus 4.7 costs $7 on a day of May.", start=100),
    ]
    assert _pairs("On which day did Opus 4.7 come out?", *prices) == []
    assert _pairs("How much does Opus 4.7 cost on a day?", *prices) != []
