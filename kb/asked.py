"""Whether something is about the very model and version that a question asks of."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.names import Name, names
from kb.types import Evidence

# These ask for other names than they give.
_FOR_OTHERS = re.compile(
    r"\b(?:which|what|other|another|best|any)\s+(?:[\w-]+\s+){0,3}?(?:models?|LLMs?|one|ones|vendors?|"
    r"compan(?:y|ies)|providers?|releases?|alternatives?)\b|\b(?:instead|besides|alternative|"
    r"before|after|behind|ahead of|similar to|siblings?|relatives?|counterparts?|comparable|"
    r"rivals?|competitors?|replaced?|successor|predecessor|newer|older|took over)\b",
    re.IGNORECASE,
)
# So do these, unless both sides are named.
_COMPARES = re.compile(r"\b(?:than|versus|vs|compared?)\b", re.IGNORECASE)


def asked_of(question: str) -> tuple[Name, ...]:
    """The models, of a known family and with a version, that the question is about; none where it
    asks for others than it names. Not "SWE-bench Pro": who leads it has another name."""
    named = tuple(name for name in names(question) if name.is_model and name.is_family)
    if _FOR_OTHERS.search(question) or (len(named) < 2 and _COMPARES.search(question)):
        return ()
    return named


def is_of_others(asked: Iterable[Name], text: str) -> bool:
    """The text names models, and none of them is one that was asked of: "Opus 4.7" does not answer
    for "Opus 4.6"."""
    wanted = list(asked)
    found = [name for name in names(text) if name.is_model and name.is_family]
    return bool(wanted and found) and not any(_same(w, f) for w in wanted for f in found)


def on_asked(asked: Iterable[Name], pieces: Iterable[Evidence]) -> list[Evidence]:
    """Those pieces that name one of what was asked of, themselves or in their heading; all, where
    the question asks of nothing in particular."""
    wanted = list(asked)
    return [piece for piece in pieces if not wanted or _names_one(wanted, piece)]


def _names_one(wanted: list[Name], piece: Evidence) -> bool:
    found = names(f"{piece.heading}\n;\n{piece.statement}")
    return any(_same(w, f) for w in wanted for f in found)


def _same(wanted: Name, found: Name) -> bool:
    """Also where one of them is named less fully: "Scout" for "Llama 4 Scout"."""
    alike = wanted.stated_by(found) or (bool(found.marks) and found.stated_by(wanted))
    return alike and not wanted.is_sibling(found)
