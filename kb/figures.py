"""Figures in running text, normalised: prices, percentages, quantities, dates.

"$5" = "5 dollars" = "$5.00"; "700M" = "700 million"; "Aug 5, 2025" = "2025-08-05". In a range or
a pair ("5–10M", "$0.20–0.30", "$5/$25") each end carries the unit that the writer gave only once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Kind = Literal["money", "percent", "times", "number", "date"]

_MAGNITUDES = {
    "k": 10**3, "thousand": 10**3,
    "m": 10**6, "mn": 10**6, "million": 10**6,
    "b": 10**9, "bn": 10**9, "billion": 10**9,
    "t": 10**12, "trillion": 10**12,
}  # fmt: skip
_MONTHS = {
    name: number
    for number, names in enumerate(
        ["january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul",
         "august aug", "september sep sept", "october oct", "november nov", "december dec"], 1)
    for name in names.split()
}  # fmt: skip
_WORDS = {
    word: number
    for number, word in enumerate(
        [
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        2,
    )
}  # "one" is left out: mostly a pronoun

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DATE = re.compile(
    rf"(?P<iso>\b(?:19|20)\d\d-\d\d(?:-\d\d)?\b)"
    rf"|\b(?P<month>{_MONTH})\b\.?\s+(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+)?(?:of\s+)?"
    rf"(?P<year>(?:19|20)\d\d)\b"
    rf"|\b(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month2>{_MONTH})\b\.?,?\s+"
    rf"(?P<year2>(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    rf"(?P<money>(?:US)?\$|€|£|\busd\s?)?\s?(?<![\w.])~?(?P<number>{_NUMBER})"
    r"(?P<magnitude>\s?(?:thousand|million|billion|trillion|bn|mn)\b|[kKmMbBtT](?![A-Za-z]))?"
    r"(?P<after>\s?(?:%|percent\b|per\s?cent\b|×|x(?![\w])|times\b|-?fold\b|dollars?\b|usd\b|"
    r"cents?\b))?",
    re.IGNORECASE,
)
_WORD_NUMBER = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_JOINT = re.compile(r"\s?(?:-|–|—|/|to|and)\s?~?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is exact: 700M is Decimal(700000000); a date is "2025-08-05", "2025-08" or "2025"."""

    kind: Kind
    value: Decimal | str
    start: int
    end: int

    def stated_by(self, other: Figure) -> bool:
        """Whether `other`, from a source, says this. A bare number matches any kind; a date is
        stated by the same or a more precise one."""
        if self.kind == "date" or other.kind == "date":
            return self.kind == other.kind and str(other.value).startswith(str(self.value))
        same_kind = self.kind == other.kind or "number" in (self.kind, other.kind)
        return same_kind and self.value == other.value


def figures(text: str) -> list[Figure]:
    """Every figure of the text, in order."""
    dates = list(_dates(text))
    taken = [(f.start, f.end) for f in dates]
    numbers = [
        (match, figure)
        for match, figure in _numbers(text)
        if not any(start < figure.end and figure.start < end for start, end in taken)
    ]
    words = [
        Figure("number", Decimal(_WORDS[m.group().lower()]), m.start(), m.end())
        for m in _WORD_NUMBER.finditer(text)
    ]
    return sorted(dates + _share_units(text, numbers) + words, key=lambda f: f.start)


def unstated(text: str, sources: str) -> list[Figure]:
    """Figures of `text` that nothing in `sources` states."""
    known = figures(sources)
    return [f for f in figures(text) if not any(f.stated_by(k) for k in known)]


def _dates(text: str) -> Iterator[Figure]:
    for match in _DATE.finditer(text):
        if match["iso"]:
            value = match["iso"]
        else:
            year = match["year"] or match["year2"]
            month = _MONTHS[(match["month"] or match["month2"]).lower()]
            day = match["day"] or match["day2"]
            value = f"{year}-{month:02}" + (f"-{int(day):02}" if day else "")
        yield Figure("date", value, match.start(), match.end())


def _numbers(text: str) -> Iterator[tuple[re.Match[str], Figure]]:
    for match in _FIGURE.finditer(text):
        value = Decimal(match["number"].replace(",", ""))
        magnitude = (match["magnitude"] or "").strip().lower()
        after = (match["after"] or "").strip().lower()
        if magnitude:
            value *= _MAGNITUDES[magnitude]
        kind = _kind(match["money"], after)
        if after.startswith("cent"):
            value /= 100
        yield match, Figure(kind, value.normalize(), match.start("number"), match.end())


def _kind(money: str | None, after: str) -> Kind:
    if money or after.startswith(("dollar", "usd", "cent")):
        return "money"
    if after in ("%", "percent") or after.startswith("per"):
        return "percent"
    if after:
        return "times"
    return "number"


def _share_units(text: str, numbers: list[tuple[re.Match[str], Figure]]) -> list[Figure]:
    """Gives a range's first number the magnitude and kind of its second, and a second number
    without a currency that of its first. Walks from the right so that chains work."""
    shared = [figure for _, figure in numbers]
    for i in range(len(shared) - 2, -1, -1):
        (left, _), (right, _) = numbers[i], numbers[i + 1]
        if not _JOINT.fullmatch(text[left.end() : right.start()]):
            continue
        value, kind = shared[i].value, shared[i].kind
        bare = not left["magnitude"] and not left["after"]
        if bare and right["magnitude"] and not right["money"]:
            value = (Decimal(value) * _MAGNITUDES[right["magnitude"].strip().lower()]).normalize()
        if kind == "number" and bare:
            kind = shared[i + 1].kind
        shared[i] = Figure(kind, value, shared[i].start, shared[i].end)
    for i in range(1, len(shared)):
        (left, _), (right, _) = numbers[i - 1], numbers[i]
        joined = _JOINT.fullmatch(text[left.end() : right.start()])
        if joined and shared[i].kind == "number" and shared[i - 1].kind == "money":
            shared[i] = Figure("money", shared[i].value, shared[i].start, shared[i].end)
    return shared
