"""A short question back, where a question can't be answered before it is known what it means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from kb.conversation import Turn, follow_up, said, subjects, turns_of
from kb.dangling import Dangling
from kb.mentions import Mention, mentions
from kb.references import ORDINAL, ORDINALS, pointers
from kb.types import Message

MOST = 3  # ways to complete a question that are offered
# "GPT-4o and Claude", "GPT-4o or Claude": neither is the subject more than the other
_SIDE_BY_SIDE = re.compile(
    r"\s*+(?:,|/|,?\s*\b(?:and|or|vs\.?|versus|with|against|to)\b)\s*(?:the\s+|an?\s+)?",
    re.IGNORECASE,
)
_THAN = re.compile(r"\bthan\b", re.IGNORECASE)
_FIRST_SENTENCE = re.compile(r"^.*?[.!?](?=\s|$)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Clarification:
    """text: the short question back. suggestions: the asker's question, of each that it can mean;
    none where it can mean anything."""

    text: str
    suggestions: tuple[str, ...] = ()


def clarification(question: str, history: Sequence[Message]) -> Clarification | None:
    """What to ask back; None where the question says enough, or where there is any doubt. What the
    asker replies ("GPT-4o") is put into the question by `kb.conversation.standalone`."""
    turns = turns_of(history)
    rivals = _rivals(question, turns)
    if rivals:
        return _either(question, rivals)
    turn = follow_up(question, turns)
    return _unnamed(turn.open) if turn.open else None


def _unnamed(open_: Dangling) -> Clarification:
    if not open_.can_be_filled:
        return Clarification("What is your question about? Please ask it in full.")
    if open_.noun:
        return Clarification(f"Which {open_.noun} do you mean?")
    words = open_.words.lower()
    return Clarification(f"What do you mean by “{words}”? Please name what you are asking about.")


def _either(question: str, rivals: Sequence[Mention]) -> Clarification:
    pointer = next(pointers(question), None)
    offered: tuple[str, ...] = ()
    if pointer is not None and pointer.kind in ("singular", "possessive"):
        own = "'s" if pointer.kind == "possessive" else ""
        start, end = question[: pointer.start], question[pointer.end :]
        offered = tuple(f"{start}{rival.text}{own}{end}" for rival in rivals[:MOST])
    *first, last = (rival.text for rival in rivals)
    return Clarification(f"Do you mean {', '.join(first)} or {last}?", offered)


def _rivals(question: str, turns: Sequence[Turn]) -> list[Mention]:
    """Those that "it" can mean equally well: named side by side, and the answer chose none."""
    found = subjects(turns)
    if not found:
        return []
    mentioned, answer = found
    sure = [mention for mention in mentioned if mention.is_sure]
    alike = [mention for mention in sure if mention.is_model] or sure
    if len(alike) < 2:
        return []
    if _out_of_range(question, turns):
        return alike
    pointer = next(pointers(question), None)
    if pointer is None or pointer.kind not in ("singular", "possessive"):
        return []
    asked = next(turn.question for turn in reversed(turns) if alike[0].text in turn.question)
    beside = all(
        _SIDE_BY_SIDE.fullmatch(_between(asked, one, other)) for one, other in pairwise(alike)
    )
    return alike if beside and not _chosen(alike, answer) else []


def _between(text: str, one: Mention, other: Mention) -> str:
    after = text[text.find(one.text) + len(one.text) :]
    return after[: max(after.find(other.text), 0)].removeprefix("'s").removeprefix("’s")


def _chosen(alike: Sequence[Mention], answer: str) -> bool:
    """Whether the answer is about one of them; "GPT-4o is cheaper than Claude" is about GPT-4o."""
    opening = _FIRST_SENTENCE.match(answer.strip())
    sentence = opening.group() if opening else answer
    named = mentions(sentence)
    about = [m for m in alike if any(_same(m, other) for other in named)]
    return len(about) == 1 or (len(about) > 1 and _THAN.search(sentence) is not None)


def _same(one: Mention, other: Mention) -> bool:
    return any(a.stated_by(b) and a.marks == b.marks for a in one.names for b in other.names)


def _out_of_range(question: str, turns: Sequence[Turn]) -> bool:
    """ "the third one", of two."""
    ordinal = ORDINAL.search(question)
    every = {m.text.lower() for turn in turns for m in mentions(said([turn]))}
    return bool(ordinal and ORDINALS[ordinal.group(1).lower()] >= len(every))
