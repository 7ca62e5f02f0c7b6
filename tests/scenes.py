"""What a reader of the widget can meet, over the documents that the project comes with: answered,
conflicting and refused questions, played event by event without any model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingest.readers import read
from kb.events import (
    Answered,
    Ask,
    ConflictFound,
    Event,
    EvidenceFound,
    SentencePassed,
    Status,
)
from kb.types import Answer, Citation, Conflict, Document, Evidence, Position, Source
from kb.wiring import KnowledgeBase

CORPUS = Path(__file__).parent.parent / "corpus"
ANSWERED = "Under which licence is DeepSeek-R1 released, and when?"
CONFLICTING = "Is DeepSeek-V3 released under the MIT license?"
REFUSED = "How many people work at DeepSeek?"
FOLLOW_UP = "And how much context does it take?"

MIT = (
    "DeepSeek-R1 and DeepSeek v3 are both released under the MIT license, which makes them "
    "genuinely open-source."
)
RAIL = (
    "| Responsible AI (OpenRAIL family) | BLOOM, several Stability AI releases, original "
    "DeepSeek-V3 model weights | Allowed | Allowed | Behavioral restrictions on harmful uses, "
    "military uses, etc. |"
)
RELEASED = (
    "| DeepSeek | DeepSeek (China) | DeepSeek-V2; DeepSeek-V3 (671B / 37B active, December 26, "
    "2024); DeepSeek-R1 (reasoning model under MIT license, January 20, 2025); V3.1 |"
)
HEADERS = {
    RAIL: (
        "License type",
        "Examples",
        "Commercial use",
        "Modification and fine-tuning",
        "Notable restrictions",
    )
}
COMPETITORS = "DeepSeek AI offers two strong open-weights competitors, DeepSeek-R1 and DeepSeek v3."


@dataclass(frozen=True)
class Scenes:
    """Stands in for Answering: every known question goes its known way. pause: seconds before
    each event, in which a reader may stop."""

    by_question: dict[str, Sequence[Event]]
    pause: float = 0.0
    asked: list[Ask] = field(default_factory=list)

    def pin(self, question: str, version: int | None) -> int:
        return version or 1

    def events(self, ask: Ask, cancelled: Callable[[], bool]) -> Iterator[Event]:
        self.asked.append(ask)
        for event in self.by_question[ask.question]:
            yield self._named(event, ask)
            end = time.monotonic() + self.pause
            while time.monotonic() < end and not cancelled():
                time.sleep(0.01)

    def ask(self, ask: Ask, cancelled: Callable[[], bool]) -> Answer:
        *_, last = self.events(ask, cancelled)
        assert isinstance(last, Answered)
        return last.answer

    def _named(self, event: Event, ask: Ask) -> Event:
        """Each answer has an id of its own, as real ones do."""
        if not isinstance(event, Answered):
            return event
        answer = replace(event.answer, id=f"answer-{len(self.asked)}")
        return Answered(replace(answer, conversation_id=ask.conversation_id or "conversation"))


def playing(kb: KnowledgeBase, scenes: Scenes) -> KnowledgeBase:
    return replace(kb, answering=scenes)


def corpus() -> dict[str, Document]:
    """By id."""
    found = (read(path, CORPUS, 10_000_000) for path in sorted(CORPUS.glob("*.md")))
    return {document.id: document for document in found}


def shipped(documents: dict[str, Document], pause: float = 0.0) -> Scenes:
    """The scenes that the screenshots show."""
    guide = documents["open-weights-and-proprietary-guide.md"]
    landscape = documents["licensing-and-landscape.md"]
    return Scenes(
        {
            ANSWERED: answered(
                ANSWERED,
                [
                    ("DeepSeek-R1 is released under the MIT license.", guide, MIT),
                    ("It came out on January 20, 2025.", landscape, RELEASED),
                ],
            ),
            CONFLICTING: conflicting(CONFLICTING, [("", guide, MIT), ("", landscape, RAIL)]),
            REFUSED: refused(REFUSED, [(guide, COMPETITORS), (landscape, RELEASED)]),
        },
        pause,
    )


# -- their events ----------------------------------------------------------------------------------

Said = tuple[str, Document, str]  # a sentence, and the quote that it rests on


def answered(question: str, said: Sequence[Said], standalone: str = "") -> list[Event]:
    text, citations = _written(said)
    answer = Answer(
        id="a",
        conversation_id="c",
        question=question,
        standalone_question=standalone or question,
        outcome="answered",
        text=text,
        corpus_version=1,
        model="scripted",
        citations=citations,
        timings_ms={"retrieve": 31, "first_sentence": 2900, "total": 4100},
    )
    return [*_searched(said), *_passed(said, citations), Answered(answer)]


def conflicting(question: str, said: Sequence[Said]) -> list[Event]:
    sides = [(f"“{document.title}”: {quote}", document, quote) for _, document, quote in said]
    text, citations = _written(sides)
    positions = tuple(
        Position(statement(quote), (number,)) for number, (_, _, quote) in enumerate(said, 1)
    )
    conflict = Conflict(question, positions)
    answer = Answer(
        id="a",
        conversation_id="c",
        question=question,
        standalone_question=question,
        outcome="conflicting",
        text=text,
        corpus_version=1,
        model="scripted",
        citations=citations,
        conflicts=(conflict,),
        timings_ms={"total": 1800},
    )
    found = [*_searched(said), *_passed(sides, citations), ConflictFound(conflict)]
    return [*found, Answered(answer)]


def refused(question: str, nearest: Sequence[tuple[Document, str]]) -> list[Event]:
    answer = Answer(
        id="a",
        conversation_id="c",
        question=question,
        standalone_question=question,
        outcome="refused",
        reason="not_stated",
        text="The documents do not state the answer to this question.",
        corpus_version=1,
        model="scripted",
        nearest=tuple(evidence(document, quote) for document, quote in nearest),
        suggestions=("Which models does DeepSeek offer?", "What hardware does DeepSeek-R1 need?"),
        timings_ms={"total": 900},
    )
    return [*_searched([("", document, quote) for document, quote in nearest]), Answered(answer)]


def _searched(said: Sequence[Said]) -> list[Event]:
    found = tuple(evidence(document, quote) for _, document, quote in said)
    return [
        Status("searching", 0),
        EvidenceFound(found),
        Status("reading", 40),
        Status("checking", 900),
    ]


def _written(said: Sequence[Said]) -> tuple[str, tuple[Citation, ...]]:
    text, citations = "", []
    for number, (sentence, document, quote) in enumerate(said, 1):
        start = document.text.index(quote)
        span = (len(text), len(text) + len(sentence), source(document), start, start + len(quote))
        citations.append(Citation(number, *span, quote, document.title, 0.95))
        text += f"{sentence} [{number}] "
    return text.rstrip(), tuple(citations)


def _passed(said: Sequence[Said], citations: Sequence[Citation]) -> list[Event]:
    return [
        SentencePassed(sentence, (citation,))
        for (sentence, _, _), citation in zip(said, citations, strict=True)
    ]


def source(document: Document) -> Source:
    return Source(
        document.id,
        document.revision,
        document.title,
        document.publisher,
        document.uri,
        document.as_of,
    )


def evidence(document: Document, quote: str) -> Evidence:
    start = document.text.index(quote)
    return Evidence(
        source(document),
        start,
        start + len(quote),
        quote,
        quote,
        quote,
        document.title,
        0.6,
        "row" if quote.startswith("|") else "prose",
    )


def statement(quote: str) -> str:
    """Of a row, its cells with their headers."""
    row = [cell.strip() for cell in quote.strip("| ").split("|")]
    headers = HEADERS.get(quote, ())
    if len(headers) != len(row):
        return "; ".join(row)
    return "; ".join(f"{header}: {cell}" for header, cell in zip(headers, row, strict=True))
