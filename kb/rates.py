"""What a price is the price of: an hour is no million tokens, and 50 million a day are not five."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kb.figures import Figure, figures
from kb.subjects import loose_figures
from kb.types import Evidence

_PERIODS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"\bhour(?:s|ly)?\b|/h(?:r|our)?\b|\bhrs?\b",
        r"\bda(?:y|ys|ily)\b",
        r"\bweek(?:s|ly)?\b",
        r"\bmonth(?:s|ly)?\b|/mo\b",
        r"\byears?\b|\byearly\b|\bannual(?:ly)?\b|/yr\b",
    )
)
_WORD = re.compile(r"\s*([a-z]{3,})", re.IGNORECASE)
_EXACTLY = re.compile(r"\bat\s[~≈]?$", re.IGNORECASE)


def misrated(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """Money for a period that no quote of it speaks of: an "hourly cost" of what a million tokens
    cost."""
    money = [figure for figure in loose_figures(sentence) if figure.kind == "money"]
    stating = [_with_heading(piece) for piece in pieces if _states_one(money, piece)]
    for period in _PERIODS:
        if period.search(sentence) and stating and not any(map(period.search, stating)):
            yield sentence[money[0].start : money[0].end]
            return


def elsewhere(question: str, sentence: str, pieces: Sequence[Evidence]) -> bool:
    """Whether a quote that the sentence takes its figures from holds at another amount than the
    question's: "at 50M tokens/day", where it asks about five. Limits ("below 5M") tell nothing."""
    asked = _amounts(question, figures(question))
    said = loose_figures(sentence)
    for piece in pieces:
        stated = figures(piece.statement)
        exact = [f for f in stated if _EXACTLY.search(piece.statement[: f.start])]
        for figure, counted in _amounts(piece.statement, exact):
            mine = [amount for amount, same in asked if same == counted]
            others = any(f.stated_by(s) for f in said for s in stated if s != figure)
            if mine and others and not any(amount.stated_by(figure) for amount in mine):
                return True
    return False


def _amounts(text: str, found: Sequence[Figure]) -> list[tuple[Figure, str]]:
    """Plain numbers with what they count; "50 mil" counts nothing that is known."""
    counted = ((f, _WORD.match(text, f.end)) for f in found if f.kind == "number")
    return [(f, word.group(1).lower()) for f, word in counted if word]


def _states_one(money: Sequence[Figure], piece: Evidence) -> bool:
    return any(m.stated_by(f) for m in money for f in figures(piece.statement))


def _with_heading(piece: Evidence) -> str:
    return f"{piece.heading}\n{piece.statement}"
