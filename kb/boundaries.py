"""Where sentences end."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_WORD = 40  # characters of the next word that are looked at

# Possessive, and from a run's first mark only: thousands of marks in a row take no time.
_END = re.compile(
    r"(?<![.!?…])(?P<mark>[.!?…]++)(?:[\"'”’»)\]}*_`]|\[\d{1,3}\])*+(?=\s)"
    r"|(?<![。！？])[。！？]++[」』”’）]*+(?=.)",
    re.DOTALL,
)
_TOKEN = re.compile(r"(?<![^\W_])(?:[^\W\d_]\.)*[^\W\d_]+$")
_OPENERS = re.compile(r"[\s\"'“‘«(\[{*_`#>—–-]*")
_WORD = re.compile(rf"\S{{1,{LONGEST_WORD}}}")
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


def boundaries(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences of text[start:end] end and others follow."""
    for match in _END.finditer(text, start, end):
        mark = match["mark"]
        if mark is None or _ends_here(text, start, match.start(), mark, match.end(), end):
            yield match.end()


def next_word(text: str, after: int, end: int) -> re.Match[str] | None:
    """The word that follows, without opening quotes and brackets."""
    following = _OPENERS.match(text, after, end)
    return _WORD.match(text, following.end() if following else after, end)


def _ends_here(text: str, start: int, at: int, mark: str, after: int, end: int) -> bool:
    word = next_word(text, after, end)
    following = word[0] if word else ""
    if not _may_start(following):
        return False
    return mark != "." or _is_full_stop(text[max(start, at - 24) : at], following)


def _may_start(word: str) -> bool:
    """A capital, a figure or a sign; a small letter only in names such as "vLLM" and "gpt-4o",
    not in references such as "arXiv:2106.09685"."""
    named = any(c.isupper() or c.isdigit() for c in word) and ":" not in word and "/" not in word
    return not word[:1].islower() or named


def _is_full_stop(before: str, following: str) -> bool:
    token = _TOKEN.search(before)
    if token is None:
        return True
    name = token[0].lower()
    if name in _NEVER_LAST:
        return False
    if name in _BEFORE_A_NUMBER:
        return not following[:1].isdigit()
    initial = len(name) == 1 and token[0].isupper()
    if initial or name in _SOMETIMES_LAST:
        return following.rstrip(",") in _STARTERS
    return True
