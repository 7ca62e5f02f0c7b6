"""Question files and public sets in one shape: what is asked, and what holds the answer."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

# A group such as "\bno\b|\bnot\b" says which way the answer goes; it finds no passage.
_DIRECTION = re.compile(r"\\bno(?:t|ne)?\\b")
SHARE = 0.6  # of an evidence snippet's words that a passage must hold, as in the scorer
# The same where the passage also matches everything that a right answer must: documents that say
# the same in other words share fewer of them.
SHARE_WITH_ANSWER = 1 / 3


Half = Literal["first", "second"]


def half(item: dict[str, Any]) -> Half:
    """Which half a question belongs to, for good. Questions about one fact stay together, so that
    a paraphrase is never in the other one; so do a conversation's turns."""
    fact = str(item.get("fact_group") or item["id"])
    return "second" if hashlib.sha256(fact.encode()).digest()[-1] % 2 else "first"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what the scorer knows of its answer."""

    id: str
    question: str
    type: str
    answerable: bool
    must_include: tuple[tuple[str, ...], ...]
    evidence: tuple[str, ...]
    history: tuple[tuple[str, str], ...] = ()


def load_scorer(path: Path) -> ModuleType:
    """The scorer that came with the questions: its notion of a match is the one that counts."""
    spec = importlib.util.spec_from_file_location("score", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(path: Path) -> list[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def single_turn(path: Path) -> Iterator[Asked]:
    """The answerable questions that stand alone."""
    for item in load(path):
        if item["type"] != "multiturn" and item["answerable"]:
            yield Asked(
                item["id"],
                item["question"],
                item["type"],
                True,
                tuple(tuple(group) for group in item["must_include"]),
                tuple(item["evidence"]),
            )


def relevance(asked: Asked, scorer: ModuleType) -> Callable[[str], bool]:
    """Whether a passage's text holds evidence: enough of a snippet's words, and what the answer
    must include, where a passage could."""
    groups = [g for g in asked.must_include if not any(_DIRECTION.search(p) for p in g)]

    def relevant(text: str) -> bool:
        known = scorer.tokens(text)
        wanted = [scorer.tokens(snippet) for snippet in asked.evidence]
        share = max((len(known & w) / len(w) for w in wanted if w), default=0.0)
        hits = scorer.groups_hit(groups, scorer.normalise(text))
        near = share >= SHARE and (not groups or any(hits))
        return near or (bool(groups) and all(hits) and share >= SHARE_WITH_ANSWER)

    return relevant
