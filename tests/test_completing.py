"""What a written answer leaves out is added in the sources' words, and no more than that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quotes import quote, row

from kb.completing import MOST_QUOTES, MOST_WORDS, left_out, settles

CAP = "The Llama license's user cap is 700 million monthly active users."
USES = "Llama's outputs must not be used for improving any other large language model."


def test_a_piece_that_the_answer_does_not_state_is_left_out() -> None:
    answer = "The Llama license has a user cap and a competitor restriction."
    assert left_out("What are the carve-outs?", answer, [quote(USES)]) == [quote(USES)]


def test_a_piece_that_the_answer_repeats_is_not_added() -> None:
    assert left_out("What is the cap?", CAP, [quote(CAP)]) == []


def test_what_a_withheld_sentence_rested_on_is_added_for_less_news() -> None:
    piece = row("Category: Initial cost; Open models: High (GPUs); Closed models: Low (API key)")
    answer = "For closed models the initial cost is low: an API key."
    assert left_out("What are the initial costs?", answer, [piece]) == []
    assert left_out("What are the initial costs?", answer, [piece], [piece]) == [piece]
    whole = f"{answer} For open models (category: GPUs) it is High (GPUs), and Low."
    assert left_out("What are the initial costs?", whole, [piece], [piece]) == []


def test_of_two_that_say_the_same_one_is_added() -> None:
    twice = [quote(USES), quote(USES, start=500)]
    assert len(left_out("What are the carve-outs?", "There are some.", twice)) == 1


def test_the_better_piece_comes_first() -> None:
    weak, strong = replace(quote(CAP), score=0.3), replace(quote(USES, start=500), score=0.9)
    assert left_out("What are the carve-outs?", "Some.", [weak, strong]) == [strong, weak]


PRICES = row("Model: GPT-4o; Input (per 1M tokens): $5.00; Output (per 1M tokens): $30.00")


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("How much is GPT-4o per million tokens?", False),
        ("How much is GPT-4o per million input tokens?", True),
    ],
)
def test_one_of_two_prices_is_the_whole_answer_only_where_it_was_asked_for(
    question: str, whole: bool
) -> None:
    assert settles(question, "GPT-4o costs $5 per million tokens.", [PRICES]) is whole


@given(st.lists(st.text("abcdefgh ", min_size=1, max_size=400), max_size=8), st.text(max_size=50))
def test_added_quotes_are_few_short_and_from_the_evidence(texts: list[str], answer: str) -> None:
    pieces = [quote(text, start=1000 * n) for n, text in enumerate(texts)]
    added = left_out("What?", answer, pieces)
    assert len(added) <= MOST_QUOTES
    assert sum(len(piece.statement.split()) for piece in added) <= MOST_WORDS
    assert all(piece in pieces for piece in added)


@pytest.mark.parametrize(
    ("question", "sentence", "settled"),
    [
        ("When did Gemma 3 ship?", "Gemma 3 shipped on March 12, 2025.", True),
        ("Who makes Falcon?", "Alibaba makes Falcon.", True),
        ("How much does an A100 cost an hour?", "An A100 costs $2 an hour.", True),
        ("What does an A100 cost an hour?", "An A100 costs $2 an hour.", True),
        ("What does an A100 cost an hour?", "An A100 holds 80 GB.", False),
        ("What is a context window?", "A context window holds 128K tokens.", False),
        ("Which three limits apply?", "A cap of 700 million users applies.", False),
        ("Who makes Falcon and where?", "Alibaba makes Falcon.", False),
        ("What event began it?", "It began in March 2023.", False),
        ("In which quarter did it begin?", "It began in March 2023.", True),
        ("Which license has Falcon?", "Falcon has that license.", False),
        ("Can Gemma 3 be sold?", "Gemma 3 was sold in 2025.", False),
    ],
)
def test_only_one_asked_for_fact_settles_a_question(
    question: str, sentence: str, settled: bool
) -> None:
    assert settles(question, sentence, [quote(sentence)]) is settled


def test_a_row_of_which_the_sentence_gives_one_of_two_asked_for_figures_is_cut_short() -> None:
    whole = row("Model: Gemma; Input price: $2.00; Output price: $12.00; Best for: Tests; Year: 25")
    shown = replace(whole, shown="Model: Gemma; Input price: $2.00; Output price: $12.00")
    question = "How much does Gemma cost?"
    assert not settles(question, "Gemma costs $2.00.", [shown])
    assert settles(question, "Gemma costs $2.00 and $12.00.", [shown])


def test_a_sentence_that_gives_one_of_two_prices_is_completed_by_its_own_quote() -> None:
    both = quote("Below 200K, Gemma costs $2.00 for input tokens and $12.00 for output tokens.")
    answer = "Below 200K, Gemma costs $2.00 for input tokens."
    assert not settles("How much does Gemma cost below 200K?", answer, [both])
    assert left_out("How much does Gemma cost below 200K?", answer, [both]) == [both]
