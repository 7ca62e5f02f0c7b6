"""A written sentence to a checked one: bound to quotes, tested against them, or withheld."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.asked import asked_of, is_of_others
from kb.citations import Bound, bind
from kb.context import leans_on
from kb.errors import ModelError
from kb.evidence import uncovered
from kb.lookup import Frequencies
from kb.names import names
from kb.ports import ChatModel, Embedder
from kb.prompt import entail_messages
from kb.ranking import best_matches, inverse_document_frequency, max_sim_idf
from kb.rates import elsewhere
from kb.retrieve import content_words
from kb.sentences import Written
from kb.types import Document, Encoding, Evidence
from kb.verify import Doubt, doubts

# Set by hand, on development questions and on SQuAD articles that nothing is measured on.
SURE = 0.80  # similarity above which the meaning is taken as given
HOPELESS = 0.45  # and below which it is not worth asking the model
# The share of its words that the quotes must state. Of 92 sentences of the model's that passed all
# else, read by hand, 12 had no more than this, and six of them were false; of the others one was.
LEAST_STATED = 0.6
FEWEST_WORDS = 3  # fewer say nothing that a reader could check
STATED = 0.6  # P(Yes) of "does the quote state this?" from which a sentence may be shown
CERTAIN = 0.85  # and from which nothing needs to be added, and what the rules doubt may be shown


@dataclass(frozen=True, slots=True)
class Checked:
    """support: 0 to 1. failure: why the sentence is withheld; None when it may be shown.
    sure: passed, and the quotes almost certainly state it. quotable: withheld for nothing but a
    word that the question brought ("Apple's M5 Max", of which the sources say "M5 Max"), so that
    its quotes answer."""

    sentence: str
    pieces: tuple[Evidence, ...]
    support: float
    failure: str | None
    sure: bool = False
    quotable: bool = False


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
        self._question = question
        self._counted = _counted(question)
        self._asked_of = asked_of(question)
        self._evidence = evidence
        self._embedder = embedder
        self._model = model
        self._frequencies = frequencies
        self._document = document
        self._cancelled = cancelled
        self._vectors = [
            e.tokens for e in embedder.embed_passages([piece.statement for piece in evidence])
        ]

    def check(self, written: Written, before: Sequence[Evidence] | None = None) -> Checked:
        """before: the quotes of the last sentence that was shown, none of them where none was; None
        where that isn't known. "It" may only mean what these are about."""
        similarities = self._similarities(self._embedder.embed_query(written.text))
        bound = bind(written.text, written.markers, self._evidence, similarities, self._leaning)
        found = doubts(bound.sentence, bound.pieces)
        brought = [doubt for doubt in found if doubt.certain and self._brought(doubt)]
        certain = [doubt for doubt in found if doubt.certain and doubt not in brought]
        failure = _hopeless(bound, certain) or self._adrift(bound, before) or self._unasked(bound)
        stated = 0.0 if failure else self._stated(bound, bool(found))
        doubted = any(not doubt.certain for doubt in found)
        if not failure and stated < (CERTAIN if doubted else STATED):
            failure = found[0].failure if found else "meaning"
        quotable = bool(brought) and not failure
        return Checked(
            sentence=written.text,
            pieces=bound.pieces,
            support=min(max(bound.similarity, 0.0), 1.0),
            failure=_worded(brought[0]) if quotable else failure,
            sure=not failure and not brought and stated >= CERTAIN,
            quotable=quotable,
        )

    def _brought(self, doubt: Doubt) -> bool:
        """Of a name or figure that is the question's own, and no model's: of another model's quote
        nothing can be learnt."""
        if doubt.failure not in {"figure", "name"} or doubt.about not in self._question:
            return False
        return not any(name.is_model for name in names(doubt.about))

    def _unasked(self, bound: Bound) -> str | None:
        """True perhaps, but no answer: it counts something else, is of another model, or holds at
        another amount."""
        other = (
            (self._counted and uncovered(self._counted, _stated(bound)))
            or is_of_others(self._asked_of, bound.sentence)
            or elsewhere(self._question, bound.sentence, bound.pieces)
        )
        return "unasked" if other else None

    def _adrift(self, bound: Bound, before: Sequence[Evidence] | None) -> str | None:
        """Begins with a pronoun, and rests on nothing that the sentence before it rests on. "These
        prices" means what it means in the question that has it."""
        pronoun, pointing = _PRONOUN.match(bound.sentence), _POINTING.match(bound.sentence)
        if not pronoun or before is None:
            return None
        if pointing and pointing.group().lower() in self._question.lower():
            return None
        shared = {(piece.source, piece.start) for piece in before}
        if any((piece.source, piece.start) in shared for piece in bound.pieces):
            return None
        return f"subject: {pronoun.group()}"

    def _stated(self, bound: Bound, doubted: bool) -> float:
        """P(the quotes state the sentence): 1 where it has nearly their words, else the model's
        own; without a model, what is in doubt isn't shown."""
        if not doubted and bound.similarity >= SURE and _stated_share(bound) >= SURE:
            return 1.0
        messages = entail_messages(bound.sentence, bound.pieces)
        try:
            return self._model.probability_of_yes(messages, self._cancelled)
        except ModelError:
            return 0.0

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


def _hopeless(bound: Bound, certain: Sequence[Doubt]) -> str | None:
    """What no second opinion can mend."""
    if len(bound.sentence.split()) < FEWEST_WORDS:
        return "fragment"
    if certain:
        return _worded(certain[0])
    low = bound.similarity < HOPELESS or _stated_share(bound) <= LEAST_STATED
    return "meaning" if low else None


def _worded(doubt: Doubt) -> str:
    return f"{doubt.failure}: {doubt.about}"


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
_PRONOUN = re.compile(r"(?:It|Its|They|Their|He|She|His|Her|This|These|Those|That)\b")
_POINTING = re.compile(r"(?:This|These|Those|That) \w+")
_HOW_MANY = re.compile(r"\bhow many (?:[a-z-]+ing |total |active )?([a-z][a-z-]{3,})", re.I)
