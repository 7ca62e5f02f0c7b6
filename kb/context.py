"""What a quote leans on: its table's header, the heading above it, the sentence before it.

"It fits on one H100" names its subject a line earlier; "| GPT-4o | $5.00 |" says what $5.00 is in
the header. Each is given as evidence of its own, with its exact place, so that it can be cited.
"""

from __future__ import annotations

import re
from dataclasses import replace

from kb.types import Evidence

_HEADING = re.compile(r"^#{1,6} .*\S", re.MULTILINE)
_SENTENCE_END = re.compile(r"[.!?][\"'”’)\]]*\s")
_LOOK_BACK = 400  # characters: further back a pronoun rarely reaches


def leans_on(piece: Evidence, text: str) -> list[Evidence]:
    """Nearest first. `text` is the whole revision that the piece is from."""
    spans = [_table_header(piece, text)] if piece.kind == "row" else [_sentence_before(piece, text)]
    spans.append(_line_heading(piece, text))
    return [_at(piece, text, *span) for span in spans if span]


def _at(piece: Evidence, text: str, start: int, end: int) -> Evidence:
    quote = text[start:end]
    return replace(
        piece, start=start, end=end, quote=quote, statement=quote, shown=quote, kind="prose"
    )


def _table_header(piece: Evidence, text: str) -> tuple[int, int] | None:
    """The first line of the block of `|` lines that the row stands in."""
    start = text.rfind("\n", 0, piece.start) + 1
    first = None
    while start > 0:
        previous = text.rfind("\n", 0, start - 1) + 1
        line = text[previous : start - 1]
        if line.count("|") < 1:
            break
        first = (previous + len(line) - len(line.lstrip()), previous + len(line.rstrip()))
        start = previous
    return first


def _sentence_before(piece: Evidence, text: str) -> tuple[int, int] | None:
    """Within the same paragraph; None for a paragraph's first sentence."""
    paragraph = max(text.rfind("\n", 0, piece.start) + 1, piece.start - _LOOK_BACK)
    before = text[paragraph : piece.start].rstrip()
    if not before:
        return None
    ends = [m.end() for m in _SENTENCE_END.finditer(before)]
    start = paragraph + (ends[-1] if ends else 0)
    return (start, paragraph + len(before)) if start < paragraph + len(before) else None


def _line_heading(piece: Evidence, text: str) -> tuple[int, int] | None:
    """The Markdown heading that the piece stands under."""
    last = None
    for match in _HEADING.finditer(text, 0, piece.start):
        last = match.span()
    return last
