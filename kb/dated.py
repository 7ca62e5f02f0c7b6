"""What a date is the date of: a release is no training cutoff, and an announcement no release."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kb.cells import cells
from kb.figures import Figure, figures
from kb.types import Evidence

_EVENTS = {
    event: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for event, words in {
        "release": r"releas\w+|launch\w*|shipp\w+|came out|comes? out|debut\w*",
        "announcement": r"announc\w+",
        "cutoff": r"cut-?off|knowledge|knows?|trained (?:up )?(?:to|until|through)",
        "force": r"appl(?:y|ies|ied|icable)|in force|binding|binds?|took effect|takes effect",
        "end": r"deprecat\w+|retire[sd]?|discontinu\w+|sunset|withdrawn",
    }.items()
}


def misdated(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """Each date that the sentence gives to one event, and every quote that has it to another.
    Where one side names no event, or the sentence several, nothing is said."""
    said = _events(sentence)
    if len(said) != 1:
        return
    for figure in figures(sentence):
        if figure.kind != "date":
            continue
        known = [
            _events(text) for piece in pieces for text in _places(piece) if _states(text, figure)
        ]
        if known and all(events and not events & said for events in known):
            yield sentence[figure.start : figure.end]


def _places(piece: Evidence) -> list[str]:
    """What stands together: a row's cell with its header, a sentence."""
    if piece.kind != "row":
        return [piece.statement]
    return [f"{cell.header}: {cell.value}" for cell in cells(piece.statement)]


def _states(text: str, figure: Figure) -> bool:
    return any(figure.stated_by(known) for known in figures(text))


def _events(text: str) -> set[str]:
    return {event for event, words in _EVENTS.items() if words.search(text)}
