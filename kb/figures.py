"""Figures in running text, normalised: prices, percentages, quantities, dates.

"$5" = "5 dollars" = "$5.00"; "700M" = "700 million"; "Aug 5, 2025" = "2025-08-05". In a range or
a pair ("5–10M", "$0.20–0.30", "$5/$25") each end carries the unit that the writer gave only once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from kb.numerals import (
    CURRENCIES,
    DATA_AND_POWER,
    MAGNITUDES,
    MONTHS,
    MULTIPLES,
    PARTS,
    TIMES,
    WORDS,
)

Kind = Literal["money", "percent", "times", "number", "date"]


def _any(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_DAY = r"(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?"
_MONTH = rf"\b(?P<month>{_any(MONTHS)})\b\.?"
_NAMED_MONTH = rf"(?=(?-i:[A-Z])){_MONTH}"  # "may 5" is mostly a verb
_YEAR = r"(?P<year>(?:19|20)\d\d)\b"
_DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>[0-3]\d))?\b",
        rf"{_MONTH}\s+{_DAY},?\s+{_YEAR}",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH},?\s+{_YEAR}",
        rf"{_MONTH},?\s+(?:of\s+)?{_YEAR}",
        rf"{_NAMED_MONTH}\s+{_DAY}(?![\w%]|[.,]\d)",
        rf"\b{_DAY}\s+(?:of\s+)?{_NAMED_MONTH}",
    )
]
_POWER = re.compile(
    r"(?<![\w.])(?:(?P<factor>\d+(?:\.\d+)?)\s?[×x*]\s?)?10"
    r"(?:(?:\^|\*\*)(?P<raised>\d{1,3})|(?P<high>[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3})"
    r"|\sto\sthe\s(?:power\s(?:of\s)?)?(?P<told>\d{1,3})(?:th)?)(?!\d)"
    r"|(?<![\w.])(?P<mantissa>\d+(?:\.\d+)?)e\+?(?P<e>\d{1,3})\b",
    re.IGNORECASE,
)
_HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_FRACTION = re.compile(
    rf"\b(?:(?P<count>one|two|three|an?)[ -])?(?P<part>{_any(PARTS)})s?\b(?!-)"
    r"(?P<of>\s(?:of|the|as|its|that)\b)?",
    re.IGNORECASE,
)
_NO_ORDINALS = frozenset("half quarter tenth hundredth thousandth".split())
_MULTIPLE = re.compile(rf"\b(?:{_any(MULTIPLES)})\b", re.IGNORECASE)

_LARGE = "hundred|thousand|million|billion|trillion"
_DIGITS = r"(?>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?!\.\d)"
_SPELLED = (
    rf"\b(?:(?:an?|per|each|every|one)(?=[\s-](?:{_LARGE})\b)"
    rf"|one(?=[\s-](?:percent|dollar))|(?!one\b)(?:{_any(WORDS)})(?=\b|fold\b))"
)
_FIGURE = re.compile(
    rf"(?P<money>(?:US)?\$|€|£|\b(?:usd|eur|gbp)(?=\s))?\s?(?<![\w.])~?"
    rf"(?P<number>{_DIGITS}|{_SPELLED})(?:st|nd|rd|th)?"
    rf"(?P<magnitude>[\s-]?(?:{_LARGE}|bn|mn)\b|[kmbt](?![A-Za-z]))?\+?"
    r"(?P<after>[\s-]?(?:%|percent\b|per\s?cent\b|×|x(?!\w)|times\b|fold\b|"
    r"(?:dollars?|usd|euros?|eur|cents?)\b))?"
    # "4o" and "8x7B" are no figures; "80GB", "24h" and "1990s" are
    rf"(?=[^A-Za-z]|$|(?:{_any(DATA_AND_POWER)}|{_any(TIMES)})\b)",
    re.IGNORECASE,
)
_UNIT = re.compile(rf"[\s-]?(?P<unit>{_any(DATA_AND_POWER)}|{_any(TIMES)})\b", re.IGNORECASE)
_RATE = re.compile(
    r"(?:\s?(?!and\b|or\b|but\b|to\b)[A-Za-z][\w-]*){0,3}?"
    rf"(?:(?:\s?/\s?|\sper\s)(?P<per>{_any(TIMES)})"
    r"|\s(?:an?|each|every)\s(?P<each>minute|hour|day|week|month|year)(?!\sago)"
    r"|\s(?P<adverb>hourly|daily|weekly|monthly|yearly|annually))\b",
    re.IGNORECASE,
)
_JOINT = re.compile(r"\s?(?:-|–|—|/|to|and)\s?~?", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|from)\s?$", re.IGNORECASE)
_MONEY_NEAR = re.compile(r"[$€£]|\b(?:usd|eur|dollars?|euros?|prices?|priced|costs?)\b", re.I)
_PERCENT_NEAR = re.compile(r"%|\b(?:percent\w*|per cent|scores?|accuracy|rate|share)\b", re.I)


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is exact: 700M is Decimal(700000000); a date is "2025-08-05", "2025-08", or
    "--08-05" where no year is given. `unit`: a currency, "gb", "hour"; `per`: "hour", "day"; both
    empty where the text gives none."""

    kind: Kind
    value: Decimal | str
    start: int
    end: int
    unit: str = ""
    per: str = ""

    def stated_by(self, other: Figure) -> bool:
        """Whether `other`, from a source, says this. A bare number matches any kind; a date is
        stated by the same or a more precise one, a year by any date in it."""
        if self.kind == "date":
            return other.kind == "date" and _dated(str(self.value), str(other.value))
        if other.kind == "date":
            return self.kind == "number" and str(other.value).startswith(f"{self.value:f}-")
        same_kind = self.kind == other.kind or "number" in (self.kind, other.kind)
        same_unit = _agree(self.unit, other.unit) and _agree(self.per, other.per)
        return same_kind and same_unit and self.value == other.value


