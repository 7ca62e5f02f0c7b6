"""How a model is shown evidence, and asked whether a passage states a sentence.

Reading the prompt is most of the cost on two cores, and only an exact prefix is reused: everything
that repeats comes first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.types import Evidence, Message

_PAGE = re.compile(r"p\.\d+(?:–p\.\d+)?")
CHECK = (
    "You check statements against passages. Reply Yes only if the passage says all of it, about "
    "the very same subject, time and relation. If anything is different, missing or only similar, "
    "reply No."
)
_TWO_MODELS = "The Tern 4 costs $900 and weighs 11.5 kg; the Tern 4 Sport weighs 9.8 kg."
_FOUNDER = "Anna Berg founded the workshop in 1987; her son moved it to the harbour in 2003."
_HELMETS = "Helmets are free, but locks are not included in the daily rate."
_MOST = "Most riders return their bicycles before noon."
# Near misses: without them a small model says Yes to whatever sounds alike.
_CHECKS = (
    (_TWO_MODELS, "The Tern 4 weighs 11.5 kg.", "Yes"),
    (_TWO_MODELS, "The Tern 4 Sport costs $900.", "No"),
    (_FOUNDER, "The workshop was started by Anna Berg.", "Yes"),
    (_FOUNDER, "Anna Berg moved the workshop to the harbour in 2003.", "No"),
    (_HELMETS, "You pay nothing for a helmet.", "Yes"),
    (_HELMETS, "Locks are free for weekly rentals.", "No"),
    (_MOST, "All riders return their bicycles before noon.", "No"),
)


def entail_messages(claim: str, pieces: Sequence[Evidence]) -> list[Message]:
    """Asks whether the pieces state the claim: read P(Yes) of the next token."""
    passage = " ".join(piece.statement for piece in pieces)
    heading = _heading(pieces[0]) if pieces else ""
    return [*_CHECKING, _checked(f"({heading}) {passage}" if heading else passage, claim)]


def _checked(passage: str, claim: str) -> Message:
    asked = "Does the passage say this? Reply Yes or No."
    return Message("user", f"Passage: {passage}\nStatement: {claim}\n{asked}")


def passages(evidence: Sequence[Evidence]) -> str:
    """The numbered pieces, as the model is shown them."""
    return "\n".join(f"[{n}] {_shown(piece)}" for n, piece in enumerate(evidence, 1))


_CHECKING = (
    Message("system", CHECK),
    *(
        message
        for passage, claim, verdict in _CHECKS
        for message in (_checked(passage, claim), Message("assistant", verdict))
    ),
)


def _shown(piece: Evidence) -> str:
    """A sentence with the heading it stands under: "It fits on one GPU" needs its subject."""
    heading = _heading(piece)
    return f"({heading}) {piece.shown}" if heading else piece.shown


def _heading(piece: Evidence) -> str:
    """The nearest; a page's number tells a model nothing."""
    path = [part for part in piece.heading.split(" > ") if not _PAGE.fullmatch(part)]
    return path[-1] if path else ""
