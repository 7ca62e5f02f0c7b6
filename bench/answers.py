"""`kb eval answers`: a question file through the same path as the API, one line an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.questions import load
from kb.events import Answered, Ask, EvidenceFound, Judged, SentencePassed, SentenceWithheld
from kb.types import Answer, Message
from kb.wiring import KnowledgeBase


def units(questions: Path) -> Iterator[tuple[str, str, tuple[Message, ...]]]:
    """(key, question, history without answers) of each turn; "q080#2" is a conversation's
    second turn. The history's answers are put in by `run`."""
    for item in load(questions):
        if item["type"] != "multiturn":
            yield item["id"], item["question"], ()
            continue
        for number, turn in enumerate(item["turns"], 1):
            earlier = tuple(Message("user", t) for t in item["turns"][: number - 1])
            yield f"{item['id']}#{number}", turn, earlier


def run(
    kb: KnowledgeBase, questions: Path, only: set[str] | None = None
) -> Iterator[dict[str, Any]]:
    """One record a turn: what the scorer reads, and what happened on the way."""
    for key, question, history in units(questions):
        if only is None or key in only:
            yield record(kb, key, Ask(question, history=history))


def record(kb: KnowledgeBase, key: str, ask: Ask) -> dict[str, Any]:
    started = time.monotonic()
    seen: dict[str, Any] = {"sentences": 0, "withheld_sentences": []}
    for event in kb.events(ask):
        if isinstance(event, EvidenceFound):
            seen["seconds_to_evidence"] = time.monotonic() - started
            seen["evidence"] = [piece.shown for piece in event.evidence]
        elif isinstance(event, Judged):
            seen["signals"] = asdict(event.signals)
            seen["probability"] = event.probability
        elif isinstance(event, SentenceWithheld):
            seen["withheld_sentences"].append([event.text, event.failure])
        elif isinstance(event, SentencePassed):
            seen.setdefault("seconds_to_first_sentence", time.monotonic() - started)
            seen["sentences"] += 1
        elif isinstance(event, Answered):
            seen["seconds"] = time.monotonic() - started
            return {"id": key, "question": ask.question} | scored(event.answer) | seen
    raise AssertionError("events() ends with Answered")


def scored(answer: Answer) -> dict[str, Any]:
    """The fields that the scorer reads, and the outcome."""
    return {
        "answer": answer.text,
        "abstained": answer.outcome == "refused",
        "citations": [
            {"source": c.source.uri, "quote": c.quote, "support": c.support}
            for c in answer.citations
        ],
        "outcome": answer.outcome,
        "reason": answer.reason,
        "standalone_question": answer.standalone_question,
        "withheld": answer.withheld,
        "unresolved": unresolved(answer),
    }


def unresolved(answer: Answer) -> int:
    """Citations without a quote or an answer span: 0 by construction."""
    return sum(
        not c.quote or not answer.text[c.answer_start : c.answer_end].strip()
        for c in answer.citations
    )


def write(records: Iterator[dict[str, Any]], path: Path) -> int:
    """Appends as they come, so that a run that is broken off is not lost. Returns the count."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in records:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            count += 1
    return count