def figures(text: str) -> list[Figure]:
    """Every figure of the text, in order."""
    return list(_figures(text))


def unstated(text: str, sources: str) -> list[Figure]:
    """Figures of `text` that nothing in `sources` states."""
    return missing(figures(text), figures(sources), sources)


def missing(wanted: Sequence[Figure], known: Sequence[Figure], sources: str) -> list[Figure]:
    """Those of `wanted` that nothing in `known`, the figures of `sources`, states. A bare number
    is a price or a percentage only where the text around it speaks of such, as a header does."""
    speaks = {"money": _MONEY_NEAR.search(sources), "percent": _PERCENT_NEAR.search(sources)}

    def states(source: Figure, figure: Figure) -> bool:
        bare = source.kind == "number" and not speaks.get(figure.kind, True)
        return not bare and figure.stated_by(source)

    return [f for f in wanted if not any(states(k, f) for k in known)]


def _agree(one: str, other: str) -> bool:
    return not one or not other or one == other


def _dated(claimed: str, known: str) -> bool:
    return known.endswith(claimed[1:]) if claimed.startswith("--") else known.startswith(claimed)


@lru_cache(maxsize=4096)
def _figures(text: str) -> tuple[Figure, ...]:
    found: list[Figure] = []
    for reading in (_dates, _powers, _fractions, _numbers):
        taken = [(f.start, f.end) for f in found]
        found += [
            f
            for f in reading(text)
            if all(f.end <= start or end <= f.start for start, end in taken)
        ]
    return tuple(sorted(found, key=lambda f: f.start))


def _dates(text: str) -> Iterator[Figure]:
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(a < end and start < b for a, b in taken):
                continue
            taken.append((start, end))
            parts = match.groupdict()
            month = parts["month"]
            number = int(month) if month.isdigit() else MONTHS[month.lower()]
            day = f"-{int(parts['day']):02}" if parts.get("day") else ""
            yield Figure("date", f"{parts.get('year') or '-'}-{number:02}{day}", start, end)


def _powers(text: str) -> Iterator[Figure]:
    for match in _POWER.finditer(text):
        exponent = match["raised"] or (match["high"] or "").translate(_HIGH) or match["told"]
        factor = match["factor"] or match["mantissa"] or "1"
        value = Decimal(factor).scaleb(int(exponent or match["e"]))
        yield Figure("number", value.normalize(), match.start(), match.end())


