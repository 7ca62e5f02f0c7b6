"""History and a follow-up to a question that stands alone: references first, by rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kb.injection import factual_part
from kb.mentions import Mention, listed, mentions, one_of
from kb.types import Message

_POSSESSIVE = re.compile(r"\b(?:its|his|her(?= \w))\b", re.IGNORECASE)
_SINGULAR = re.compile(
    r"\b(?:it|he|she|him|th(?:at|is|e) model|th(?:at|is) (?:one|company)|the latter)\b",
    re.IGNORECASE,
)
_THEIR = re.compile(r"\btheir\b", re.IGNORECASE)
_PLURAL = re.compile(
    r"\b(?:they|them|(?:these|those)(?: (?:two|models|ones|companies))?|the two|both)\b", re.I
)
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
_SAME = re.compile(r"\bthe (?:same|other)\b|\b(?:a|the) \w+(?:er|est) one\b|\bthere\W*$", re.I)
_ORDINAL = re.compile(
    r"\b(?:the|that) (first|second|third|last|former)(?: (?:one|model|family))?\b", re.I
)
_ORDINALS = {"first": 0, "former": 0, "second": 1, "third": 2, "last": -1}
_OPENER = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|what if|why|why not|how so|really|"
    r"(?:does|is|was|did|would|could) (?:that|this)|in that case|what else|tell me more|"
    r"ok(?:ay)?)\b",
    re.IGNORECASE,
)
_INSTEAD = re.compile(
    r"^\W*(?:(?:and|or|but|so|then)\s+)?(?:(?:what|how) about\s+)?"
    r"(?:(?:for|with|in|of|from|on|by)\s+)?(?:(?:the|an?)\s+)?(?P<name>.+?)"
    r"(?:\s+(?:then|instead|too|models?))?\W*$",
    re.IGNORECASE,
)
_ASPECT = re.compile(
    r"^\W*(?:and\s+)?(?:what|how) about\b|\b(?:\w{3,}est|most \w+|least \w+) one\b", re.IGNORECASE
)
_DEFINITE = re.compile(r"\b(?:the|this|that|these|those)\s+(?:\w+\s+)??(\w{3,})\b", re.IGNORECASE)
_DEFINITION = re.compile(
    r"what (?:is|are) (?!it\b|its\b|the\b|th[aeio]\w+\b)(?:an? )?[\w -]+\?*", re.IGNORECASE
)
_FAR = 9  # words: a pronoun further inside a question mostly points at something in it
_FEW = 5  # words: a question this short and without a name leans on what came before


@dataclass(frozen=True, slots=True)
class _Turn:
    """question: standing alone. root: the question that it continues; its own where it doesn't."""

    question: str
    root: str
    answer: str = ""


def standalone(question: str, history: Sequence[Message]) -> str:
    """The question with what it refers to; unchanged where it refers to nothing.

    References are resolved in place ("its licence" -> "Falcon's licence", "And Gemini?" -> the
    question before, of Gemini). What can't be is given the subject or the question that it
    continues in brackets. A question that names its own subject and points nowhere is taken as a
    change of topic.
    """
    turns: list[_Turn] = []
    for message in history:
        if message.role == "user":
            asked = factual_part(message.content)  # an order isn't carried into later questions
            turns += [_turn(asked, turns)] if asked else []
        elif turns:
            turns[-1] = replace(turns[-1], answer=message.content)
    return _turn(question, turns).question


def _turn(question: str, turns: Sequence[_Turn]) -> _Turn:
    if not turns:
        return _Turn(question, question)
    resolved = _resolved(question, turns)
    if resolved != question:
        return _Turn(resolved, resolved.partition(" (after: ")[0])
    if _leans(question):
        root = turns[-1].root
        return _Turn(f"{question} (after: {root})", root)
    return _Turn(question, question)


