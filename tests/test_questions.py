"""What kind of answer a question asks for."""

from __future__ import annotations

import pytest

from kb.questions import is_yes_or_no


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Can Falcon be sold?", True),
        ("is it allowed to sell it", True),
        ("For very long texts, does an open model fit?", True),
        ("A fault shows up in our model. Can the vendor mend it?", True),
        ("If we pay a vendor to tune a model on the data that we hold, is it ours?", True),
        ("The rules spare us because the model is open. Please confirm.", True),
        ("The rules spare us, right?", True),
        ("The rules spare us, don't they?", True),
        ("No need to read them then, agreed?", True),
        ("So the licence allows it, no?", True),
        ("ok so do they sell it", True),
        ("so r candles sold here? my boss says so", True),
        ("Isn't it sold?", True),
        ("The boss wants to know whether it is sold here.", True),
        ("What does Falcon cost?", False),
        ("Falcon 2: which colours are there?", False),
        ("They speak of 'lock-in'. What exactly is that?", False),
        ("Who knows what it costs?", False),
        ("What does Falcon cost, is not said?", False),
        ("Which of them is right for us?", False),
        ("Which of them can be sold?", False),
        ("Candles, who sells them?", False),
        ("", False),
    ],
)
def test_a_question_for_yes_or_no_begins_with_its_verb(question: str, expected: bool) -> None:
    assert is_yes_or_no(question) is expected
