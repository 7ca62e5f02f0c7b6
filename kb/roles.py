"""What a figure is a figure of: the column it stands in, or a word such as input or output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kb.cells import cells
from kb.figures import Figure, figures
from kb.subjects import loose_figures
from kb.types import Evidence

_OPPOSITES = (("input", "output"), ("total", "active"), ("minimum", "maximum"))
_SURE = _OPPOSITES[0]  # "$5 for 1M input tokens": always written next to its figure
_OPPOSITE = {a: b for pair in _OPPOSITES for a, b in (pair, pair[::-1])}
_ROLE = re.compile(rf"\b(?:{'|'.join(_OPPOSITE)})\b", re.IGNORECASE)
_BOTH = re.compile(
    rf"\b(?P<one>{'|'.join(_OPPOSITE)})\s?(?:/|and|or)\s?(?P<two>{'|'.join(_OPPOSITE)})\b",
    re.IGNORECASE,
)
_EITHER = re.compile(r"\bin (?:and|or) out\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[;,()]|\b(?:and|while|whereas|but|with|plus)\b|(?<=\S)\s?/\s?(?=[\d$])")
_CONTENT = re.compile(r"[A-Za-z]{4,}")  # "Open-weights" is "open", too
_PAIR = re.compile(r"\s?(?:/|and)\s?[$€£]?")
_PER = re.compile(r"\b(?:per|for|each|every)\s[$€£]?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Role:
    figure: Figure
    role: str


def other_roles(sentence: str, pieces: Sequence[Evidence]) -> Iterator[tuple[str, bool]]:
    """(figure, certain) for each to which the quotes give the opposite role."""
    known = [role for piece in pieces for role in _roles_in(piece)]
    for claim in _roles(sentence):
        homes = {k.role for k in known if claim.figure.stated_by(k.figure)}
        if claim.role in homes:
            continue
        opposite = _OPPOSITE[claim.role] in homes
        taken = any(k.role == claim.role and k.figure.kind == claim.figure.kind for k in known)
        if opposite or taken:
            certain = opposite and claim.role in _SURE
            yield sentence[claim.figure.start : claim.figure.end], certain
    yield from _one_for_both(sentence, known)


def _one_for_both(sentence: str, known: Sequence[_Role]) -> Iterator[tuple[str, bool]]:
    """ "Input and output cost $2", where the quotes have $2 for one and $12 for the other."""
    told = [figure for figure in figures(sentence) if figure.kind == "money"]
    if len(told) != 1 or not (_BOTH.search(sentence) or _EITHER.search(sentence)):
        return
    prices = {k.role: k.figure for k in known if k.figure.kind == "money" and k.role in _SURE}
    if len(prices) == len(_SURE) and not all(told[0].stated_by(p) for p in prices.values()):
        yield sentence[told[0].start : told[0].end], True


def turned_pairs(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """ "$30/$5" where the quotes say "$5/$30"."""
    known = [pair for piece in pieces for pair in _slashed(piece.statement)]
    for left, right in _slashed(sentence):
        same = any(left.stated_by(a) and right.stated_by(b) for a, b in known)
        if not same and any(left.stated_by(b) and right.stated_by(a) for a, b in known):
            yield sentence[left.start : right.end]


def other_columns(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """A row's figure given to another column's header, where no role tells more exactly."""
    settled = {role.figure.start for role in _roles(sentence)}
    loose = [figure for figure in loose_figures(sentence) if figure.start not in settled]
    for piece in pieces:
        columns = _named_cells(piece) if piece.kind == "row" else []
        if len(columns) < 2:
            continue
        shared = set.intersection(*(words for words, _ in columns))
        for start, clause in _clauses(sentence):
            said = _stems(clause)
            for figure in _within(loose, start, start + len(clause)):
                homes = [w - shared for w, v in columns if any(figure.stated_by(f) for f in v)]
                others = [w - shared for w, v in columns if not any(figure.stated_by(f) for f in v)]
                if homes and not any(said & w for w in homes) and any(said & w for w in others):
                    yield sentence[figure.start : figure.end]


def _roles_in(piece: Evidence) -> list[_Role]:
    if piece.kind != "row":
        return _roles(piece.quote)
    found = []
    for cell in cells(piece.statement):
        header = {match.group().lower() for match in _ROLE.finditer(cell.header)}
        if len(header) == 1:
            found += [_Role(figure, *header) for figure in figures(cell.value)]
        else:
            found += _roles(cell.value)
    return found


def _roles(text: str) -> list[_Role]:
    """Of the figures in each clause that names one role; and of pairs, in their order."""
    counted = [f for f in loose_figures(text) if not _is_measure(text, f)]
    found, blanked = _paired(text, counted)
    for start, clause in _clauses(blanked):
        named = {match.group().lower() for match in _ROLE.finditer(clause)}
        inside = _within(counted, start, start + len(clause))
        if len(named) == 1 and len(inside) == 1:
            found.append(_Role(inside[0], *named))
    named = {match.group().lower() for match in _ROLE.finditer(blanked)}
    if not found and len(named) == 1 and len(counted) == 1:
        return [_Role(counted[0], *named)]  # "For output tokens, it charges $5"
    return found


def _paired(text: str, counted: Sequence[Figure]) -> tuple[list[_Role], str]:
    """ "$5/$25 (input/output)": both roles; and the text without such pairs."""
    found = []
    for both in _BOTH.finditer(text):
        one, two = both["one"].lower(), both["two"].lower()
        pair = _nearest_pair(text, counted, both.start(), both.end())
        if pair and _OPPOSITE[one] == two:
            found += [_Role(pair[0], one), _Role(pair[1], two)]
    return found, _BOTH.sub(lambda match: " " * len(match.group()), text)


def _nearest_pair(
    text: str, counted: Sequence[Figure], start: int, end: int
) -> tuple[Figure, Figure] | None:
    pairs = [
        (left, right)
        for left, right in pairwise(counted)
        if left.kind == right.kind and _PAIR.fullmatch(text[left.end : right.start])
    ]
    before = [pair for pair in pairs if pair[1].end <= start]
    after = [pair for pair in pairs if pair[0].start >= end]
    return before[-1] if before else after[0] if after else None


def _slashed(text: str) -> list[tuple[Figure, Figure]]:
    return [
        (left, right)
        for left, right in pairwise(figures(text))
        if re.fullmatch(r"\s?/\s?[$€£]?", text[left.end : right.start])
    ]


def _is_measure(text: str, figure: Figure) -> bool:
    """The 1M of "per 1M tokens"."""
    return figure.kind == "number" and bool(_PER.search(text[: figure.start]))


def _named_cells(piece: Evidence) -> list[tuple[set[str], list[Figure]]]:
    """(stems of the header, figures of the value) of each cell after the first."""
    return [(_stems(c.header), figures(c.value)) for c in cells(piece.statement)[1:] if c.header]


def _clauses(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for match in _CLAUSE.finditer(text):
        yield start, text[start : match.start()]
        start = match.end()
    yield start, text[start:]


def _within(found: Sequence[Figure], start: int, end: int) -> list[Figure]:
    return [figure for figure in found if start <= figure.start < end]


def _stems(text: str) -> set[str]:
    return {word.lower()[:5] for word in _CONTENT.findall(text)}
