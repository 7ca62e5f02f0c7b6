"""Public question sets, read from where they are; nothing of them is kept in the project."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ingest.split import SPLITTER, split
from kb.types import Document
from kb.wiring import KnowledgeBase

SEED = 20261121


@dataclass(frozen=True, slots=True)
class Reading:
    """A question on one article; answers are empty where its paragraph does not answer it."""

    id: str
    question: str
    article: str
    answers: tuple[str, ...]


def articles(path: Path) -> list[Document]:
    """SQuAD 2.0 paragraphs, joined to one document an article."""
    texts: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        paragraph = json.loads(line)
        texts.setdefault(paragraph["title"], []).append(paragraph["context"])
    return [
        Document(f"squad-{title}", title.replace("_", " "), None, title, None, "\n\n".join(parts))
        for title, parts in sorted(texts.items())
    ]


def readings(path: Path) -> list[Reading]:
    """Every question, in an order that is random and always the same."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        paragraph = json.loads(line)
        article = f"squad-{paragraph['title']}"
        found += [
            Reading(q["id"], q["q"], article, tuple(dict.fromkeys(q["answers"])))
            for q in paragraph["qas"]
        ]
    random.Random(SEED).shuffle(found)
    return found


def balanced(found: list[Reading], each: int, skip: int = 0) -> Iterator[Reading]:
    """`each` answerable and `each` unanswerable ones, after the first `skip` of both."""
    for answerable in (True, False):
        kind = [r for r in found if bool(r.answers) == answerable]
        yield from kind[skip : skip + each]


def shelve(kb: KnowledgeBase, documents: list[Document], token_count: Callable[[str], int]) -> None:
    """Makes documents that are no files the current corpus version."""
    for document in documents:
        passages = split(document, token_count)
        encodings = kb.embedder.embed_passages([p.body for p in passages])
        entries = [
            (p.id(SPLITTER, kb.embedder.name), p, e)
            for p, e in zip(passages, encodings, strict=True)
        ]
        kb.catalog.stage(document, SPLITTER, entries)
        kb.store.put([i for i, _, _ in entries], np.stack([e.pooled for _, _, e in entries]))
    kb.catalog.flip([(document.id, document.revision) for document in documents])
