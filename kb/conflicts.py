"""Evidence that disagrees about what is asked, grouped into positions.

Three ways to disagree are recognised: other values for the same thing, a licence against its
denial, and, where the question is answered by yes or no, a statement against its negation. What
differs in scope (two models, input and output, above and below a limit) does not disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from kb.cells import cells
from kb.figures import Figure, figures
from kb.names import Name, is_size, names
from kb.polarity import content, contradictions
from kb.questions import is_yes_or_no
from kb.ranking import name_agreement
from kb.retrieve import content_words
from kb.types import Evidence

# Words that set apart two statements which are both true: of other quantities, or under other
# conditions. One that only one side has makes it another scope.
_SCOPE = frozenset(
    """
    above after annual annually average batch before below between cached daily day each exceed
    first full half high hour hourly input large last least less long low many maximum mini minimum
    mode month monthly more most older output over peak per preview previous quantized raw read
    second short single small some standard than third tier total under up upper variant week
    weekly write year yearly active
    """.split()
)
_NEGATION = re.compile(
    r"\b(?:no|not|never|none|cannot|neither|nor|without|unavailable|unable|removed|dropped|lifted|"
    r"abolished|no longer|non-[a-z]+)\b|n['’]t\b",
    re.IGNORECASE,
)
_ENDED = re.compile(
    r"\bno longer\b|\b(?:was|were|been|is|are) (?:removed|dropped|lifted|abolished|withdrawn|"
    r"discontinued|repealed|ended)\b",
    re.IGNORECASE,
)
_PARTLY = re.compile(r"\b(?:part(?:ial(?:ly)?|ly)|some|certain|mostly|mainly|in part)\b", re.I)
_LICENCE = re.compile(r"\blicen[cs]|\bopen[- ]source\b|\bOSI\b", re.IGNORECASE)
_OPEN_LICENCES = frozenset("apache mit bsd gpl".split())
_CLAUSE = re.compile(r"[;.](?:\s|$)|, (?:and|or|whereas|while|but|compared) ")
_BEHIND = re.compile(r"\s?\(")  # "GPT-5 (August 7, 2025)": what a figure stands behind owns it
_LEAD_IN = re.compile(r"^\s*\*\*[^*]+\*\*\s*")  # "**Long documents (1M+):**" is a label, no claim
_WORD = re.compile(r"[A-Za-z]{2,}")
# What can be other values where a date or a price is asked for; "12 %" and "5 times" are of prices.
_KINDS = {"date": ("date", "number"), "price": ("money", "percent", "times", "number")}
_PRICE = re.compile(
    r"\b(?:what|how much)\b.{0,60}\b(?:price[ds]?|pricing|costs?|charge[sd]?|fees?|rates?|pay)\b",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"\b(?:since )?when (?:did|was|were|has|have|will)\b|"
    r"\b(?:what|which) (?:exact |calendar )?(?:date|day|month|year)\b",
    re.IGNORECASE,
)
_BEST = 12  # pieces among which a denial is looked for: further ones are about something else
_SHARED = 3  # of the question's content words that both sides have


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two pieces that can't both answer the question."""

    first: Evidence
    second: Evidence


def disagreements(question: str, pieces: Sequence[Evidence]) -> list[Disagreement]:
    """Pairs among the pieces that disagree about what the question asks, best evidence first."""
    return [*_of_values(question, pieces), *_of_denial(question, pieces)]


def _of_denial(question: str, pieces: Sequence[Evidence]) -> Iterator[Disagreement]:
    """Of a yes-or-no question: one piece says what another denies, in the question's own words."""
    if not is_yes_or_no(question):
        return
    asked = content(question)
    subjects = names(question)
    conditions = _conditions(question)
    if conditions:
        met = [p for p in pieces if _meets(p, conditions) and _names_any(p, subjects)]
        yield from (Disagreement(a, b) for a, b in combinations(met, 2) if _ended(a) ^ _ended(b))
    bearing = [
        piece
        for piece in pieces[:_BEST]
        if len(asked & content(piece.statement)) >= _SHARED
        and (not subjects or _is_about(piece, question, subjects))
    ]
    for a, b in combinations(bearing, 2):
        both = asked & content(a.statement) & content(b.statement)
        if len(both) >= _SHARED and _denies(a, b):
            yield Disagreement(a, b)


def _ended(piece: Evidence) -> bool:
    """ "The cap was removed": said of what another source says holds."""
    return bool(_ENDED.search(piece.statement))


def _denies(a: Evidence, b: Evidence) -> bool:
    """Not where one side speaks of a part: "partially exempt" and "these are not exempt"."""
    if _PARTLY.search(a.statement) or _PARTLY.search(b.statement):
        return False
    return any(contradictions(a.statement, b.statement)) or any(
        contradictions(b.statement, a.statement)
    )


def _of_values(question: str, pieces: Sequence[Evidence]) -> list[Disagreement]:
    subjects = [n for n in names(question) if n.family not in _OPEN_LICENCES]
    conditions = _conditions(question)
    if not subjects and not conditions:
        return []  # without either, two figures are seldom about the same thing
    asked, kinds = _asked(question, conditions), _KINDS.get(_awaited(question))
    bearing = [
        p
        for p in pieces
        if _meets(p, conditions) and (not subjects or _is_about(p, question, subjects))
    ]
    return [
        Disagreement(a, b)
        for a, b in combinations(bearing, 2)
        if (a.source.revision, a.start) != (b.source.revision, b.start)
        and (_other_values(a, b, asked, kinds) or _other_licence(a, b, question))
    ]


