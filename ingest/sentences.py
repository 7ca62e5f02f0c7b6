"""Finds sentences in a text, as spans of code points."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Span = tuple[int, int]
TokenCounter = Callable[[str], int]

# An opening this short ("No.", "Model Weights.", "The real winner?") says nothing without the
# sentence after it.
FRAGMENT_WORDS = 5

_END = re.compile(
    r"(?P<mark>[.!?…]+)(?:[\"'”’»)\]}*_`]|\[\d{1,3}\])*(?=\s)|[。！？]+[」』”’）]*(?=.)", re.DOTALL
)
_TOKEN = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.)*[^\W\d_]+$")
_OPENERS = re.compile(r"[\s\"'“‘«(\[{*_`#>—–-]*")
_WORD = re.compile(r"\S{1,40}")
_NEVER_LAST = frozenset(
    "e.g i.e eg ie vs cf al approx dr mr mrs ms prof st ca resp ed eds incl excl est gen sen rep "
    "viz bzw z.b d.h u.a".split()
)
_BEFORE_A_NUMBER = frozenset("no nos fig figs eq eqs vol p pp sec ch art ver v nr".split())
_SOMETIMES_LAST = frozenset(
    "etc inc ltd co corp jr sr dept u.s u.k u.n e.u u.s.a a.m p.m ph.d b.sc m.sc d.c "
    "jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
# After such an abbreviation only a word that begins sentences begins one.
_STARTERS = frozenset(
    "The A An This That These Those It Its In On At For If As But And However We You They He She "
    "I There When While With By From To Our Your Their Not No Yes Most Many Some All Each Both "
    "Other Such".split()
)
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


def boundaries(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences of text[start:end] end and others follow."""
    for match in _END.finditer(text, start, end):
        mark = match["mark"]
        if mark is None or _ends_here(text, start, match.start(), mark, match.end(), end):
            yield match.end()


def _ends_here(text: str, start: int, at: int, mark: str, after: int, end: int) -> bool:
    following = _OPENERS.match(text, after, end)
    begin = following.end() if following else after
    word = _WORD.match(text, begin, end)
    next_word = word[0] if word else ""
    if not _may_start(next_word):
        return False
    return mark != "." or _is_full_stop(text[max(start, at - 24) : at], next_word)


def _may_start(word: str) -> bool:
    """A capital, a figure or a sign; a small letter only in names such as "vLLM" and "gpt-4o",
    not in references such as "arXiv:2106.09685"."""
    named = any(c.isupper() or c.isdigit() for c in word) and ":" not in word and "/" not in word
    return not word[:1].islower() or named


def _is_full_stop(before: str, next_word: str) -> bool:
    token = _TOKEN.search(before)
    if token is None:
        return True
    name = token[0].lower()
    if name in _NEVER_LAST:
        return False
    if name in _BEFORE_A_NUMBER:
        return not next_word[:1].isdigit()
    initial = len(name) == 1 and token[0].isupper()
    if initial or name in _SOMETIMES_LAST:
        return next_word.rstrip(",") in _STARTERS
    return True
