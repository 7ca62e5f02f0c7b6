"""Conversations with a last question whose evidence is known: MTRAG-UN, and the project's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import questions as asked
from kb.types import Document, Message


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question with what was said before it. part: of which half or set it is."""

    id: str
    part: str
    kind: str
    question: str
    history: tuple[Message, ...]
    relevant: frozenset[str] = frozenset()


def half(task_id: str) -> str:
    """Which half a task belongs to, for good: the rules were made on one of them."""
    return "held back" if hashlib.sha256(task_id.encode()).digest()[-1] % 2 else "looked at"


def passages(path: Path) -> dict[str, Document]:
    """Every passage that any task names, under its own id."""
    found: dict[str, Document] = {}
    for task in asked.load(path):
        for given in task["contexts"]:
            name = f"p{len(found):04}"
            found.setdefault(
                given["document_id"], Document(name, "", None, name, None, given["text"])
            )
    return found


def tasks(path: Path) -> Iterator[FollowUp]:
    """MTRAG-UN's last turns, each with what was said before it."""
    known = {given: document.id for given, document in passages(path).items()}
    for task in asked.load(path):
        *before, last = task["input"]
        history = tuple(
            Message("user" if said["speaker"] == "user" else "assistant", said["text"])
            for said in before
        )
        relevant = frozenset(known[given["document_id"]] for given in task["contexts"])
        kind = task["answerability"][0].lower()
        part = half(task["task_id"])
        yield FollowUp(task["task_id"], part, kind, last["text"], history, relevant)


def conversations(path: Path) -> Iterator[tuple[FollowUp, asked.Asked]]:
    """The development questions' turns, each with the right answers to those before it."""
    for item in asked.load(path):
        history: list[Message] = []
        single = item["type"] != "multiturn"
        golds, turns = ([item], [item["question"]]) if single else (item["gold"], item["turns"])
        for number, (question, gold) in enumerate(zip(turns, golds, strict=True), 1):
            key = item["id"] if single else f"{item['id']}#{number}"
            told = asked.Asked(
                key, question, item["type"], gold["answerable"],
                tuple(map(tuple, gold["must_include"])), tuple(gold["evidence"]),
            )  # fmt: skip
            yield FollowUp(key, "development", item["type"], question, tuple(history)), told
            history += [Message("user", question), Message("assistant", gold["answer"])]