def _fractions(text: str) -> Iterator[Figure]:
    for match in _FRACTION.finditer(text):
        count, part = (match["count"] or "").lower(), match["part"].lower()
        if count in ("a", "an") and not match["of"] and part not in _NO_ORDINALS:
            continue  # "a third model"
        by_half = text[: match.start()].lower().endswith("by ")
        if not count and (part != "half" or not (match["of"] or by_half)):
            continue
        share = Decimal(100 * WORDS.get(count, 1)) / PARTS[part]
        yield Figure("percent", round(share, 2).normalize(), match.start(), match.end("part"))
    for match in _MULTIPLE.finditer(text):
        yield Figure("times", Decimal(MULTIPLES[match.group().lower()]), *match.span())


def _numbers(text: str) -> list[Figure]:
    read = [(match, _number(text, match)) for match in _FIGURE.finditer(text)]
    return _share_units(text, read)


def _number(text: str, match: re.Match[str]) -> Figure:
    written = match["number"].lower()
    value = Decimal(WORDS.get(written, 1) if written.isalpha() or "-" in written
                    else written.replace(",", ""))  # fmt: skip
    value *= _magnitude(match)
    money, after = (match["money"] or "").lower(), (match["after"] or "").strip(" -").lower()
    if after.startswith("cent"):
        value /= 100
    unit = _UNIT.match(text, match.end())
    rate = _RATE.match(text, unit.end() if unit else match.end())
    per = next(filter(None, rate.groups())) if rate else ""
    measure = unit["unit"].lower() if unit else ""
    return Figure(
        _kind(money, after),
        value.normalize(),
        match.start("number"),
        match.end(),
        CURRENCIES.get(money) or CURRENCIES.get(after) or DATA_AND_POWER.get(measure)
        or TIMES.get(measure, ""),
        TIMES.get(per.lower(), ""),
    )  # fmt: skip


def _magnitude(match: re.Match[str]) -> int:
    return MAGNITUDES.get((match["magnitude"] or "").strip(" -\n").lower(), 1)


def _kind(money: str, after: str) -> Kind:
    if money or after in CURRENCIES or after.startswith("cent"):
        return "money"
    if after == "%" or after.startswith("per"):
        return "percent"
    return "times" if after else "number"


def _share_units(text: str, read: list[tuple[re.Match[str], Figure]]) -> list[Figure]:
    """Gives a range's first number the magnitude, kind and units of its second, and a second
    number without a currency that of its first. Walks from the right so that chains work."""
    shared = [figure for _, figure in read]
    for i in range(len(shared) - 2, -1, -1):
        (left, _), (right, _) = read[i], read[i + 1]
        if not _joined(text, left, right):
            continue
        first, second = shared[i], shared[i + 1]
        value, kind = Decimal(first.value), first.kind
        bare = not left["magnitude"] and not left["after"]
        if bare and right["magnitude"] and not right["money"]:
            value = (value * _magnitude(right)).normalize()
        if kind == "number" and bare:
            kind = second.kind
        shared[i] = replace(
            first, kind=kind, value=value, unit=first.unit or second.unit,
            per=first.per or second.per,
        )  # fmt: skip
    for i in range(1, len(shared)):
        before, figure = shared[i - 1], shared[i]
        if figure.kind == "number" and before.kind == "money" and _joined(
            text, read[i - 1][0], read[i][0]
        ):  # fmt: skip
            shared[i] = replace(figure, kind="money", unit=figure.unit or before.unit)
    return shared


def _joined(text: str, left: re.Match[str], right: re.Match[str]) -> bool:
    """ "5–10M", "$5/$25", "5 to 10"; "and" joins only in "between 5 and 10"."""
    gap = text[left.end() : right.start()]
    if not _JOINT.fullmatch(gap):
        return False
    return "and" not in gap.lower() or bool(
        _BETWEEN.search(text[max(0, left.start() - 9) : left.start()])
    )
