"""SQuAD 2.0: questions that one article answers, and questions that it only seems to answer."""

from __future__ import annotations

import hashlib
import json
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from bench.asking import Asking
from bench.rows import Results, Row
from kb.events import Ask
from kb.types import Document, Filters

FILE = "squad2.jsonl"
SEED = "20261121"
EACH = 100  # answerable ones, and as many unanswerable ones

Part = Literal["FIT", "HELD"]  # what the confidence is fitted on, and what is only measured on


@dataclass(frozen=True, slots=True)
class Reading:
    """A question on one article; answers are empty where its paragraph does not answer it."""

    id: str
    question: str
    article: str
    answers: tuple[str, ...]
    paragraph: str


def titles(paragraphs: list[dict[str, Any]], of: Part) -> list[str]:
    """By whole articles: a question of a known article is not an unseen one. Every other one, in
    the order of their titles, is for fitting."""
    known = sorted({paragraph["title"] for paragraph in paragraphs})
    return known[0::2] if of == "FIT" else known[1::2]


def articles(path: Path, of: Part) -> list[Document]:
    """The part's paragraphs, joined to one document an article."""
    texts: dict[str, list[str]] = {}
    for paragraph in _paragraphs(path, of):
        texts.setdefault(paragraph["title"], []).append(paragraph["context"])
    return [
        Document(f"squad-{title}", title.replace("_", " "), None, title, None, "\n\n".join(parts))
        for title, parts in sorted(texts.items())
    ]


def sample(path: Path, of: Part, each: int = EACH) -> Iterator[Reading]:
    """As many answerable as unanswerable questions in turn, drawn at random and always the same."""
    found = [
        Reading(
            q["id"],
            q["q"].strip(),
            f"squad-{paragraph['title']}",
            tuple(dict.fromkeys(q["answers"])),
            paragraph["context"],
        )
        for paragraph in _paragraphs(path, of)
        for q in paragraph["qas"]
    ]
    found.sort(key=lambda reading: hashlib.sha256((SEED + reading.id).encode()).digest())
    answerable = [reading for reading in found if reading.answers][:each]
    unanswerable = [reading for reading in found if not reading.answers][:each]
    return chain.from_iterable(zip(answerable, unanswerable, strict=True))


def run(asking: Asking, path: Path, results: Results) -> Iterator[Row]:
    """Asks the held part's sample, each question of its own article only. The articles must be
    the knowledge base's documents."""

    def work(reading: Reading) -> Row:
        held = Filters(document_ids=(reading.article,))
        row = asking.row(Ask(reading.question, filters=held))
        quotes = " ".join(citation["quote"] for citation in row["citations"])
        return row | {
            "article": reading.article,
            "answers": reading.answers,
            "answerable": bool(reading.answers),
            "right_in_text": holds(row["answer"], reading.answers),
            "right_in_quotes": holds(quotes, reading.answers),
        }

    yield from results.of(((r.id, r) for r in sample(path, "HELD")), work)


def holds(text: str, golds: tuple[str, ...]) -> bool:
    """Whether a gold answer stands in the text, both normalised as SQuAD's own scorer does."""
    known = f" {normalised(text)} "
    return any(f" {normalised(gold)} " in known for gold in golds if normalised(gold))


def normalised(text: str) -> str:
    """Lower case, without punctuation, articles and more than single spaces."""
    bare = text.lower().translate(_NO_PUNCTUATION)
    return " ".join(re.sub(r"\b(?:a|an|the)\b", " ", bare).split())


_NO_PUNCTUATION = {ord(mark): None for mark in string.punctuation + "“”‘’«»"} | {
    ord(mark): " " for mark in "-–—/[]"
}


def _paragraphs(path: Path, of: Part) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    wanted = set(titles(found, of))
    return [paragraph for paragraph in found if paragraph["title"] in wanted]
