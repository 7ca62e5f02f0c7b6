"""What a figure counts: "400B parameters" is not "400B tokens"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kb.figures import Figure
from kb.subjects import loose_figures, source_figures
from kb.types import Evidence

# Things that the same text counts side by side; anything else may stand for one of them.
_THING = re.compile(
    r"[\s-]++(?:[a-z-]+\s+){0,2}?(tokens?|param(?:eter)?s?|experts?|users?|languages?|hours?|GPUs?)\b",
    re.IGNORECASE,
)


def miscounted(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """Each figure that the sentence gives of one thing, and every quote that states it of
    another."""
    for figure in loose_figures(sentence):
        said = _thing(sentence, figure)
        known = [
            _thing(piece.statement, source)
            for piece in pieces
            for source in source_figures(piece.statement)
            if figure.stated_by(source)
        ]
        if said and known and all(known) and said not in known:
            yield sentence[figure.start : figure.end]


def _thing(text: str, figure: Figure) -> str:
    """The first four letters of what is counted, lower case; empty where it is none of these."""
    found = _THING.match(text, figure.end)
    return found[1].lower()[:4] if found else ""