def _awaited(question: str) -> str:
    """The kind of figure that is asked for: "date", "price", or empty where it is none of them."""
    if _DATE.search(question):
        return "date"
    return "price" if _PRICE.search(question) else ""


def _conditions(question: str) -> list[Figure]:
    """The question's own figures; the 2.0 of "Apache 2.0" is a name's."""
    spans = [(name.start, name.end) for name in names(question)]
    return [f for f in figures(question) if not any(s <= f.start < e for s, e in spans)]


def _asked(question: str, conditions: Sequence[Figure]) -> set[str]:
    """Stems of what is asked for: neither whom it is asked of nor under which condition."""
    named = {word for name in names(question) for word in (name.family, *name.marks)}
    for figure in conditions:
        counted = re.match(r"\s*\w+(?:(?: an? | per |/)\w+)?", question[figure.end :])
        named |= set(re.findall(r"\w+", counted.group().lower())) if counted else set()
    return {_stem(word) for word in content_words(question) if word not in named}


def _meets(piece: Evidence, conditions: Sequence[Figure]) -> bool:
    """ "At 100M tokens a day" is not answered by what holds at 5M."""
    stated = figures(piece.quote)
    return all(any(c.stated_by(f) for f in stated) for c in conditions)


def _is_about(piece: Evidence, question: str, subjects: Sequence[Name]) -> bool:
    """Names what the question names, and not another version of it."""
    text = f"{piece.heading}\n{piece.statement}"
    return _names_any(piece, subjects) and name_agreement(question, text) >= 0


def _names_any(piece: Evidence, subjects: Sequence[Name]) -> bool:
    text = f"{piece.heading}\n{piece.statement}".lower()
    present = {name.family for name in names(f"{piece.heading}\n{piece.statement}")}
    # a model or its family tells more than the licence or the organisation beside it
    wanted = [s for s in subjects if s.is_family] or subjects
    return any(s.family in present or re.search(rf"\b{s.family}\b", text) for s in wanted)


# -- other values for the same thing -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Slot:
    figure: Figure
    unit: str
    words: frozenset[str]
    owners: tuple[Name, ...]


def _slots(piece: Evidence) -> list[_Slot]:
    """Each figure with the unit behind it and the words of its clause, a cell's header among
    them."""
    if piece.kind == "prose":
        return _said(_LEAD_IN.sub("", piece.statement))
    first, *others = cells(piece.statement)
    subject = _models(first.value)
    return [slot for cell in (first, *others) for slot in _said(cell.value, cell.header, subject)]


def _said(text: str, header: str = "", subject: tuple[Name, ...] = ()) -> list[_Slot]:
    found = []
    for clause in _CLAUSE.split(text):
        own = _models(clause)
        words = frozenset(_stem(w) for w in _WORD.findall(f"{header} {clause}"))
        for figure in figures(clause):
            if any(n.start <= figure.start < n.end for n in own):
                continue
            behind = tuple(n for n in own if _BEHIND.fullmatch(clause[n.end : figure.start]))
            found.append(_Slot(figure, _unit(clause, figure), words, behind or subject or own))
    return found


def _unit(clause: str, figure: Figure) -> str:
    """The word behind a figure, which tells what is counted; a date counts nothing."""
    if figure.kind == "date":
        return figure.kind
    unit = _WORD.search(clause, figure.end, figure.end + 20)
    return _stem(unit.group()) if unit else ""


def _models(text: str) -> tuple[Name, ...]:
    return tuple(n for n in names(text) if any(not is_size(m) for m in n.marks))


def _other_values(a: Evidence, b: Evidence, asked: set[str], kinds: tuple[str, ...] | None) -> bool:
    """kinds: of the figures that may be an answer; None: of any."""
    first, second = (
        [slot for slot in _slots(piece) if kinds is None or slot.figure.kind in kinds]
        for piece in (a, b)
    )
    return any(
        _comparable(s, t, asked)
        and not any(s.figure.stated_by(u.figure) for u in second)
        and not any(t.figure.stated_by(u.figure) for u in first)
        for s in first
        for t in second
    )


def _comparable(s: _Slot, t: _Slot, asked: set[str]) -> bool:
    """The same kind of figure, unit and owner, about the same asked-for thing, in one scope."""
    if s.figure.kind != t.figure.kind or s.unit != t.unit or not s.unit:
        return False
    if len(s.owners) > 1 or len(s.owners) != len(t.owners):
        return False
    if not all(
        x.marks == y.marks and x.family == y.family for x, y in zip(s.owners, t.owners, strict=True)
    ):
        return False
    scope = {_stem(word) for word in _SCOPE}
    return bool(s.words & t.words & asked) and (s.words & scope) == (t.words & scope)


# -- another licence -----------------------------------------------------------------------------


def _other_licence(a: Evidence, b: Evidence, question: str) -> bool:
    """One side names an open licence, the other says that it is none, of the same subject."""
    if not _LICENCE.search(question):
        return False
    for grants, denies in ((a, b), (b, a)):
        licences = {n.family for n in names(grants.statement)} & _OPEN_LICENCES
        denied = re.search(
            r"\b(?:not|n['’]t|non-)[^.;]{0,40}(?:open[- ]source|OSI|standard)",
            denies.statement,
            re.I,
        )
        if licences and denied and not _NEGATION.search(grants.statement):
            return not {n.family for n in names(denies.statement)} & licences
    return False


def _stem(word: str) -> str:
    """Five letters: release/released, price/priced, cost/costs."""
    return word.lower().removesuffix("s")[:5]
