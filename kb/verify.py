"""Does this sentence follow from those quotes: figures, names, subjects, polarity.

Everything here is exact and explains itself; what only a model can judge (meaning) is left to the
caller, who asks it where `Doubt` says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kb.cells import cells
from kb.figures import Figure, figures
from kb.names import Name, is_size, names
from kb.types import Evidence

Failure = Literal["figure", "name", "subject", "column", "polarity"]

_NEGATION = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|neither|nor|cannot|without|unavailable|unable|"
    r"impossible|lacks?|lacking|forbids?|forbidden|prohibit(?:s|ed)?|bans?|banned|except|unless|"
    r"fails?|refuses?|removed|false|incorrect)\b|n['’]t\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(r"\b(?:only|solely|exclusively|no longer|at most|at least|up to)\b", re.I)
_CLAUSE = re.compile(r"[;,:()]|\b(?:while|whereas|but|although|and|compared|versus|vs)\b", re.I)
_CONTENT = re.compile(r"[A-Za-z][A-Za-z-]{3,}")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a sentence may not follow. `certain`: it does not; else a model may be asked."""

    failure: Failure
    about: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What a sentence says that a quote must say too."""

    figures: tuple[Figure, ...]
    names: tuple[Name, ...]

    @classmethod
    def of(cls, sentence: str) -> Needs:
        return cls(tuple(figures(sentence)), names(sentence))

    def unmet(self, quotes: str) -> Needs:
        known_figures, known_names, low = figures(quotes), names(quotes), quotes.lower()
        return Needs(
            tuple(f for f in self.figures if not any(f.stated_by(k) for k in known_figures)),
            tuple(
                n
                for n in self.names
                if not any(n.stated_by(k) for k in known_names)
                and (n.marks or not re.search(rf"\b{re.escape(n.family)}", low))
            ),
        )

    @property
    def met(self) -> bool:
        return not self.figures and not self.names

    def __len__(self) -> int:
        return len(self.figures) + len(self.names)


def doubts(sentence: str, pieces: Sequence[Evidence]) -> list[Doubt]:
    """All that speaks against the sentence, given the quotes that it is bound to."""
    found = [d for d in (_missing(sentence, pieces), _polarity(sentence, pieces)) if d]
    found += _subjects(sentence, pieces)
    found += _columns(sentence, pieces)
    return found


def _missing(sentence: str, pieces: Sequence[Evidence]) -> Doubt | None:
    unmet = Needs.of(sentence).unmet("\n".join(piece.quote for piece in pieces))
    if unmet.figures:
        figure = unmet.figures[0]
        return Doubt("figure", sentence[figure.start : figure.end], certain=True)
    if unmet.names:
        name = unmet.names[0]
        return Doubt("name", sentence[name.start : name.end], certain=True)
    return None


# -- (2) the figure belongs to the right subject -------------------------------------------------


def _subjects(sentence: str, pieces: Sequence[Evidence]) -> list[Doubt]:
    """A figure that the sentence gives to one model and every source gives to another."""
    found = []
    for figure, subject in _owners(sentence):
        if subject is None:
            continue
        owners = [o for piece in pieces for f, o in _stated_owners(piece) if figure.stated_by(f)]
        known = [o for o in owners if o is not None]
        if known and len(known) == len(owners) and not any(_same(subject, o) for o in known):
            found.append(Doubt("subject", sentence[figure.start : figure.end], certain=True))
    return found


def _same(subject: Name, owner: Name) -> bool:
    return subject.stated_by(owner) or owner.stated_by(subject)


def _stated_owners(piece: Evidence) -> list[tuple[Figure, Name | None]]:
    """A row's figures belong to the name in its first cell, a sentence's to the nearest name."""
    if piece.kind != "row":
        return _owners(piece.quote)
    first, *rest = cells(piece.statement)
    subjects = _models(first.value)
    if len(subjects) != 1:
        return [pair for cell in rest or [first] for pair in _owners(cell.value)]
    return [(figure, subjects[0]) for figure in figures(piece.statement)]


def _owners(text: str) -> list[tuple[Figure, Name | None]]:
    """Each figure with the model name it stands with: the last before it in the sentence, or the
    first after it in its clause."""
    models = _models(text)
    pairs: list[tuple[Figure, Name | None]] = []
    for figure in figures(text):
        if any(name.start <= figure.start < name.end for name in models):
            continue  # "4.7" of "Opus 4.7"
        before = [name for name in models if name.end <= figure.start]
        after = [name for name in models if name.start >= figure.end]
        if after and _binds_forward(text, figure, before[-1] if before else None, after[0]):
            pairs.append((figure, after[0]))
        else:
            pairs.append((figure, before[-1] if before else None))
    return pairs


def _binds_forward(text: str, figure: Figure, before: Name | None, after: Name) -> bool:
    """ "58.6% for GPT-4o", "$5 (Opus 4.7)": nearer, with no clause boundary between."""
    gap = text[figure.end : after.start]
    linked = re.fullmatch(r"\s*(?:\(|for|by|from|with|on|in|of)\s*(?:the\s)?", gap, re.IGNORECASE)
    return bool(linked) or (before is None and not _CLAUSE.search(gap))


def _models(text: str) -> list[Name]:
    """Names with a version or variant: what tables have rows for."""
    return [name for name in names(text) if any(not is_size(m) for m in name.marks)]


# -- (2b) and to the right column ----------------------------------------------------------------


def _columns(sentence: str, pieces: Sequence[Evidence]) -> list[Doubt]:
    """A row's figure given to another column's header: an output price as the input price."""
    found = []
    for piece in pieces:
        columns = _named_cells(piece) if piece.kind == "row" else []
        if len(columns) < 2:
            continue
        shared = set.intersection(*(words for words, _ in columns))
        for clause in _clauses(sentence):
            said = _stems(clause)
            for figure in figures(clause):
                homes = [w - shared for w, v in columns if any(figure.stated_by(f) for f in v)]
                others = [w - shared for w, v in columns if not any(figure.stated_by(f) for f in v)]
                if homes and not any(said & w for w in homes) and any(said & w for w in others):
                    found.append(Doubt("column", clause[figure.start : figure.end], certain=False))
    return found


def _named_cells(piece: Evidence) -> list[tuple[set[str], list[Figure]]]:
    """(stems of the header, figures of the value) of each cell after the first."""
    return [(_stems(c.header), figures(c.value)) for c in cells(piece.statement)[1:] if c.header]


def _clauses(sentence: str) -> list[str]:
    return [part for part in re.split(r"[;,]|\band\b|\bwhile\b|\bwhereas\b", sentence) if part]


# -- (4) polarity --------------------------------------------------------------------------------


def _polarity(sentence: str, pieces: Sequence[Evidence]) -> Doubt | None:
    """One side negates or limits what the other states plainly, about shared words."""
    quotes = " ".join(piece.statement for piece in pieces)
    for pattern in (_NEGATION, _LIMIT):
        here, there = _scopes(pattern, sentence), _scopes(pattern, quotes)
        said, known = _stems(sentence), _stems(quotes)
        if here and not there and any(scope & known for scope in here):
            return Doubt("polarity", sentence, certain=False)
        if there and not here and all(scope & said for scope in there if scope):
            return Doubt("polarity", sentence, certain=False)
    return None


def _scopes(pattern: re.Pattern[str], text: str) -> list[set[str]]:
    """The content words right after each negation: what it is about."""
    return [_stems(" ".join(text[m.end() :].split()[:5])) for m in pattern.finditer(text)]


def _stems(text: str) -> set[str]:
    return {word.lower()[:5] for word in _CONTENT.findall(text)}
