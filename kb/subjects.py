"""Which model a figure belongs to: in a sentence, and in the quotes that it is bound to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal

from kb.cells import Cell, cells
from kb.families import LICENCES, VARIANTS
from kb.figures import Figure, figures
from kb.names import Name, is_size, names
from kb.polarity import content
from kb.stated import missing_names
from kb.types import Evidence

Owned = tuple[Figure, tuple[Name, ...]]

_CLAUSE = re.compile(r"[;,:()]|\b(?:while|whereas|but|although|and|compared|versus|vs)\b", re.I)
# "58.6% for GPT-4o", "$5 (Opus 4.7)", "1M tokens each for GPT-4o"
_FORWARD = re.compile(
    r"\s?\(\s?|\s(?:(?:input |output )?(?:tokens|parameters|experts|points) )?(?:each )?"
    r"(?:for|by|from|with|in|of)\s(?:the\s)?",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:,|/|\s?&|,? and|,? or) ?(?:the )?")
_AGAINST = re.compile(r",? (?:against|versus|vs\.?|compared (?:to|with)|to) ")
_LAST = re.compile(r"/|&|\b(?:and|or)\b")
_NEAR = 2000  # characters: a table's header is rarely further above its row
_SHARED = 2  # words that a quote about the same thing has in common with the sentence
_WHOLE_NUMBER = re.compile(r"\d{1,2}")


def loose_figures(text: str) -> list[Figure]:
    """The figures that are no part of a name: not the 4.7 of "Opus 4.7"."""
    named = [name for name in names(text) if name.marks]
    return [f for f in figures(text) if not any(n.start <= f.start < n.end for n in named)]


def source_figures(text: str) -> list[Figure]:
    """What a source states: "Llama 4" doesn't state 4, "Falcon-40B" states 40B."""
    named = [name for name in names(text) if name.is_model]

    def is_version(figure: Figure) -> bool:
        inside = any(n.start <= figure.start and figure.end <= n.end for n in named)
        return inside and bool(_WHOLE_NUMBER.fullmatch(text[figure.start : figure.end]))

    return [figure for figure in figures(text) if not is_version(figure)]


def misplaced(sentence: str, pieces: Sequence[Evidence]) -> Iterator[tuple[str, bool]]:
    """(figure, certain) for each that the sentence gives to one model and every quote that states
    it to another one."""
    stated = [owned for piece in pieces for owned in _owned_by(piece)]
    claimed = owners(sentence)
    simple = _each_has_one(sentence, claimed)
    for figure, subjects in claimed:
        homes = [group for source, group in stated if figure.stated_by(source)]
        if not subjects or not homes or not all(homes):
            continue
        known = [name for group in homes for name in group]
        nearest, *others = [_best(subject, known) for subject in subjects]
        if nearest == "other" or "other" in others or nearest == "vague":
            certain = nearest == "other" and simple
            yield sentence[figure.start : figure.end], certain


def borrowed(sentence: str, pieces: Sequence[Evidence]) -> Iterator[tuple[str, bool]]:
    """(figure, certain) for each that only a quote about something else states: one that has none
    of the sentence's names, and does not stand right above one that has."""
    said, wanted = content(sentence), names(sentence)
    about = [len(missing_names(wanted, piece.quote)) < len(wanted) for piece in pieces]
    for figure in loose_figures(sentence):
        stating = [
            i for i, piece in enumerate(pieces)
            if any(figure.stated_by(source) for source in source_figures(piece.statement))
        ]  # fmt: skip
        if not wanted or not stating or any(about[i] or _above(i, pieces, about) for i in stating):
            continue
        shared = max(len(said & content(pieces[i].statement)) for i in stating)
        # "Anthropic charges $750" of what "Claude Opus 4.7" costs: a maker stands for its models
        makers = all(name.is_organisation for name in wanted)
        yield sentence[figure.start : figure.end], shared < _SHARED and not makers


