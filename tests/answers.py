"""Answers about the shelf, made without a model."""

from __future__ import annotations

from collections.abc import Sequence

from shelf import PRICES

from kb.types import Answer, Citation, Document, Evidence, Source

COSTS = "The Gemini API costs $2.00 for a million input tokens."
BILLS = "Proprietary vendors bill every token."


def source(document: Document) -> Source:
    return Source(
        document.id,
        document.revision,
        document.title,
        document.publisher,
        document.uri,
        document.as_of,
    )


def cited(marker: int, quote: str, document: Document) -> Citation:
    start = document.text.index(quote)
    return Citation(
        marker, 0, 3, source(document), start, start + len(quote), quote, document.title, 0.9
    )


def shown(quote: str, document: Document) -> Evidence:
    start = document.text.index(quote)
    end = start + len(quote)
    return Evidence(source(document), start, end, quote, quote, quote, document.title, 0.3)


def answered(
    answer_id: str,
    quotes: Sequence[tuple[str, Document]] = ((COSTS, PRICES),),
    conversation: str = "c1",
    question: str = "What does it cost?",
) -> Answer:
    return Answer(
        id=answer_id,
        conversation_id=conversation,
        question=question,
        standalone_question=question,
        outcome="answered",
        text=f"Answer {answer_id}. [1]",
        corpus_version=1,
        model="scripted",
        citations=tuple(cited(n, *one) for n, one in enumerate(quotes, 1)),
    )


def refused(answer_id: str, quote: str, document: Document, conversation: str = "c1") -> Answer:
    return Answer(
        id=answer_id,
        conversation_id=conversation,
        question="Who won?",
        standalone_question="Who won?",
        outcome="refused",
        reason="not_stated",
        text="The documents do not state it.",
        corpus_version=1,
        model="scripted",
        nearest=(shown(quote, document),),
    )
