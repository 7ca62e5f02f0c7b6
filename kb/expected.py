"""Whether the evidence has the kind of answer that a question waits for, of the thing asked about.

"What does Grok 4 cost?" is not answered by a passage on Grok 4 without a price, nor by the price of
another model; "how did X do on benchmark Y?" only by a passage that names both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.asked import asked_of, on_asked
from kb.families import LICENCES
from kb.figures import figures
from kb.names import Name, names
from kb.parts import parts
from kb.questions import is_yes_or_no
from kb.types import Evidence

_PRICE = re.compile(
    r"\b(?:what|how much)\b.{0,60}\b(?:price[ds]?|pricing|costs?|charge[sd]?|fees?|rates?|pay)\b",
    re.IGNORECASE,
)
_FREE = re.compile(r"\b(?:free|no (?:charge|fee|cost))\b", re.IGNORECASE)
_DATE = re.compile(
    r"\b(?:since )?when (?:did|was|were|has|have|will)\b|"
    r"\b(?:what|which) (?:exact |calendar )?(?:date|day|month|year)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:1\d|20)\d\d\b|\b(?:century|decade|ago|BCE?|BP|AD|yesterday|today)\b|\b\d{1,3}0s\b"
)


def fits(question: str, evidence: Sequence[Evidence]) -> bool:
    """Whether one piece names what is asked about and has the kind of figure that is asked for.
    Also true where the question waits for nothing that could be told by its form."""
    if is_yes_or_no(question) or len(parts(question)) > 1:
        return True
    asked, things = asked_of(question), _things(question)
    if not asked and not things and not awaited(question):
        return True
    return any(
        _states(piece, things) and gives(piece.statement, awaited(question))
        for piece in on_asked(asked, evidence)
    )


def awaited(question: str) -> str:
    """The kind of figure that is asked for: "date", "price", or empty where it is none of them."""
    if _DATE.search(question):
        return "date"
    return "price" if _PRICE.search(question) else ""


def _things(question: str) -> list[Name]:
    """What else is named with a version, such as a benchmark. A licence may be denied."""
    return [n for n in names(question) if n.marks and not n.is_family and n.family not in LICENCES]


def _states(piece: Evidence, things: Sequence[Name]) -> bool:
    found = names(f"{piece.heading}\n;\n{piece.statement}")
    return all(any(thing.stated_by(name) for name in found) for thing in things)


def gives(text: str, kind: str) -> bool:
    """Whether the text has a figure of that kind; any text has the empty one."""
    if kind == "price":
        told = any(figure.kind in ("money", "percent", "times") for figure in figures(text))
        return told or bool(_FREE.search(text))
    if kind == "date":
        return bool(_TIME.search(text)) or any(figure.kind == "date" for figure in figures(text))
    return True
