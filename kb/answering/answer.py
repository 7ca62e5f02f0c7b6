"""A question's way to its answer, readable from top to bottom."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from kb.answer_cache import AnswerCache, again, key_of
from kb.answering.confidence import Confidence, signals
from kb.answering.copying import Copying
from kb.answering.statements import Statement, statement
from kb.catalog import Catalog
from kb.citations import Composer
from kb.clarify import Clarification, clarification
from kb.conflicts import Disagreement, disagreements
from kb.context import leans_on
from kb.conversation import Understand, by_rules
from kb.errors import (
    EmptyQuestion,
    IndexMismatch,
    QuestionTooLong,
    RevisionNotFound,
    StoreUnavailable,
)
from kb.events import (
    Answered,
    Ask,
    ConflictFound,
    Event,
    EvidenceFound,
    Judged,
    SentencePassed,
    SentenceWithheld,
    Stage,
    Status,
)
from kb.evidence import NOTHING, Gathered, gather
from kb.injection import factual_part
from kb.ports import ChatModel
from kb.refusals import REFUSALS, Suggest
from kb.retrieve import Retriever
from kb.types import Answer, Conflict, Evidence, Outcome, Position, Reason, Source

HITS = 20  # passages whose sentences compete to be evidence
NEAREST = 3  # passages shown with a refusal
# Of the question's weight: where less is covered, the documents are on other things. So low that
# none of 270 questions of five fields lies below it. 0.57 was looked at: all ten that were out of
# scope are below, but also 3 of 114 answerable ones that were tuned on and 6 of 91 that weren't.
OFF_TOPIC = 0.35


@dataclass(frozen=True, slots=True)
class Limits:
    """evidence_words: about 1.4 tokens each; reading them is most of the time to an answer.
    answer_from, quote_from: the confidence from which what was found is shown as the answer, and
    as the closest passages. The shipped confidence is never below 0.24, so that 0.2 refuses
    nothing: of 12 fitted questions below 0.33 seven are answerable. at_once_from: the confidence in
    the best piece from which it is shown before the model is asked."""

    question_chars: int = 2000
    evidence_words: int = 100
    answer_seconds: float = 40.0
    answer_from: float = 0.5
    quote_from: float = 0.2
    at_once_from: float = 0.7


@dataclass(frozen=True, slots=True)
class _Asked:
    """What stays fixed while one question is answered."""

    ask: Ask
    question: str  # standalone, and without attempts to give orders
    version: int
    started: float
    cancelled: Callable[[], bool]


class Answering:
    """Finds evidence, lets the model point at what answers, shows that. Holds no state between
    questions but its cache."""

    def __init__(
        self,
        catalog: Catalog,
        retriever: Retriever,
        model: ChatModel,
        confidence: Confidence,
        limits: Limits,
        cache: AnswerCache,
        clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        suggest: Suggest = lambda question, version, filters: (),
        understand: Understand = by_rules,
    ) -> None:
        self._catalog = catalog
        self._retriever = retriever
        self._model = model
        self._confidence = confidence
        self._limits = limits
        self._cache = cache
        self._clock = clock
        self._new_id = new_id
        self._suggest = suggest
        self._understand = understand

    def events(self, ask: Ask, cancelled: Callable[[], bool] = lambda: False) -> Iterator[Event]:
        """What happens, step by step; the last event is Answered. Where a document that it reads is
        deleted for good meanwhile, it begins once more, with "searching".
        Raises EmptyQuestion, QuestionTooLong, VersionNotFound, StoreUnavailable."""
        try:
            yield from self._pinned(ask, cancelled)
        except RevisionNotFound:
            yield from self._pinned(ask, cancelled)

    def _pinned(self, ask: Ask, cancelled: Callable[[], bool]) -> Iterator[Event]:
        version = self.pin(ask.question, ask.corpus_version)
        with self._catalog.pinned(version):
            yield from self._steps(replace(ask, corpus_version=version), cancelled)

    def _steps(self, ask: Ask, cancelled: Callable[[], bool]) -> Iterator[Event]:
        asked = self._admit(ask, cancelled)
        yield self._status("searching", asked)
        if not asked.question:
            yield self._refused(asked, "unsafe_request", NOTHING)
            return
        back = clarification(factual_part(ask.question), ask.history)
        if back:
            yield self._refused(asked, "not_stated", NOTHING, back=back)
            return
        found = self._retriever.search(asked.question, asked.version, ask.filters, HITS)
        gathered = gather(asked.question, found, self._limits.evidence_words)
        retrieved = self._clock()
        if not gathered.evidence:
            yield self._refused(asked, "no_evidence", gathered)
            return
        if gathered.coverage < OFF_TOPIC:
            yield EvidenceFound(gathered.evidence)
            yield self._refused(asked, "off_topic", gathered)
            return
        key = key_of(asked.question, ask.filters, self._model.name, gathered)
        known = self._cache.recall(key)
        yield EvidenceFound(gathered.evidence, recalled=bool(known))
        if known:
            suggested = partial(self._suggested, asked)
            yield from again(known, asked, retrieved, self._clock, self._new_id, suggested)
            return
        fresh = self._concluded(asked, gathered, retrieved)
        yield from self._cache.keeping(key, fresh, asked.cancelled)

    # -- 1. what is asked, of which version --------------------------------------------------------

    def pin(self, question: str, version: int | None) -> int:
        """The corpus version that a question reads from first to last.
        Raises EmptyQuestion, QuestionTooLong, VersionNotFound."""
        if not question.strip():
            raise EmptyQuestion("the question is empty; write one")
        if len(question) > self._limits.question_chars:
            raise QuestionTooLong(
                f"the question has {len(question)} characters; the limit is "
                f"{self._limits.question_chars}: shorten it, or raise KB_QUESTION_CHARS"
            )
        if version is None:
            return self._catalog.current_version()
        self._catalog.require_version(version)
        return version

    def _admit(self, ask: Ask, cancelled: Callable[[], bool]) -> _Asked:
        version = self.pin(ask.question, ask.corpus_version)
        question = " ".join(ask.question.split())
        started = self._clock()
        deadline = started + self._limits.answer_seconds

        def over() -> bool:
            return cancelled() or self._clock() > deadline

        standalone = self._understand(question, ask.history, over)
        return _Asked(ask, factual_part(standalone), version, started, over)

    # -- 2. what answers it ------------------------------------------------------------------------

    def _concluded(self, asked: _Asked, gathered: Gathered, retrieved: float) -> Iterator[Event]:
        """The sources' positions where they disagree; else what the model points at."""
        # the best pair that the rules find: what another one adds is seldom worth its reading
        pairs = disagreements(asked.question, gathered.near)[:1]
        if not pairs:
            yield self._status("reading", asked)
            yield from self._copied(asked, gathered, retrieved)
            return
        composer = Composer()
        conflict = yield from self._positions(asked.question, pairs, composer)
        moments = {"retrieve": retrieved, "first_sentence": self._clock()}
        yield Answered(self._answer(asked, "conflicting", composer, moments, (conflict,)))

    def _copied(self, asked: _Asked, gathered: Gathered, retrieved: float) -> Iterator[Event]:
        """The best piece at once where the search alone is sure of it; then each piece that the
        model points at, as soon as it is clear which one is meant."""
        limits, composer = self._limits, Composer()
        copying = Copying(self._model, asked.question, gathered.evidence)
        best = statement(gathered.evidence[0])
        seen = signals(asked.question, gathered)
        probability = self._confidence.of_best(seen)
        moments = {"retrieve": retrieved}
        judged = False
        if probability >= limits.at_once_from:
            yield from self._shown(best, composer)
            moments["first_sentence"] = self._clock()
        for copied in copying.pieces(asked.cancelled):
            if not judged:
                judged = True
                seen = signals(asked.question, gathered, copied, copying.likelihood)
                probability = self._confidence.probability(seen)
                yield Judged(seen, probability)
                yield self._status("checking", asked)
            if composer.citations or probability >= limits.answer_from:
                yield from self._shown(statement(copied.evidence, copied.spans), composer)
                moments.setdefault("first_sentence", self._clock())
        if not judged:
            yield Judged(seen, probability)
        for stray in copying.strays:
            yield SentenceWithheld(stray, "copied")
        answered = bool(composer.citations)
        if not answered and probability < limits.quote_from:
            withheld = len(copying.strays)
            yield self._refused(asked, "not_stated", gathered, probability, withheld)
            return
        pointed = [] if answered else copying.statements()
        for piece in [*pointed, best]:
            yield from self._shown(piece, composer)
        moments.setdefault("first_sentence", self._clock())
        answer = self._answer(asked, "answered" if answered else "quoted", composer, moments)
        yield Answered(
            replace(
                answer,
                confidence=round(probability, 3),
                withheld=len(copying.strays),
                marked=_marked(copying.statements(), composer),
            )
        )

    # -- 3. what the reader gets -------------------------------------------------------------------

    def _positions(
        self, question: str, found: Sequence[Disagreement], composer: Composer
    ) -> Generator[Event, None, Conflict]:
        """Each side in its source's words, with where and when it was said; nothing is picked."""
        sides = list(dict.fromkeys(side for pair in found for side in (pair.first, pair.second)))
        positions = []
        for number, side in enumerate(sides):
            lead = "The sources disagree. " if number == 0 else ""
            sentence = f"{lead}{_place(side.source)}: {side.statement}"
            citations = tuple(composer.add(sentence, self._whole(side), 1.0))
            yield SentencePassed(sentence, citations)
            positions.append(Position(side.statement, tuple(c.marker for c in citations)))
        conflict = Conflict(question, tuple(positions))
        yield ConflictFound(conflict)
        return conflict

    def _shown(self, piece: Statement, composer: Composer) -> Iterator[Event]:
        """Nothing where the piece is shown already."""
        if not composer.cites(piece.evidence):
            citations = composer.add(piece.text, self._whole(piece.evidence), 1.0)
            yield SentencePassed(piece.text, tuple(citations))

    def _whole(self, piece: Evidence) -> list[Evidence]:
        """A row with the header line that its statement repeats. Raises RevisionNotFound where the
        document was deleted meanwhile."""
        text = self._stored(piece)
        return [piece, *(leans_on(piece, text)[:1] if piece.kind == "row" else ())]

    def _stored(self, piece: Evidence) -> str:
        """The revision's text, looked up anew: nothing is shown that doesn't stand there."""
        text = self._catalog.document(piece.source.document_id, piece.source.revision).text
        if text[piece.start : piece.end] != piece.quote:
            raise IndexMismatch(
                f"{piece.source.uri} is not what its passages were made from; run kb doctor"
            )
        return text

    def _refused(
        self,
        asked: _Asked,
        reason: Reason,
        gathered: Gathered,
        confidence: float | None = None,
        withheld: int = 0,
        back: Clarification | None = None,
    ) -> Answered:
        """back: what is asked in return, where nobody can know yet what the question means. Raises
        RevisionNotFound where a document that came nearest was deleted meanwhile."""
        nearest = gathered.evidence[:NEAREST]
        for piece in nearest:
            self._stored(piece)
        return Answered(
            Answer(
                id=self._new_id(),
                conversation_id=asked.ask.conversation_id or self._new_id(),
                question=asked.ask.question,
                standalone_question=asked.ask.question if back else asked.question,
                outcome="refused",
                reason=reason,
                text=back.text if back else REFUSALS[reason],
                corpus_version=asked.version,
                model=self._model.name,
                confidence=None if confidence is None else round(confidence, 3),
                nearest=nearest,
                withheld=withheld,
                suggestions=(back and back.suggestions) or self._suggested(asked),
                timings_ms={"total": self._since(asked.started)},
            )
        )

    def _suggested(self, asked: _Asked) -> tuple[str, ...]:
        """What might be asked instead: worth little enough that a refusal does without where the
        vector store has gone away meanwhile, or nobody waits for it any more."""
        if asked.cancelled():
            return ()
        try:
            return self._suggest(asked.question, asked.version, asked.ask.filters)
        except StoreUnavailable:
            return ()

    def _answer(
        self,
        asked: _Asked,
        outcome: Outcome,
        composer: Composer,
        moments: dict[str, float],
        conflicts: tuple[Conflict, ...] = (),
    ) -> Answer:
        timings = {name: round(1000 * (at - asked.started)) for name, at in moments.items()}
        return Answer(
            id=self._new_id(),
            conversation_id=asked.ask.conversation_id or self._new_id(),
            question=asked.ask.question,
            standalone_question=asked.question,
            outcome=outcome,
            text=composer.text,
            citations=composer.citations,
            conflicts=conflicts,
            corpus_version=asked.version,
            model=self._model.name,
            timings_ms=timings | {"total": self._since(asked.started)},
        )

    def _status(self, stage: Stage, asked: _Asked) -> Status:
        return Status(stage, self._since(asked.started))

    def _since(self, moment: float) -> int:
        return round(1000 * (self._clock() - moment))


def _marked(statements: Iterable[Statement], composer: Composer) -> tuple[tuple[int, int], ...]:
    """The copied words, as spans of the answer's text."""
    starts = {(c.source.revision, c.start): c.answer_start for c in reversed(composer.citations)}
    found = []
    for one in statements:
        start = starts.get((one.evidence.source.revision, one.evidence.start))
        if start is not None:
            found += [(start + a, start + b) for a, b in one.marked]
    return tuple(sorted(set(found)))


def _place(source: Source) -> str:
    dated = f", {source.as_of}" if source.as_of else ""
    by = f"{source.publisher}, " if source.publisher else ""
    return f"“{source.title}” ({by}{source.as_of})" if by and dated else f"“{source.title}”{dated}"
