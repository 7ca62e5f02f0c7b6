"""What is called the greater of two figures is the greater, and a part of a sum isn't the sum."""

from __future__ import annotations

import pytest
from quotes import quote

from kb.compared import misordered, summands


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("Mistral has the better score of 81.2%, while Qwen has 82.1%.", ["81.2%"]),
        ("Qwen has the better score of 82.1%, while Mistral has 81.2%.", []),
        ("Opus costs $5, whereas Flash, at $0.50, is cheaper.", []),
        ("Opus is cheaper at $5, whereas Flash costs $0.50.", ["$5"]),
        ("Opus is more expensive at $5 than Flash at $0.50.", []),
        ("Scout holds 10 tokens, longer than the 20 tokens of Opus.", ["10"]),
        ("Opus is better at $5 than Flash at $0.50.", []),  # who knows
        ("Opus scores 87% and is ahead.", []),
        ("Opus costs $5 and scores higher, 87%, than Flash.", []),
        ("Opus scores 87%, while Flash scores 64%.", []),
        ("", []),
    ],
)
def test_the_greater_is_called_the_greater(sentence: str, wrong: list[str]) -> None:
    found = list(misordered(sentence))
    assert found == [w.lstrip("$") for w in wrong]


ADDED = quote("At 5M tokens, GPT-4o at $5/$30 costs $12.50 + $75 = $87.50/day.")


@pytest.mark.parametrize(
    ("sentence", "part"),
    [
        ("5 million tokens would cost $12.50 a day.", ["12.50"]),
        ("5 million tokens would cost $75 a day.", ["75"]),
        ("5 million tokens would cost $87.50 a day.", []),
        ("It is $12.50 for one half and $75 for the other.", []),
        ("It is $12.50 of $87.50 a day.", []),
        ("GPT-4o costs $5 and $30.", []),
        ("That is expensive.", []),
    ],
)
def test_a_part_of_a_sum_is_not_given_for_the_sum(sentence: str, part: list[str]) -> None:
    assert list(summands(sentence, [ADDED])) == part
    assert list(summands(sentence, [])) == []
