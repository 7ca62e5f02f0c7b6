"""What a quote leans on: its table's header, the headings above it, the sentence before it.

"It fits on one H100" names its subject a line earlier; "| GPT-4o | $5.00 |" says what $5.00 is in
the header. Each is given as evidence of its own, with its exact place, so that it can be cited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from kb.boundaries import boundaries
from kb.types import Evidence

_HEADING = re.compile(r"^#{1,6} .*\S", re.MULTILINE)
_OWN_LINE = re.compile(r"\s*(?:[-*•|#>]|\d{1,2}[.)]\s)")  # list items, rows, headings: no paragraph
_LOOK_BACK = 1000  # characters: further back no pronoun reaches
_SENTENCES = 2
_SIGNS = 12  # "### 1.2 ", "**…**"


def leans_on(piece: Evidence, text: str) -> list[Evidence]:
    """Nearest first. `text` is the whole revision that the piece is from."""
    near = _table_header if piece.kind == "row" else _sentences_before
    return [_at(piece, text, *span) for span in (*near(piece, text), *_headings(piece, text))]


def _at(piece: Evidence, text: str, start: int, end: int) -> Evidence:
    quote = text[start:end]
    return replace(
        piece, start=start, end=end, quote=quote, statement=quote, shown=quote, kind="prose"
    )


def _table_header(piece: Evidence, text: str) -> list[tuple[int, int]]:
    """The first line of the block of `|` lines that the row stands in."""
    first: list[tuple[int, int]] = []
    for start, end in _lines_above(piece.start, text):
        if "|" not in text[start:end]:
            break
        first = [(start, end)]
    return first


def _sentences_before(piece: Evidence, text: str) -> list[tuple[int, int]]:
    """The nearest two within the same paragraph, the nearest first."""
    start = _paragraph_start(piece.start, text)
    whole = start == 0 or text[start - 1].isspace()
    ends = [start, *(at for at in boundaries(text, start, piece.start) if at < piece.start)]
    spans = [_trimmed(text, *span) for span in pairwise([*ends, piece.start])]
    said = [
        span for span in spans[0 if whole else 1 :] if any(map(str.isalnum, text[slice(*span)]))
    ]
    return said[: -_SENTENCES - 1 : -1]


def _paragraph_start(at: int, text: str) -> int:
    """Of the paragraph that `at` stands in, whose lines may be broken; at most _LOOK_BACK away."""
    start = text.rfind("\n", 0, at) + 1
    if not _OWN_LINE.match(text, start):
        for above, end in _lines_above(at, text):
            if above == end or _OWN_LINE.match(text, above):
                break
            start = above
    return max(start, at - _LOOK_BACK)


def _headings(piece: Evidence, text: str) -> Iterator[tuple[int, int]]:
    """Those that the piece stands under, the nearest first: as its path gives them, or the last
    one in Markdown where the text doesn't spell them so."""
    at = text.rfind("\n", 0, piece.start) + 1
    found = False
    for heading in reversed(piece.heading.split(" > ")):
        span = _heading_line(heading, at, text)
        if span:
            at, found = span[0], True
            yield span
    last = None if found else list(_HEADING.finditer(text, 0, at))[-1:]
    for match in last or ():
        yield match.span()


def _heading_line(heading: str, before: int, text: str) -> tuple[int, int] | None:
    """The last line before a place that says the heading and hardly anything else."""
    at = text.rfind(heading, 0, before) if heading else -1
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        if end - start <= len(heading) + _SIGNS and end <= before:
            return _trimmed(text, start, end)
        at = text.rfind(heading, 0, at)
    return None


def _lines_above(at: int, text: str) -> Iterator[tuple[int, int]]:
    """Each line above the one that `at` stands in, trimmed, from the nearest up."""
    end = text.rfind("\n", 0, at)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        yield _trimmed(text, start, end)
        end = start - 1


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    line = text[start : end if end >= 0 else len(text)]
    left = start + len(line) - len(line.lstrip())
    return left, max(left, start + len(line.rstrip()))
