"""A question's way to its answer, readable from top to bottom."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from kb.answer_cache import AnswerCache, again, key_of
from kb.catalog import Catalog
from kb.checking import Checker
from kb.citations import Composer
from kb.clarify import Clarification, clarification
from kb.conflicts import disagreements
from kb.conversation import Understand, by_rules
from kb.errors import EmptyQuestion, ModelError, QuestionTooLong, RevisionNotFound
from kb.events import (
    Answered,
    Ask,
    ConflictFound,
    Event,
    EvidenceFound,
    Judged,
    SentenceWithheld,
    Stage,
    Status,
)
from kb.evidence import NOTHING, Gathered, gather
from kb.expected import fits
from kb.gate import Gate, Signals, signals
from kb.injection import factual_part
from kb.lookup import Lookup
from kb.parts import gather_all
from kb.ports import ChatModel, Embedder
from kb.prompt import judge_messages
from kb.refusals import REFUSALS, Suggest
from kb.retrieve import Retriever
from kb.types import Answer, Conflict, Outcome, Reason
from kb.writing import Writer, Written, to_quote

HITS = 20  # passages whose sentences compete to be evidence
NEAREST = 3  # passages shown with a refusal


@dataclass(frozen=True, slots=True)
class Limits:
    """evidence_words: about 1.4 tokens each; reading them is most of the time to an answer."""

    question_chars: int = 2000
    evidence_words: int = 130
    answer_tokens: int = 160
    answer_seconds: float = 40.0


@dataclass(frozen=True, slots=True)
class _Asked:
    """What stays fixed while one question is answered."""

    ask: Ask
    question: str  # standalone, and without attempts to give orders
    version: int
    started: float
    cancelled: Callable[[], bool]


class Answering:
    """Finds, judges, writes and checks. Holds no state between questions but its cache."""

    def __init__(
        self,
        catalog: Catalog,
        lookup: Lookup,
        retriever: Retriever,
        embedder: Embedder,
        model: ChatModel,
        gate: Gate,
        limits: Limits,
        cache: AnswerCache,
        clock: Callable[[], float] = time.monotonic,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        suggest: Suggest = lambda question, version, filters: (),
        understand: Understand = by_rules,
    ) -> None:
        self._catalog = catalog
        self._lookup = lookup
        self._retriever = retriever
        self._embedder = embedder
        self._model = model
        self._writer = Writer(model, catalog, limits.answer_tokens)
        self._gate = gate
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
        gathered = gather_all(asked.question, self._looking(asked), self._limits.evidence_words)
        retrieved = self._clock()
        if not gathered.evidence:
            yield self._refused(asked, "no_evidence", gathered)
            return
        key = key_of(asked.question, asked.ask.filters, self._model.name, gathered)
        known = self._cache.recall(key)
        yield EvidenceFound(gathered.evidence, recalled=bool(known))
        if known:
            suggested = partial(self._suggest, asked.question, asked.version, ask.filters)
            yield from again(known, asked, retrieved, self._clock, self._new_id, suggested)
            return
        fresh = self._concluded(asked, gathered, retrieved)
        yield from self._cache.keeping(key, fresh, asked.cancelled)

    def _concluded(self, asked: _Asked, gathered: Gathered, retrieved: float) -> Iterator[Event]:
        yield self._status("reading", asked)
        if not fits(asked.question, gathered.evidence):
            yield self._refused(asked, "not_stated", gathered)
            return
        seen = self._signals(asked, gathered)
        yield Judged(seen, self._gate.probability(seen))
        reason = self._gate.refusal(seen)
        if reason:
            yield self._refused(asked, reason, gathered)
            return
        yield from self._written(asked, gathered, seen, retrieved)

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
        return _Asked(
            ask,
            factual_part(self._understand(question, ask.history, cancelled)),
            version,
            started,
            lambda: cancelled() or self._clock() > deadline,
        )

    def _looking(self, asked: _Asked) -> Callable[[str, int], Gathered]:
        """A search of the pinned version for one part of the question."""

        def look(question: str, words: int) -> Gathered:
            found = self._retriever.search(question, asked.version, asked.ask.filters, HITS)
            return gather(question, found, words)

        return look

    # -- 2. whether the evidence can carry an answer -----------------------------------------------

    def _signals(self, asked: _Asked, gathered: Gathered) -> Signals:
        if not self._gate.asks(self._model.name):
            return signals(asked.question, gathered, None)
        messages = judge_messages(asked.question, gathered.evidence)
        try:
            yes = self._model.probability_of_yes(messages, asked.cancelled)
        except ModelError:
            yes = None
        return signals(asked.question, gathered, yes)

    # -- 3. writing and checking, sentence by sentence ---------------------------------------------

    def _written(
        self, asked: _Asked, gathered: Gathered, seen: Signals, retrieved: float
    ) -> Iterator[Event]:
        composer = Composer()
        moments = {"retrieve": retrieved}
        withheld: list[SentenceWithheld] = []
        conflicts: list[Conflict] = []
        yield self._status("checking", asked)
        for event in self._composed(asked, gathered, composer):
            if isinstance(event, SentenceWithheld):
                withheld.append(event)
            elif isinstance(event, ConflictFound):
                conflicts.append(event.conflict)
            else:
                moments.setdefault("first_sentence", self._clock())
            yield event
        outcome: Outcome = "conflicting" if conflicts else "answered"
        if not composer.citations:
            reason = self._gate.refusal_after_writing(seen, [one.failure for one in withheld])
            pieces = to_quote(asked.question, withheld, gathered.evidence)
            if not pieces or (reason and not any(one.quotable for one in withheld)):
                yield self._refused(asked, reason or "not_stated", gathered, len(withheld))
                return
            outcome = "quoted"
            yield from self._writer.quotes(pieces, composer)
            moments["first_sentence"] = self._clock()
        yield Answered(self._answer(asked, outcome, composer, len(withheld), conflicts, moments))

    def _composed(self, asked: _Asked, gathered: Gathered, composer: Composer) -> Iterator[Written]:
        """Positions where the sources disagree; else the model's sentences, completed by quotes."""
        # the best pair that the rules find: what another one adds is seldom worth its reading
        found = disagreements(asked.question, gathered.near)[:1]
        if found:
            yield from self._writer.positions(asked.question, found, composer)
            return
        checker = Checker(
            asked.question,
            gathered.evidence,
            self._embedder,
            self._model,
            self._lookup.frequencies(asked.version),
            self._catalog.document,
            asked.cancelled,
        )
        yield from self._writer.sentences(
            asked.question, gathered, checker, composer, asked.cancelled
        )

    # -- 4. what the reader gets -------------------------------------------------------------------

    def _refused(
        self,
        asked: _Asked,
        reason: Reason,
        gathered: Gathered,
        withheld: int = 0,
        back: Clarification | None = None,
    ) -> Answered:
        """back: what is asked in return, where nobody can know yet what the question means."""
        suggested = self._suggest(asked.question, asked.version, asked.ask.filters)
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
                nearest=gathered.evidence[:NEAREST],
                withheld=withheld,
                suggestions=(back and back.suggestions) or suggested,
                timings_ms={"total": self._since(asked.started)},
            )
        )

    def _answer(
        self,
        asked: _Asked,
        outcome: Outcome,
        composer: Composer,
        withheld: int,
        conflicts: Sequence[Conflict],
        moments: dict[str, float],
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
            conflicts=tuple(conflicts),
            withheld=withheld,
            corpus_version=asked.version,
            model=self._model.name,
            timings_ms=timings | {"total": self._since(asked.started)},
        )

    def _status(self, stage: Stage, asked: _Asked) -> Status:
        return Status(stage, self._since(asked.started))

    def _since(self, moment: float) -> int:
        return round(1000 * (self._clock() - moment))
