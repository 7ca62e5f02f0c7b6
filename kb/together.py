"""What a sentence puts together that no source does.

Two places may each state half of a sentence, and none of them the whole: one names a maker, the
other a model. So the names and figures of a clause have to stand together, two by two or over a
third ("Anthropic's Opus costs $5": Opus stands with each).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from kb.figures import Figure, missing
from kb.names import Name, names
from kb.stated import missing_names
from kb.subjects import loose_figures, source_figures
from kb.types import Evidence

_CLAUSE = re.compile(
    r"[;:]\s|,?\s(?:while|whereas|but|which|who|and (?=(?:it|they|its|their)\b))\s?"
)
# Between the members of a list: each of them may stand somewhere else.
_LISTED = re.compile(r"[\s,/&()]*(?:(?:and|or|as well as|plus|the)[\s,]+)*", re.IGNORECASE)
_LEANS = re.compile(
    r"(?:It|Its|They|Their|He|She|His|Her|This|These|That|Those|Such|Both|The(?! [A-Z]))\b"
)
_MEASURE = re.compile(r"\b(?P<word>[A-Za-z]{4,}) of (?:about |up to |only |~)?[$€£]?$")
_NEXT = 3  # code points between a sentence and the next one


@dataclass(frozen=True, slots=True)
class _Part:
    """A name or figure of a sentence. homes: the places that state it, by number."""

    what: Name | Figure
    homes: frozenset[int]

    @property
    def is_exact(self) -> bool:
        """A capitalised word may be no name at all: "European", "Macs"."""
        return isinstance(self.what, Figure) or bool(self.what.marks) or self.what.is_listed


def apart(sentence: str, pieces: Sequence[Evidence]) -> Iterator[tuple[str, bool]]:
    """("A + B", certain) of a pair that a clause puts together, each stated, but nowhere with the
    other nor with what the other stands with."""
    places = list(_places(pieces))
    if len(places) < 2:
        return
    yield from _of_another(sentence, places)
    for clause in _clauses(sentence, places):
        groups = _standing_together(clause)
        if _says_two_things(clause, groups):
            continue
        for one, other in _not_listed(sentence, clause):
            nowhere = not any(one in group and other in group for group in groups)
            if nowhere and not _is_makers(one, other):
                words = (sentence[part.what.start : part.what.end] for part in (one, other))
                yield " + ".join(words), one.is_exact and other.is_exact


def _of_another(sentence: str, places: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """ "a bandwidth of 128GB", where the places that state 128GB say nothing of a bandwidth."""
    for figure in loose_figures(sentence):
        measure = _MEASURE.search(sentence[: figure.start])
        word = measure["word"].lower()[:6] if measure else ""
        homes = _homes(figure, places)
        having = {n for n, text in enumerate(places) if word in text.lower()}
        if measure and homes and having and not homes & having:
            yield f"{measure['word']} of {sentence[figure.start : figure.end]}", True


def _places(pieces: Sequence[Evidence]) -> Iterator[str]:
    """The text of each: a piece under its heading, with the sentences that go on about it."""
    headers = [piece for piece in pieces if _is_header(piece)]
    told = [piece for piece in pieces if piece not in headers]
    told.sort(key=lambda piece: (piece.source.document_id, piece.start))
    text = ""
    for before, piece in pairwise([None, *told]):
        if before and piece and _goes_on(before, piece):
            text += f"\n;\n{piece.statement}"
        elif piece:
            yield from [text] if text else []
            above = [h.statement for h in headers if h.source == piece.source]
            text = "\n;\n".join([piece.heading, *above, piece.statement])
    yield from [text] if text else []


def _is_header(piece: Evidence) -> bool:
    """The first line of a table, which its rows lean on."""
    return piece.kind != "row" and piece.quote.lstrip().startswith("|")


def _goes_on(piece: Evidence, following: Evidence) -> bool:
    near = piece.source == following.source and 0 <= following.start - piece.end <= _NEXT
    return near and following.kind == "prose" and bool(_LEANS.match(following.statement))


def _clauses(sentence: str, places: Sequence[str]) -> Iterator[list[_Part]]:
    """The parts of each clause, in order; without those that no place states."""
    said: list[Name | Figure] = [*names(sentence), *loose_figures(sentence)]
    parts = [_Part(what, _homes(what, places)) for what in sorted(said, key=lambda w: w.start)]
    found = [part for part in parts if part.homes]
    start = 0
    for stop in [*(cut.start() for cut in _CLAUSE.finditer(sentence)), len(sentence)]:
        inside = [part for part in found if start <= part.what.start < stop]
        if inside:
            yield inside
        start = stop


def _homes(what: Name | Figure, places: Sequence[str]) -> frozenset[int]:
    if isinstance(what, Name):
        return frozenset(n for n, text in enumerate(places) if not missing_names((what,), text))
    return frozenset(
        n for n, text in enumerate(places) if not missing((what,), source_figures(text), text)
    )


def _is_makers(one: _Part, other: _Part) -> bool:
    """ "Anthropic charges $5": a maker may stand for its model, of which `subjects` knows more."""
    kinds = {isinstance(part.what, Name) and part.what.is_organisation for part in (one, other)}
    return kinds == {True, False} and any(isinstance(p.what, Figure) for p in (one, other))


def _standing_together(clause: Sequence[_Part]) -> list[list[_Part]]:
    """The parts in groups, each linked by places that state two of them."""
    groups: list[list[_Part]] = []
    for part in clause:
        linked = [group for group in groups if any(part.homes & one.homes for one in group)]
        groups = [group for group in groups if group not in linked]
        groups.append([*(one for group in linked for one in group), part])
    return groups


def _says_two_things(clause: Sequence[_Part], groups: Sequence[Sequence[_Part]]) -> bool:
    """ "Scout costs $2 and Maverick costs $4": one after the other, each whole in itself."""
    order = [next(n for n, group in enumerate(groups) if part in group) for part in clause]
    turns = sum(a != b for a, b in pairwise(order))
    return turns == len(groups) - 1 and all(len(group) > 1 for group in groups)


def _not_listed(sentence: str, clause: Sequence[_Part]) -> Iterator[tuple[_Part, _Part]]:
    """Pairs that are not members of one list."""
    lists = [0]
    for before, part in pairwise(clause):
        between = sentence[before.what.end : part.what.start]
        lists.append(lists[-1] + (not _LISTED.fullmatch(between)))
    for (a, one), (b, other) in combinations(zip(lists, clause, strict=True), 2):
        if a != b:
            yield one, other
