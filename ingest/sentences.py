"""Finds sentences in a text, as spans of code points."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kb.boundaries import boundaries

Span = tuple[int, int]
TokenCounter = Callable[[str], int]

# An opening this short ("No.", "Model Weights.", "The real winner?") says nothing without the
# sentence after it.
FRAGMENT_WORDS = 5

_CLAUSE_END = re.compile(r"[;,:—–)](?=\s)")


def sentences(text: str, start: int, end: int) -> list[Span]:
    """Spans of the sentences in text[start:end], without the white space around them. Together
    they hold every other character. A short opening fragment stays with what follows it."""
    found = list(_trimmed(text, start, end, boundaries(text, start, end)))
    if len(found) > 1 and len(text[slice(*found[0])].split()) <= FRAGMENT_WORDS:
        found[:2] = [(found[0][0], found[1][1])]
    return found


def cut(text: str, span: Span, limit: int, count: TokenCounter) -> list[Span]:
    """The span in pieces of at most `limit` tokens, at the ends of clauses where there are any
    near the middle, else between words, else between characters."""
    start, end = span
    if end - start <= 1 or count(text[start:end]) <= limit:
        return [span]
    middle = _near_middle(text, start, end)
    return [
        piece
        for half in _trimmed(text, start, end, iter([middle]))
        for piece in cut(text, half, limit, count)
    ]


def _near_middle(text: str, start: int, end: int) -> int:
    middle, quarter = (start + end) // 2, (end - start) // 4
    clauses = [m.end() for m in _CLAUSE_END.finditer(text, middle - quarter, middle + quarter)]
    if clauses:
        return min(clauses, key=lambda at: abs(at - middle))
    before = next((i for i in range(middle, start, -1) if text[i].isspace()), None)
    after = next((i for i in range(middle, end) if text[i].isspace()), None)
    spaces = [i for i in (before, after) if i is not None]
    return min(spaces, key=lambda at: abs(at - middle), default=middle)


def _trimmed(text: str, start: int, end: int, boundaries: Iterator[int]) -> Iterator[Span]:
    for boundary in [*boundaries, end]:
        piece = text[start:boundary]
        if piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            yield left, start + len(piece.rstrip())
        start = boundary
