"""Whether the evidence has the kind of answer that a question waits for, of the thing asked about.

"What does Grok 4 cost?" is not answered by a passage on Grok 4 without a price, nor by the price of
another model; "how did X do on benchmark Y?" only by a passage that names both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.asked import asked_of, on_asked
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
    kind = awaited(question)
    if not kind and not asked_of(question) and not _measured(question):
        return True
    return any(gives(piece.statement, kind) for piece in bearing(question, evidence))


def bearing(question: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """Those pieces that name a model that is asked of, and a benchmark or a device likewise; all,
    where nothing of the kind is asked of."""
    things = _measured(question)
    pieces = on_asked(asked_of(question), evidence)
    return [piece for piece in pieces if not things or _states_one(things, piece)]


def awaited(question: str) -> str:
    """The kind of figure that is asked for: "date", "price", or empty where it is none of them."""
    if _DATE.search(question):
        return "date"
    return "price" if _PRICE.search(question) else ""


def _measured(question: str) -> list[Name]:
    """A benchmark without a model describes one: "where is the leader of that benchmark sold?"."""
    of_models = bool(asked_of(question))
    return [n for n in names(question) if n.is_device or (n.is_benchmark and of_models)]


def _states_one(things: Sequence[Name], piece: Evidence) -> bool:
    found = names(f"{piece.heading}\n;\n{piece.statement}")
    return any(thing.stated_by(name) for thing in things for name in found)


def gives(text: str, kind: str) -> bool:
    """Whether the text has a figure of that kind; any text has the empty one."""
    if kind == "price":
        told = any(figure.kind in ("money", "percent", "times") for figure in figures(text))
        return told or bool(_FREE.search(text))
    if kind == "date":
        return bool(_TIME.search(text)) or any(figure.kind == "date" for figure in figures(text))
    return True