def lent(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """Each licence that only quotes about something else name: "Apache 2.0" of a row without any of
    the sentence's other names."""
    named = names(sentence)
    wanted = [name for name in named if name.family not in LICENCES]
    about = [len(missing_names(wanted, _with_heading(piece))) < len(wanted) for piece in pieces]
    for licence in named:
        if licence.family not in LICENCES or not wanted:
            continue
        stating = [
            i for i, piece in enumerate(pieces)
            if any(licence.stated_by(name) for name in names(piece.statement))
        ]  # fmt: skip
        if stating and not any(about[i] or _above(i, pieces, about) for i in stating):
            yield sentence[licence.start : licence.end]


def _with_heading(piece: Evidence) -> str:
    return f"{piece.heading}\n;\n{piece.statement}"


def _above(index: int, pieces: Sequence[Evidence], about: Sequence[bool]) -> bool:
    """A table's header or an earlier sentence of a quote that is about the sentence's names; not
    one on a model of its own."""
    piece = pieces[index]
    return not _models(piece.statement) and any(
        about[i] and other.source == piece.source and 0 <= other.start - piece.end < _NEAR
        for i, other in enumerate(pieces)
    )


def mislabelled(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """Each benchmark or edition for which the quotes with the sentence's figures name another:
    "SWE-bench Pro" where they say "SWE-bench Verified"."""
    wanted = loose_figures(sentence)
    stating = [
        names(piece.statement)
        for piece in pieces
        if any(f.stated_by(source) for f in wanted for source in figures(piece.statement))
    ]
    for name in names(sentence):
        rivals = [[k for k in known if k.family == name.family and k.marks] for known in stating]
        edition = name.marks and not name.is_model and rivals and all(rivals)
        if edition and all(agreement(name, k) == "other" for known in rivals for k in known):
            yield sentence[name.start : name.end]


def owners(text: str) -> list[Owned]:
    """Each figure with the models it stands with, the nearest first: the last before it in the
    sentence with those listed together with it, or the first after it in its clause."""
    groups = _groups(text)
    loose = loose_figures(text)
    paired = _pairs(text, groups, loose)
    owned = []
    for figure in loose:
        before = [group for group in groups if group[-1].end <= figure.start]
        after = [group for group in groups if group[0].start >= figure.end]
        forward = after and _binds_forward(text, figure, bool(before), after[0][0])
        group = after[0] if forward else tuple(reversed(before[-1])) if before else ()
        owned.append((figure, paired.get(figure.start, group)))
    return owned


def agreement(subject: Name, owner: Name) -> Literal["same", "vague", "other"]:
    """Whether two names can mean one model; vague where one of them names a variant only."""
    if subject.family != owner.family or subject.is_sibling(owner):
        return "other"
    split = [_kinds(subject.marks), _kinds(owner.marks)]
    for one, other in zip(*split, strict=True):
        if one and other and not (one <= other or other <= one):
            return "other"
    return "vague" if split[0][0] != split[1][0] else "same"


def _kinds(marks: frozenset[str]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """(variants, sizes, versions)"""
    variants = marks & VARIANTS
    sizes = frozenset(mark for mark in marks if is_size(mark))
    return variants, sizes, marks - variants - sizes


def _best(subject: Name, known: Sequence[Name]) -> str:
    verdicts = {agreement(subject, owner) for owner in known}
    return next(v for v in ("same", "vague", "other") if v in verdicts)


def _each_has_one(sentence: str, claimed: Sequence[Owned]) -> bool:
    """Whether every model of the sentence has figures, or one alone is named: else which model a
    figure goes with can't be told by order ("A trails B (64.3%) with 58.6%")."""
    models = _models(sentence)
    having = {name.start for _, group in claimed for name in group}
    kinds = Counter((figure.kind, group[0].start) for figure, group in claimed if group)
    doubled = any(count > 1 and kind != "number" for (kind, _), count in kinds.items())
    return all(name.start in having for name in models) or not doubled


def _owned_by(piece: Evidence) -> list[Owned]:
    """A row's figures belong to the model in its first cell, or in the column's header, or to the
    family in its first cell; a sentence's as `owners` tells, or to the only model that it names."""
    if piece.kind != "row":
        groups = _groups(piece.quote)
        only = groups[0] if len(groups) == 1 and len(groups[0]) == 1 else ()
        return [(figure, group or only) for figure, group in owners(piece.quote)]
    first, *rest = cells(piece.statement)
    subjects = _models(first.value)
    if len(subjects) == 1 and subjects[0].is_model:
        return [(figure, subjects) for figure in figures(piece.statement)]
    family = subjects if len(subjects) == 1 else ()
    owned = (owned for cell in rest or [first] for owned in _owned_in(cell))
    return [(figure, group or family) for figure, group in owned]


def _owned_in(cell: Cell) -> list[Owned]:
    column = _models(cell.header)
    if len(column) == 1:
        return [(figure, column) for figure in figures(cell.value)]
    return owners(cell.value)


def _models(text: str) -> tuple[Name, ...]:
    """Models and their families: what tables have rows for."""
    return tuple(name for name in names(text) if name.is_model or name.is_family)


def _groups(text: str) -> list[tuple[Name, ...]]:
    """Models listed together: "GPT-4o, Opus 4.7 and Gemini 3.1 Pro" is one group."""
    runs: list[list[Name]] = []
    for name in _models(text):
        if runs and _LISTED.fullmatch(text[runs[-1][-1].end : name.start]):
            runs[-1].append(name)
        else:
            runs.append([name])
    groups: list[tuple[Name, ...]] = []
    for run in runs:
        joint = text[run[-2].end : run[-1].start] if len(run) > 1 else ""
        listed = len(run) == 1 or bool(_LAST.search(joint))
        groups += [tuple(run)] if listed else [(name,) for name in run]
    return groups


def _pairs(
    text: str, groups: Sequence[tuple[Name, ...]], loose: Sequence[Figure]
) -> dict[int, tuple[Name, ...]]:
    """ "GPT-4o and Opus 4.7 score 58.6% and 64.3%", "A is ahead of B, with 64.3% against 58.6%":
    start of each figure, and its model."""
    two = [tuple(group[0] for group in groups)] if len(groups) == 2 else []
    for models, joint in [*((group, _LISTED) for group in groups), *((m, _AGAINST) for m in two)]:
        after = [f for f in loose if f.start >= models[-1].end][: len(models)]
        same = len({(f.kind, f.unit) for f in after}) == 1 and len(after) == len(models) > 1
        if same and all(
            joint.fullmatch(text[left.end : right.start].replace("$", ""))
            for left, right in pairwise(after)
        ):
            return {f.start: (name,) for f, name in zip(after, models, strict=True)}
    return {}


def _binds_forward(text: str, figure: Figure, preceded: bool, after: Name) -> bool:
    gap = text[figure.end : after.start]
    return bool(_FORWARD.fullmatch(gap)) or (not preceded and not _CLAUSE.search(gap))
