"""Figures against one another.

Which of two is the greater: "A has the better score, 81.2%, while B has 82.1%" is false whatever
the quotes say. And a part that is given for the whole: $12.50 for "$12.50 + $75 = $87.50".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from kb.figures import Figure, figures
from kb.subjects import loose_figures
from kb.types import Evidence

_GREATER = re.compile(
    r"\b(?:higher|greater|larger|bigger|longer|faster|better|ahead|outperforms?|exceeds?|"
    r"more (?:expensive|costly))\b",
    re.IGNORECASE,
)
_LESSER = re.compile(
    r"\b(?:lower|smaller|shorter|slower|worse|behind|cheaper|less (?:expensive|costly)|fewer)\b",
    re.IGNORECASE,
)
# Whose figure is the less, where money or time is counted, may well be called the better.
_DEBATABLE = re.compile(r"\b(?:better|worse|ahead|behind|faster|slower|outperforms?)\b", re.I)
_BETWEEN = re.compile(
    r"\b(?:while|whereas|than|compared (?:with|to)|versus|vs|against|but)\b", re.I
)
_TERM = r"[^\s=]{1,40}"
_SUM = re.compile(rf"(?<!\S)(?:{_TERM} \+ ){{1,9}}{_TERM} = {_TERM}")


def misordered(sentence: str) -> Iterator[str]:
    """The first of two like figures where the sentence calls it the greater and it is the less, or
    the other way round. Of other sentences nothing is said."""
    found = [
        f for f in loose_figures(sentence) if f.kind in ("money", "percent", "number", "times")
    ]
    words = [w for w in (_GREATER, _LESSER) if w.search(sentence)]
    if len(found) != 2 or len(words) != 1 or not _alike(*found):
        return
    first, second = found
    told, split = words[0].search(sentence), _BETWEEN.search(sentence)
    if not told or not split or _is_debatable(sentence, first):
        return
    # the word belongs to the side that it stands on
    greater = (words[0] is _GREATER) == (told.start() <= split.start())
    if first.value != second.value and (_value(first) > _value(second)) != greater:
        yield sentence[first.start : first.end]


def summands(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """A figure that the quotes add to others, where the sentence gives neither them nor the sum."""
    mine = loose_figures(sentence)
    for piece in pieces:
        for added in _SUM.finditer(piece.statement):
            terms = figures(added.group())
            said = [f for f in mine if any(f.stated_by(term) for term in terms)]
            if len(said) == 1 and not said[0].stated_by(terms[-1]):
                yield sentence[said[0].start : said[0].end]


def _value(figure: Figure) -> Decimal:
    return Decimal(figure.value)


def _alike(one: Figure, other: Figure) -> bool:
    return (one.kind, one.unit, one.per) == (other.kind, other.unit, other.per)


def _is_debatable(sentence: str, figure: Figure) -> bool:
    return figure.kind != "percent" and bool(_DEBATABLE.search(sentence))