def _resolved(question: str, turns: Sequence[_Turn]) -> str:
    """The question with its references put into words, as far as names tell them."""
    last = _subjects(turns)
    if not last:
        return question
    subjects, answer = last
    ordinal = _ORDINAL.search(question)
    if ordinal:
        return _ordinal(question, ordinal, turns, subjects)
    instead = _instead(question, turns[-1].question, subjects)
    if instead:
        return instead
    pointed = _pointed(question, subjects, answer)
    if pointed != question:
        return pointed
    aspect = _ASPECT.search(question) and not mentions(question)
    if aspect or _goes_on_about(question, turns[-1], subjects):
        return f"{question} ({listed(subjects)})"
    return question


def _subjects(turns: Sequence[_Turn]) -> tuple[list[Mention], str] | None:
    """What the last question that names something is about, and its answer; where it names
    nothing, the model that its answer names first."""
    for turn in reversed(turns):
        answered = [mention for mention in mentions(turn.answer) if mention.is_sure]
        found = mentions(turn.question) or answered[:1]
        if found:
            return found, turn.answer
    return None


def _ordinal(
    question: str, ordinal: re.Match[str], turns: Sequence[_Turn], subjects: Sequence[Mention]
) -> str:
    """ "the second one": in the order in which the questions first mentioned them."""
    every = {m.text.lower(): m.text for turn in turns for m in mentions(turn.question)}
    former = ordinal.group(1).lower() == "former"
    known = [m.text for m in subjects] if former else list(every.values())
    index = _ORDINALS[ordinal.group(1).lower()]
    if index >= len(known):
        return question
    return question[: ordinal.start()] + known[index] + question[ordinal.end() :]


def _instead(question: str, before: str, subjects: Sequence[Mention]) -> str | None:
    """ "And Gemini?": the question before, with this name for that one."""
    own = mentions(question)
    short = _INSTEAD.match(question)
    if len(own) != 1 or not short or short["name"] != own[0].text or len(subjects) != 1:
        return None
    opened = _OPENER.search(question) or question.rstrip(" ?!.") == own[0].text
    old = subjects[0].text
    return before.replace(old, own[0].text) if opened and old in before else None


def _pointed(question: str, subjects: Sequence[Mention], answer: str) -> str:
    """The first pronoun that nothing in the question itself precedes, put into words."""
    sure = [mention for mention in subjects if mention.is_sure]
    if not sure:
        return question
    one, several = one_of(sure, answer).text, listed(sure)
    for pattern, meant in (
        (_POSSESSIVE, f"{one}'s"),
        (_SINGULAR, one),
        (_THEIR, f"{several}'s"),
        (_PLURAL, several),
    ):
        for found in pattern.finditer(question):
            before = question[: found.start()]
            if not _EMPTY_IT.match(question, found.start()) and _points_back(before):
                return before + meant + question[found.end() :]
    return question


def _points_back(before: str) -> bool:
    """Whether nothing in front of a pronoun can be what it means; "Is Gemini cheaper than it?"
    points back although it names something."""
    if len(before.split()) > _FAR:
        return False
    return bool(not mentions(before) or _ASKED.match(before) or _COMPARED.search(before))


def _goes_on_about(question: str, before: _Turn, subjects: Sequence[Mention]) -> bool:
    """ "How large is the context window?" after a question about a model's context window."""
    if any(m.is_model or not m.text.isupper() for m in mentions(question)):
        return False
    said = f"{before.question} {before.answer}".lower()
    low = question.lower()
    known = any(m.text.lower() in low for m in subjects)
    nouns = [match[1].lower() for match in _DEFINITE.finditer(question)]
    return not known and any(re.search(rf"\b{re.escape(noun)}", said) for noun in nouns)


def _leans(question: str) -> bool:
    """Whether it continues the question before: it opens like that, points back, or is short."""
    named = mentions(question)
    if _SAME.search(question):
        return True
    if _DEFINITION.fullmatch(question.strip()):
        return False
    if named:
        return bool(_OPENER.search(question)) and len(question.split()) <= _FEW
    points = _SINGULAR.search(question) or _PLURAL.search(question) or _POSSESSIVE.search(question)
    return bool(points or _OPENER.search(question)) or len(question.split()) <= _FEW
