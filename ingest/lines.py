"""Reads a text as lines: where they stand, how deep, and which go on in the next."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.sentences import Span

LONG_LINE = 120  # characters; nobody wraps this late, so a longer line is a paragraph
SHORT_LINE = 60  # nobody wraps earlier than this
ITEM = re.compile(
    r"(?:[-*+•‣◦▪–—]|\d{1,3}[.)]|[a-z][.)]|\([a-z\d]{1,2}\))[ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)"
)
ENDED = re.compile(r"[.!?:;…|][\"'”’»)\]*_]*$")


def trimmed_lines(text: str) -> list[Span]:
    """Spans of the lines without the white space around them; blank ones are empty."""
    out, at = [], 0
    for line in text.split("\n"):
        left = at + len(line) - len(line.lstrip())
        out.append((left, max(left, at + len(line.rstrip()))))
        at += len(line) + 1
    return out


def indent(text: str, line: Span) -> int:
    """How many characters of white space stand before a line."""
    return line[0] - text.rfind("\n", 0, line[0]) - 1


def going_on(text: str, lines: Sequence[Span]) -> frozenset[int]:
    """The lines that were wrapped: their sentence goes on in the line below."""
    found: set[int] = set()
    first = 0
    for at, (start, end) in enumerate([*lines, (0, 0)]):
        if start == end:
            width = max((b - a for a, b in lines[first:at]), default=0)
            found.update(i for i in range(first, at - 1) if _goes_on(text, lines, i, width))
            first = at + 1
    return frozenset(found)


def _goes_on(text: str, lines: Sequence[Span], at: int, width: int) -> bool:
    """width: of the longest line of the paragraph. Text is wrapped before the first word that
    would have made the line longer than that."""
    line, below = text[slice(*lines[at])], text[slice(*lines[at + 1])]
    if ENDED.search(line) or ITEM.match(below) or below.startswith(("|", "#", "```", "~~~")):
        return False
    wrapped = SHORT_LINE <= width <= LONG_LINE
    word = below.split(maxsplit=1)[0]
    return below[:1].islower() or (wrapped and len(line) + 1 + len(word) > width)
