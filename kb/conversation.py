"""History and a follow-up to a question that stands alone: references first, by rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kb.dangling import Dangling, dangling
from kb.injection import factual_part
from kb.mentions import Mention, listed, mentions, one_of
from kb.references import (
    ORDINAL,
    ORDINALS,
    PLURAL,
    POSSESSIVE,
    SINGULAR,
    pointers,
    said_in_full,
)
from kb.types import Message

RECENT = 20  # messages: what "it" points back to is seldom further away
LONGEST = 4000  # characters of one that are read

_SAME = re.compile(r"\bthe (?:same|other)\b|\b(?:a|the) \w+(?:er|est) one\b|\bthere\W*$", re.I)
_OPENER = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|what if|why(?=\W*$| not\b)|how so|really|"
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
# "that" behind a noun begins a clause: "the models that score"
_DEFINITE = re.compile(
    r"\b(?:the|this|these|those|(?:in|of|for|with|on|above|does|is|do|are|has) that)\s+"
    r"(?:\w+\s+)??(\w{3,})\b",
    re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"what (?:is|are) (?!it\b|its\b|the\b|th[aeio]\w+\b)(?:an? )?[\w -]+\?*", re.IGNORECASE
)
# What can be said to "Which model do you mean?"
_REPLY = re.compile(
    r"(?:(?:oh|sorry|yes|no|i mean|i meant|for|of|about|in)[,:]?\s+)*"
    r"(?P<name>\S+(?: \S+){0,4}?)[.!?]*",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:and|but|what|which|who|whose|how|when|where|why|is|are|was|were|do|does|did|can|could|"
    r"should|will|would|has|have|tell|compare|the (?:first|second|third|last|other))\b",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:which|another|need|get|have|want|use|buy|choose) one\b", re.IGNORECASE)
_CHOICE = re.compile(r"\bone\b.* or ", re.IGNORECASE)
# A question, what was said before it and whether nobody waits any more, to the question that
# stands alone.
Understand = Callable[[str, Sequence[Message], Callable[[], bool]], str]
_FEW = 5  # words: a question this short and without a name leans on what came before


@dataclass(frozen=True, slots=True)
class Turn:
    """question: standing alone. root: the question that it continues; its own where it doesn't.
    how: it named all it needs, what it pointed at was put into words, or it was only told what it
    continues. open: what it points at that nobody has named."""

    question: str
    root: str
    how: Literal["alone", "resolved", "continued"] = "alone"
    open: Dangling | None = None
    answer: str = ""


def standalone(question: str, history: Sequence[Message]) -> str:
    """The question with what it refers to; unchanged where it refers to nothing.

    References are resolved in place ("its licence" -> "Falcon's licence", "And Gemini?" -> the
    question before, of Gemini). What can't be is given the subject or the question that it
    continues in brackets. A question that names its own subject and points nowhere is taken as a
    change of topic.
    """
    return follow_up(question, turns_of(history)).question


def by_rules(question: str, history: Sequence[Message], _cancelled: Callable[[], bool]) -> str:
    return standalone(question, history)


def needs_model(question: str, history: Sequence[Message]) -> bool:
    """Whether the rules are unsure: they can only say which question this one continues."""
    return follow_up(question, turns_of(history)).how == "continued"


def turns_of(history: Sequence[Message]) -> list[Turn]:
    """What was asked, each question standing alone, with its answer; courtesies left out."""
    turns: list[Turn] = []
    counts = False
    for message in history[-RECENT:]:
        if message.role == "user":
            asked = factual_part(
                message.content[:LONGEST]
            )  # an order isn't carried into later questions
            counts = bool(said_in_full(asked))
            turns += [follow_up(asked, turns)] if counts else []
        elif counts:
            turns[-1] = replace(turns[-1], answer=message.content[:LONGEST])
    return turns


def said(turns: Sequence[Turn]) -> str:
    """All of it, in one text."""
    return " ".join(f"{turn.question} {turn.answer}" for turn in turns)


def follow_up(question: str, turns: Sequence[Turn]) -> Turn:
    """The question behind those turns."""
    if not turns:
        return Turn(question, question, open=dangling(question))
    filled = _filled(question, turns[-1])
    resolved = filled or _resolved(question, turns)
    if resolved != question:
        return Turn(resolved, resolved.partition(" (after: ")[0], "resolved")
    if _leans(question):
        root = " ".join(said_in_full(turns[-1].root)) or turns[-1].root
        return Turn(f"{question} (after: {root})", root, "continued")
    return Turn(question, question, open=dangling(question, said(turns)))


def _filled(question: str, before: Turn) -> str | None:
    """ "GPT-4o", said to "What does it cost?": the question before, of what was named."""
    reply = _REPLY.fullmatch(question.strip())
    if not before.open or not before.open.can_be_filled or not reply:
        return None
    name = reply["name"].strip(" .!?,")
    asks = _ASKS.match(name) or (question.rstrip().endswith("?") and not mentions(name))
    return None if asks or not name else before.open.filled(before.question, name)


def _resolved(question: str, turns: Sequence[Turn]) -> str:
    """The question with its references put into words, as far as names tell them."""
    last = subjects(turns)
    if not last:
        return question
    about, answer = last
    ordinal = ORDINAL.search(question)
    if ordinal:
        return _ordinal(question, ordinal, turns, about)
    instead = _instead(question, turns[-1].question, about)
    if instead:
        return instead
    pointed = _pointed(question, about, answer)
    if pointed != question:
        return pointed
    aspect = _ASPECT.search(question) and not mentions(question)
    if aspect or _goes_on_about(question, turns[-1], about):
        return f"{question} ({listed(about)})"
    return question


def subjects(turns: Sequence[Turn]) -> tuple[list[Mention], str] | None:
    """What the last question that names something is about, and its answer; where it names
    nothing, the model that its answer names first. Behind a question that stands alone without
    a name only models are still talked about."""
    changed = False
    for turn in reversed(turns):
        answered = [mention for mention in mentions(turn.answer) if mention.is_sure]
        found = mentions(turn.question) or answered[:1]
        found = [m for m in found if m.is_model or not changed]
        if found:
            return found, turn.answer
        changed = changed or turn.how == "alone"
    return None


def _ordinal(
    question: str, ordinal: re.Match[str], turns: Sequence[Turn], subjects: Sequence[Mention]
) -> str:
    """ "the second one": in the order in which the questions first mentioned them."""
    every = {m.text.lower(): m.text for turn in turns for m in mentions(turn.question)}
    former = ordinal.group(1).lower() == "former"
    known = [m.text for m in subjects] if former else list(every.values())
    index = ORDINALS[ordinal.group(1).lower()]
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
    pointer = next(pointers(question), None)
    if not sure or pointer is None:
        return question
    one, several = one_of(sure, answer).text, listed(sure)
    meant = {
        "possessive": f"{one}'s",
        "singular": one,
        "their": f"{several}'s",
        "plural": several,
    }[pointer.kind]
    return question[: pointer.start] + meant + question[pointer.end :]


def _goes_on_about(question: str, before: Turn, subjects: Sequence[Mention]) -> bool:
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
    sentences = said_in_full(question)
    first = sentences[0] if sentences else question  # what it says first, a later one can mean
    named = mentions(question)
    if _SAME.search(question) or (_ONE.search(question) and not _CHOICE.search(question)):
        return True
    if _DEFINITION.fullmatch(first):
        return False
    few = len(" ".join(sentences).split()) <= _FEW
    if named:
        return bool(_OPENER.search(first)) and few
    points = SINGULAR.search(first) or PLURAL.search(first) or POSSESSIVE.search(first)
    return bool(points or _OPENER.search(first)) or few
