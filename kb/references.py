"""What in a question points at something that it does not name: "its", "the second one", "this"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kb.mentions import mentions

Kind = Literal["possessive", "singular", "their", "plural"]

POSSESSIVE = re.compile(r"\b(?:its|his|her(?= \w))\b", re.IGNORECASE)
SINGULAR = re.compile(
    r"\b(?:it|he|she|him|th(?:at|is|e) model|th(?:at|is) (?:one|company)|the latter)\b",
    re.IGNORECASE,
)
THEIR = re.compile(r"\btheir\b", re.IGNORECASE)
# "these documents" is no pronoun
PLURAL = re.compile(
    r"\b(?:they|them|(?:these|those) (?:two|models|ones|companies)"
    r"|(?:these|those|the two|both)(?!\s+\w+[^s\W]s\b))\b",
    re.IGNORECASE,
)
PRONOUNS: dict[Kind, re.Pattern[str]] = {
    "possessive": POSSESSIVE,
    "singular": SINGULAR,
    "their": THEIR,
    "plural": PLURAL,
}
ORDINAL = re.compile(
    r"\b(?:the|that) (first|second|third|last|former)(?: (?:one|model|family))?\b", re.I
)
ORDINALS = {"first": 0, "former": 0, "second": 1, "third": 2, "last": -1}

# "it" that points nowhere: "is it possible to", "what does it cost to"
_EMPTY_IT = re.compile(
    r"\bit\s+(?:\w+\s+){0,2}?(?:true|correct|right|possible|legal|allowed|safe|worth|sensible|"
    r"easy|easier|hard|harder|necessary|better|cheaper|best|okay|fine)\b"
    r"(?:\s+for\s+[\w ]+?)?\s+(?:to|that|if|when|\w+ing)\b"
    r"|\bit\s+(?:costs?|takes?|took|mean|make sense|pays?)\s+(?:\w+\s+){0,3}?to\b",
    re.IGNORECASE,
)
# "How much VRAM does it need": what is asked is no antecedent
_ASKED = re.compile(
    r"^\W*(?:(?:and|but|so|then|also)\s+)?(?:how (?:much|many)|what|which|on which|in which)\b"
    r"[^,;.]{1,40}?\b(?:does|do|did|is|are|was|were|can|could|has|have|had|will|would)\s*$",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:than|versus|vs\.?|against|compared? (?:to|with)|like|as)\s*$", re.IGNORECASE
)
_FAR = 9  # words: a pronoun further inside a question mostly points at something in it

_COURTESY = re.compile(
    r"\W*(?:(?:oh|ah|wow|yes|no|ok(?:ay)?|alright|sure|sorry|great|nice|cool|perfect|interesting|"
    r"awesome|please|hi|hello|hey|(?:many )?thanks?(?: you)?(?: (?:so|very) much| a lot)?|i see|"
    r"got it|understood|never ?mind|(?:that|it)(?: i|['’])s (?:all )?(?:fine|ok(?:ay)?|great|good|"
    r"helpful|interesting)|(?:can|could) you (?:please )?help(?: me)?(?: here| please)*|"
    r"(?:yes|no),? i (?:do|did|don['’]t))\b\W*)+",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pronoun's place in a question."""

    kind: Kind
    start: int
    end: int


def pointers(question: str) -> Iterator[Pointer]:
    """Pronouns that nothing in the question itself precedes, by kind and then in order."""
    for kind, pattern in PRONOUNS.items():
        for found in pattern.finditer(question):
            before = question[: found.start()]
            if not _EMPTY_IT.match(question, found.start()) and _points_back(before):
                yield Pointer(kind, found.start(), found.end())


def said_in_full(text: str) -> list[str]:
    """The sentences that say something: "That's fine, thank you." is none."""
    parts = (part.strip() for part in _SENTENCE_END.split(text))
    return [part for part in parts if part and not _COURTESY.fullmatch(part)]


def _points_back(before: str) -> bool:
    """Whether nothing in front of a pronoun can be what it means; "Is Gemini cheaper than it?"
    points back although it names something."""
    if len(before.split()) > _FAR:
        return False
    return bool(not mentions(before) or _ASKED.match(before) or _COMPARED.search(before))
