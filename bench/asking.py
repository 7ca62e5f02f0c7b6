"""One question through the same path as the API, and what happened on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from bench.rows import Row
from kb.errors import WeighbridgeError
from kb.events import Answered, Ask, EvidenceFound, Judged, SentencePassed, SentenceWithheld
from kb.ports import ChatModel
from kb.types import Answer, Citation, Message, Token
from kb.verify import Needs
from kb.wiring import KnowledgeBase


class Metered:
    """A ChatModel that notes what another one was given and gave."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.prompts: list[str] = []  # what follows the fixed prefix, a call
        self.pieces = 0  # tokens, as the model streams them

    @property
    def name(self) -> str:
        return self._model.name

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        self.prompts.append(messages[-1].content)
        for piece in self._model.write(messages, max_tokens, cancelled):
            self.pieces += 1
            yield piece

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        self.prompts.append(messages[-1].content)
        for token in self._model.copy(messages, grammar, max_tokens, cancelled):
            self.pieces += 1
            yield token

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        self.prompts.append(messages[-1].content)
        return self._model.probability_of_yes(messages, cancelled)

    def reset(self) -> None:
        self.prompts, self.pieces = [], 0


class Asking:
    """Asks a knowledge base whose model is metered; a row an answer."""

    def __init__(self, kb: KnowledgeBase, meter: Metered) -> None:
        self.kb = kb
        self._meter = meter

    def row(self, ask: Ask) -> Row:
        """What the scorer reads, and what was found, judged, withheld and how long it took."""
        self._meter.reset()
        started = time.monotonic()
        seen: Row = {"question": ask.question, "sentences": 0, "withheld_sentences": []}
        for event in self.kb.events(ask):
            if isinstance(event, EvidenceFound):
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
                return seen | self._metered() | scored(event.answer) | self._broken(event.answer)
        raise AssertionError("events() ends with Answered")

    def _metered(self) -> Row:
        """Prompts are counted with the encoder's tokenizer: within some percent of the model's."""
        sizes = [self.kb.embedder.token_count(prompt) for prompt in self._meter.prompts]
        return {
            "tokens_read": max(sizes, default=0),  # the evidence and the question, once
            "tokens_written": self._meter.pieces,
            "model_calls": len(sizes),
        }

    def _broken(self, answer: Answer) -> Row:
        """Promises that the answer breaks, read off the stored texts: 0 by construction."""
        return {
            "unresolved": sum(not self._resolves(c) for c in answer.citations),
            "unsourced_figures": sum(1 for _ in _unsourced(answer)),
        }

    def _resolves(self, citation: Citation) -> bool:
        try:
            text = self.kb.catalog.document(
                citation.source.document_id, citation.source.revision
            ).text
        except WeighbridgeError:
            return False
        return text[citation.start : citation.end] == citation.quote


def scored(answer: Answer) -> Row:
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
        "positions": [p.statement for conflict in answer.conflicts for p in conflict.positions],
        "withheld": answer.withheld,
        "cited_sentences": len({c.answer_start for c in answer.citations}),
    }


def _unsourced(answer: Answer) -> Iterator[str]:
    """Figures of a sentence that none of the quotes bound to it holds."""
    bound: dict[tuple[int, int], list[Citation]] = {}
    for citation in answer.citations:
        bound.setdefault((citation.answer_start, citation.answer_end), []).append(citation)
    for (start, end), citations in bound.items():
        sentence = answer.text[start:end]
        # The place of a position, "Title (publisher, 2026-05)", is the citation's own.
        places = (f"{c.source.title} {c.source.publisher} {c.source.as_of}" for c in citations)
        quotes = "\n;\n".join([*(c.quote for c in citations), *places])
        for figure in Needs.of(sentence).unmet(quotes).figures:
            yield sentence[figure.start : figure.end]
