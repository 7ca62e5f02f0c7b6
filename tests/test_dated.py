"""A date is told of the event that its source tells it of."""

from __future__ import annotations

import pytest
from quotes import quote, row

from kb.dated import misdated
from kb.types import Evidence

ROW = row("Model family: Claude; Latest release (date): Opus 4.7 (April 16, 2026); Access: API")
CUTOFF = quote("The training cutoff of GPT-4o is December 2025.", start=200)
BOTH = quote("GPT-4o, released in April 2026, has a cutoff of December 2025.", start=400)
PLAIN = quote("Opus 4.7 (April 16, 2026) reads images.", start=600)


@pytest.mark.parametrize(
    ("sentence", "pieces", "wrong"),
    [
        ("Opus 4.7 knows the world up to April 16, 2026.", [ROW], ["April 16, 2026"]),
        ("Opus 4.7 was released on April 16, 2026.", [ROW], []),
        ("GPT-4o was released in December 2025.", [CUTOFF], ["December 2025"]),
        ("GPT-4o knows what was known in December 2025.", [CUTOFF], []),
        ("GPT-4o was released in April 2026.", [BOTH], []),
        ("GPT-4o was released in April 2026, with a cutoff of December 2025.", [CUTOFF], []),
        ("Opus 4.7 was released on April 16, 2026.", [PLAIN], []),
        ("Opus 4.7 dates from April 16, 2026.", [ROW], []),
    ],
)
def test_a_release_is_no_cutoff(sentence: str, pieces: list[Evidence], wrong: list[str]) -> None:
    assert list(misdated(sentence, pieces)) == wrong
