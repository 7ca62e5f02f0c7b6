"""A small shelf of documents, how to publish it without files, and models to ask about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kb.answering.confidence import Confidence
from kb.events import Answered, Ask, Event
from kb.fakes_model import Prompt
from kb.types import Answer, Document, Passage, Unit
from kb.wiring import KnowledgeBase

SPLITTER = "paragraphs"
_PARAGRAPH = re.compile(r"[^\n]+")
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s|$)|$)")
_FIRST_PASSAGE = re.compile(r"^\[1\] (?:\([^)]*\) )?(.+)$", re.MULTILINE)

WEIGHTS = Document(
    id="open-weights",
    title="Open weights, explained",
    publisher="Example Press",
    uri="guides/open-weights.md",
    as_of="2026-05-01",
    text=(
        "# Open weights, explained\n\n"
        "Open-weights models publish their trained parameters. Anyone may download the "
        "parameters of Mistral Small and run them offline.\n\n"
        "Fine-tuning an open-weights model takes 3 GPUs – not 30 – for a small corpus. 😀 The "
        "licence decides whether the tuned model may be sold.\n"
    ),
)
PRICES = Document(
    id="api-prices",
    title="What proprietary APIs cost",
    publisher=None,
    uri="api-prices.md",
    as_of=None,
    text=(
        "# What proprietary APIs cost\n\n"
        "Proprietary vendors bill every token. The Gemini API costs $2.00 for a million input "
        "tokens.\n\n"
        "A proprietary vendor can withdraw a model at any time.\n"
    ),
)

# Only the likelihood of what the model copies decides: at 0 a question is refused, at 0.35 the
# closest passages are shown, and from 0.5 on, or where the model tells none, it is answered. Where
# no model points, the closest passages are shown.
BY_THE_MODEL = Confidence(
    intercept=-4.0,
    weights={"likelihood": 10.0},
    intercept_of_best=-0.5,
    weights_of_best={},
    measured={},
)


def first_passage(prompt: Prompt) -> str:
    """A model that repeats the first passage it is shown, with its number."""
    shown = _FIRST_PASSAGE.search(prompt[-1].content)
    return f"{shown[1].rstrip('.')} [1]." if shown else "Nothing was shown."


def paragraphs(document: Document) -> list[Passage]:
    """A passage a paragraph, a unit a sentence; headings are the heading of what follows."""
    found: list[Passage] = []
    heading = ""
    for line in _PARAGRAPH.finditer(document.text):
        if line[0].startswith("# "):
            heading = line[0].removeprefix("# ")
            continue
        units = tuple(
            Unit(m.start(), m.end(), line.start() + m.start(), line.start() + m.end())
            for m in _SENTENCE.finditer(line[0])
        )
        found.append(
            Passage(
                document.id,
                document.revision,
                len(found),
                "prose",
                line.start(),
                line.end(),
                heading,
                line[0],
                units,
            )
        )
    return found


def publish(kb: KnowledgeBase, documents: Sequence[Document], remove: Sequence[str] = ()) -> int:
    """Stages the documents and makes them the next corpus version, whose number it returns."""
    for document in documents:
        passages = paragraphs(document)
        encodings = kb.embedder.embed_passages([passage.body for passage in passages])
        ids = [passage.id(SPLITTER, kb.embedder.name) for passage in passages]
        kb.catalog.stage(document, SPLITTER, list(zip(ids, passages, encodings, strict=True)))
        kb.store.put(ids, np.stack([encoding.pooled for encoding in encodings]))
    return kb.catalog.flip([(document.id, document.revision) for document in documents], remove)


@dataclass(frozen=True)
class Replayed:
    """Stands in for Answering: plays what it is given, and raises what is an error."""

    steps: Sequence[Event | Exception]

    def pin(self, question: str, version: int | None) -> int:
        return version or 1

    def events(self, ask: Ask, cancelled: Callable[[], bool]) -> Iterator[Event]:
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            yield step

    def ask(self, ask: Ask, cancelled: Callable[[], bool]) -> Answer:
        *_, last = self.events(ask, cancelled)
        assert isinstance(last, Answered)
        return last.answer


def replaying(kb: KnowledgeBase, *steps: Event | Exception) -> KnowledgeBase:
    """The knowledge base, but every question goes the way of `steps`."""
    return replace(kb, answering=Replayed(steps))
