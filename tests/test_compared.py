"""What is called the greater of two figures is the greater."""

from __future__ import annotations

import pytest

from kb.compared import misordered


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
