"""An answer is about the very model that was asked of."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quotes import quote

from kb.asked import asked_of, is_of_others, on_asked


@pytest.mark.parametrize(
    ("question", "answer", "others"),
    [
        ("What did Claude Opus 4.6 cost?", "Claude Opus 4.7 costs $5.", True),
        ("How did Gemini 3.1 Pro do on the test?", "GPT-4o scored 82.7% on it.", True),
        ("What did GPT-4o Pro score?", "GPT-4o scored 58.6%.", True),
        ("What did GPT-4o score?", "GPT-4o scored 58.6%.", False),
        ("How do GPT-4o and Claude Opus 4.7 do?", "Claude Opus 4.7 scored 64.3%.", False),
        ("What is Llama 4 Scout for?", "Scout is for long texts.", False),
        ("What did GPT-4o score?", "It scored 58.6%.", False),
        ("Which model is cheaper than GPT-4o?", "Gemini 3 Flash is.", False),
        ("What replaced LLaMA 3.1 405B?", "LLaMA 4 Maverick took its place.", False),
        ("Which sibling of Llama 4 Behemoth is out?", "Llama 4 Scout is.", False),
        ("Who was behind GPT-5.4 on that list?", "Gemini 3.1 Pro was.", False),
        ("What does it cost?", "GPT-4o costs $5.", False),
        ("GPT-4o versus Claude Opus 4.7: which costs more?", "Gemini 3 Flash costs $1.", True),
        ("What is cheaper, GPT-4o or Claude Opus 4.7?", "Gemini 3 Flash is.", True),
        ("Who leads SWE-bench Pro?", "Claude Opus 4.7 leads with 64.3%.", False),
    ],
)
def test_another_model_is_no_answer(question: str, answer: str, others: bool) -> None:
    assert is_of_others(asked_of(question), answer) is others


def test_quotes_are_kept_that_name_what_was_asked_of_or_stand_under_it() -> None:
    named = quote("Gemini 3 Flash costs $0.50.")
    other = quote("GPT-4o costs $5.", start=100)
    under = replace(quote("It costs $0.50 for input.", start=200), heading="Gemini 3 Flash")
    asked = asked_of("What does Gemini 3 Flash cost?")
    assert on_asked(asked, [named, other, under]) == [named, under]


def test_all_quotes_are_kept_where_nothing_particular_was_asked_of() -> None:
    pieces = [quote("An A100 costs $2 an hour.")]
    assert on_asked(asked_of("What does a graphics card cost?"), pieces) == pieces
