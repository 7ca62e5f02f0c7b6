"""What a question points at although nothing has been said yet: "How much does it cost?"

Only shapes that leave no doubt: asking back where an answer was possible annoys more than a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kb.mentions import mentions
from kb.references import pointers, said_in_full

_AUX = r"(?:do|does|did|is|are|was|were|can|could|will|would|should|has|have|had|may|might|must)"
# "How much does it", "Who made it", "Can I run it", "Tell me about its": words that ask, no thing
_ONLY_ASKS = re.compile(
    r"\W*(?:(?:and|but|so|then|also|or|please)\W+)*"
    r"(?:(?:(?:can|could|would) you )?(?:please )?(?:tell me|explain|describe|compare|show me)\s+"
    r"(?:more\s+|something\s+)?(?:about\s+)?)?"
    r"(?:(?:in|on|for|of|with|from|to|at|by|since)\s+)?"
    r"(?:(?:who|what|when|where|why|how|which|whose)(?:['’]s)?\s+(?:\w+\s+){0,2}?)?"
    rf"(?:{_AUX}\s+|(?:makes?|made|uses?|owns?|built|trained|developed|created|sells?)\s+)?"
    r"(?:(?:i|we)\s+(?:\w+\s+){1,2})?",
    re.IGNORECASE,
)
# "What is it called when …": what "it" is comes later
_COMES_LATER = re.compile(
    r"\b(?:if|when|that|to|whether|because|which|who|how|why|what)\s+\S+\s+\S+", re.IGNORECASE
)
_PERSONAL = frozenset("it its he him his she her they them their".split())
_THINGS = frozenset("model models company companies one ones".split())
_AFTER = 6  # words behind the pronoun, at most
_ELLIPSIS = re.compile(
    r"\W*+(?:(?:and|but|ok(?:ay)?|so)\W+)?(?:why(?: not)?|how so|how come|really|what else|"
    r"tell me more|go on|more|(?:(?:what|how) about |is |and )?the (?:other|second|third|latter|"
    r"former) one|which (?:one|of (?:them|these|those|the two))\b[\w ]{0,30})\W*",
    re.IGNORECASE,
)
_THIS = re.compile(
    rf"(?:\b(?P<aux>{_AUX})\s+)?\b(?P<whole>(?:this|these)\s+(?P<noun>[a-z][a-z-]{{2,}})"
    r"(?P<second>\s+[a-z][a-z-]{2,}(?=\W*$))?)",
    re.IGNORECASE,
)
# Their own time and place, or the conversation's: no thing that could be named
_HERE = frozenset(
    """
    time times year years month months week weeks day days morning evening moment century decade
    way ways kind kinds sort sorts type types case cases point regard respect context question
    questions answer answers chat conversation tool site page website app service system assistant
    bot knowledge corpus document documents source sources database widget information topic
    subject world area field
    """.split()
)
_CATEGORY = re.compile(
    r"\b(?P<whole>the\s+(?P<noun>model|company|country|city|movie|film|song|book|show|"
    r"series|game|animal|product|device|clinic|library|school))"
    r"(?=['’]s\s+\w+\W*$|\W*$|\s+\w+\W*$)",
    re.IGNORECASE,
)
_BE = frozenset("is are was were".split())
_SHORT = 9  # words: a longer question mostly says which thing it means


@dataclass(frozen=True, slots=True)
class Dangling:
    """The words that point, and where; `noun`: what kind of thing they mean, "" where they don't
    tell. A whole question that only continues another ("Why?") has no words of its own to fill."""

    words: str
    start: int
    end: int
    noun: str = ""

    @property
    def can_be_filled(self) -> bool:
        return bool(self.words)

    def filled(self, question: str, name: str) -> str:
        """The question with a name where it pointed."""
        own = self.words.lower() in ("its", "their", "his", "her")
        return question[: self.start] + (f"{name}'s" if own else name) + question[self.end :]


def dangling(question: str, said: str = "") -> Dangling | None:
    """What the question needs named, where nothing before it can be meant. said: everything said
    before; where there is something, only a kind of thing that is not in it dangles."""
    sentences = said_in_full(question)
    if len(sentences) != 1:
        return None
    if not said.strip():
        if _ELLIPSIS.fullmatch(question):
            return Dangling("", 0, len(question))
        if found := _pronoun(question):
            return found
    return _kind_of_thing(question, said)


def _pronoun(question: str) -> Dangling | None:
    for pointer in pointers(question):
        before, after = question[: pointer.start], question[pointer.end :]
        named = [m for m in mentions(question) if not m.text.isupper()]
        words = question[pointer.start : pointer.end]
        first, _, noun = words.lower().partition(" ")
        personal = noun in _THINGS if noun and first != "the" else first in _PERSONAL
        late = len(after.split()) > _AFTER or _COMES_LATER.search(after)
        if _ONLY_ASKS.fullmatch(before) and personal and not late and not named:
            noun = "" if noun == "one" else noun
            return Dangling(words, pointer.start, pointer.end, noun)
    return None


def _kind_of_thing(question: str, said: str) -> Dangling | None:
    """ "this library", where no library was mentioned."""
    if mentions(question):
        return None
    found = _THIS.search(question)
    if found is None and len(question.split()) <= _SHORT:
        found = _CATEGORY.search(question)
    if found is None or not _is_thing(found["whole"]) or _mentioned(found["noun"], said):
        return None
    determiner, noun = found["whole"].split()[:2]
    whole = f"{determiner} {noun}"
    aux, last = (found.groupdict().get(group) or "" for group in ("aux", "second"))
    if aux.lower() in _BE and not last and question[found.end() :].strip(" ?.!"):
        return None  # "was this naturalization act passed": where the noun ends can't be told
    if last and not noun.endswith("s") and not last.endswith("ed") and not aux:
        whole, noun = found["whole"], found["whole"].split(maxsplit=1)[1]  # "this state library?"
    start = found.start("whole")
    return Dangling(whole, start, start + len(whole), noun)


def _is_thing(words: str) -> bool:
    """ "this library", not "this year" or "this represents"."""
    determiner, noun = words.lower().split()[:2]
    verb = noun.endswith("ed") or (determiner == "this" and re.search(r"[^su]s$", noun))
    goes_on = determiner == "these" and not noun.endswith("s")  # "these price lists"
    return noun not in _HERE and not verb and not goes_on


def _mentioned(noun: str, said: str) -> bool:
    """Its stem is enough: "libraries" mentions a library."""
    stem = noun[: max(4, len(noun) - 2)]
    return re.search(rf"\b{re.escape(stem)}", said, re.IGNORECASE) is not None
