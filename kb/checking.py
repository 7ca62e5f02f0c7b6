"""A written sentence to a checked one: bound to quotes, tested against them, or withheld."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.citations import Bound, bind
from kb.context import leans_on
from kb.errors import ModelError
from kb.evidence import uncovered
from kb.lookup import Frequencies
from kb.ports import ChatModel, Embedder
from kb.prompt import entail_messages
from kb.ranking import best_matches, inverse_document_frequency, max_sim_idf
from kb.retrieve import content_words
from kb.sentences import Written
from kb.types import Document, Encoding, Evidence
from kb.verify import doubts

# Set by hand on development questions; not calibrated on held-out claims yet.
SURE = 0.80  # similarity above which the meaning is taken as given
HOPELESS = 0.45  # and below which it is not worth asking the model
FEWEST_WORDS = 3  # fewer say nothing that a reader could check
STATED = 0.5  # P(Yes) of "does the quote state this?" from which a doubt is laid to rest


@dataclass(frozen=True, slots=True)
class Checked:
    """support: 0 to 1. failure: why the sentence is withheld; None when it may be shown."""

    sentence: str
    pieces: tuple[Evidence, ...]
    support: float
    failure: str | None


class Checker:
    """Checks sentences against one question's evidence; its vectors are made once."""

    def __init__(
        self,
        question: str,
        evidence: Sequence[Evidence],
        embedder: Embedder,
        model: ChatModel,
        frequencies: Frequencies,
        document: Callable[[str, str], Document],
        cancelled: Callable[[], bool],
    ) -> None:
        self._counted = _counted(question)
        self._evidence = evidence
        self._embedder = embedder
        self._model = model
        self._frequencies = frequencies
        self._document = document
        self._cancelled = cancelled
        self._vectors = [
            e.tokens for e in embedder.embed_passages([piece.statement for piece in evidence])
        ]

    def check(self, written: Written) -> Checked:
        similarities = self._similarities(self._embedder.embed_query(written.text))
        bound = bind(written.text, written.markers, self._evidence, similarities, self._leaning)
        failure = self._failure(bound)
        support = min(max(bound.similarity, 0.0), 1.0)
        return Checked(written.text, bound.pieces, support, failure)

    def _failure(self, bound: Bound) -> str | None:
        if len(bound.sentence.split()) < FEWEST_WORDS:
            return "fragment"
        found = doubts(bound.sentence, bound.pieces)
        certain = [doubt for doubt in found if doubt.certain]
        if certain:
            return f"{certain[0].failure}: {certain[0].about}"
        if self._counted and uncovered(self._counted, _stated(bound)):
            return "unasked"
        share = _stated_share(bound)
        if bound.similarity < HOPELESS or share < HOPELESS:
            return "meaning"
        if not found and bound.similarity >= SURE and share >= SURE:
            return None
        return None if self._confirmed(bound) else (found[0].failure if found else "meaning")

    def _confirmed(self, bound: Bound) -> bool:
        """Asks the model; without one, what is in doubt isn't shown."""
        quote = " ".join(piece.statement for piece in bound.pieces)
        messages = entail_messages(bound.sentence, quote)
        try:
            return self._model.probability_of_yes(messages, self._cancelled) >= STATED
        except ModelError:
            return False

    def _similarities(self, sentence: Encoding) -> list[float]:
        tokens = sentence.tokens
        idf = inverse_document_frequency(
            tokens.ids, self._frequencies.containing, self._frequencies.passages
        )
        similarities: list[float] = max_sim_idf(best_matches(tokens, self._vectors), idf).tolist()
        return similarities

    def _leaning(self, piece: Evidence) -> list[Evidence]:
        text = self._document(piece.source.document_id, piece.source.revision).text
        return leans_on(piece, text)


def _counted(question: str) -> list[str]:
    """What a "how many" question counts: a figure of something else is no answer to it."""
    found = _HOW_MANY.search(question)
    return [found.group(1).lower()] if found else []


def _stated(bound: Bound) -> str:
    """All that the quotes and the headings above them say."""
    return "\n".join(f"{piece.heading}\n{piece.statement}" for piece in bound.pieces)


def _stated_share(bound: Bound) -> float:
    """The share of the sentence's content words of which some form stands in its quotes or in
    the headings above them. "1M parameters" is not stated by "Context window: 1M tokens"."""
    words = [word for word in content_words(bound.sentence) if word not in _ANSWERING]
    return 1 - len(uncovered(words, _stated(bound))) / max(len(words), 1)


_ANSWERING = frozenset("yes no".split())
_HOW_MANY = re.compile(r"\bhow many (?:[a-z-]+ing |total |active )?([a-z]{4,})", re.IGNORECASE)
