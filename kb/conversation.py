"""History and a follow-up to a question that stands alone: references first, by rule."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.names import names
from kb.types import Message

# What points back: a pronoun or a phrase in its place. "it" in "is it true that" points nowhere.
_POSSESSIVE = re.compile(r"\b(?:its|their|his|her)\b", re.IGNORECASE)
_PRONOUN = re.compile(
    r"\b(?:it|they|them|that (?:one|model|licen[cs]e|company)|this (?:one|model)|"
    r"the latter|those|these)\b",
    re.IGNORECASE,
)
_EMPTY_IT = re.compile(
    r"\b(?:is|was|does|would) it (?:true|correct|possible|mean)\b", re.IGNORECASE
)
_SAME = re.compile(r"\bthe (?:same|other|former)\b", re.IGNORECASE)
_ORDINAL = re.compile(r"\b(?:the|that) (first|second|third|last) (?:one|model|family)\b", re.I)
_OPENER = re.compile(
    r"^\s*(?:and|but|or|so|also|then|what about|how about|what if|why|why not|how so|really|"
    r"does that|is that|in that case)\b",
    re.IGNORECASE,
)
_ORDINALS = {"first": 0, "second": 1, "third": 2, "last": -1}
_FEW = 5  # words: a question this short and without a name leans on what came before


def standalone(question: str, history: Sequence[Message]) -> str:
    """The question with what it refers to; unchanged where it refers to nothing.

    References are resolved in place ("its licence" -> "Falcon's licence"). An elliptical question
    ("And with the open ones?") names the question that it continues. A question that names its own
    subject and points nowhere is taken as a change of topic.
    """
    before: list[str] = []
    for message in history:
        if message.role == "user":
            before.append(_after(message.content, before))
    return _after(question, before)


def _after(question: str, before: Sequence[str]) -> str:
    """before: the earlier questions, each standing alone already."""
    if not before:
        return question
    resolved = _resolved(question, _subjects(before))
    if resolved != question or not _leans(question):
        return resolved
    return f"{question} (after: {before[-1].partition(' (after: ')[0]})"


def _subjects(asked: Sequence[str]) -> list[str]:
    """Names in the order in which the questions first mentioned them, each once."""
    found: dict[tuple[str, frozenset[str]], str] = {}
    for question in asked:
        for name in names(question):
            found.setdefault((name.family, name.marks), question[name.start : name.end])
    return list(found.values())


def _resolved(question: str, subjects: Sequence[str]) -> str:
    """References replaced by the subject meant: by its ordinal, or the one named last."""
    if not subjects:
        return question
    ordinal = _ORDINAL.search(question)
    if ordinal:
        index = _ORDINALS[ordinal.group(1).lower()]
        if index < len(subjects):
            return _ORDINAL.sub(subjects[index], question, count=1)
    return _named(question, subjects)


def _named(question: str, subjects: Sequence[str]) -> str:
    """The first reference that nothing in the question itself precedes, put into words."""
    for pattern, subject in ((_POSSESSIVE, f"{subjects[-1]}'s"), (_PRONOUN, subjects[-1])):
        found = pattern.search(question)
        if found and not _EMPTY_IT.search(question) and not names(question[: found.start()]):
            return question[: found.start()] + subject + question[found.end() :]
    return question


def _leans(question: str) -> bool:
    """Whether it continues the question before: it opens like that, points back, or is short."""
    back = _PRONOUN.search(question) and not names(question)
    if back or _OPENER.search(question) or _SAME.search(question):
        return True
    return len(question.split()) <= _FEW and not names(question)
