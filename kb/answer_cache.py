"""Answers that were worked out already, while what they rest on is what a search finds.

A question is searched each time; only judging and writing are saved. So an answer is found again
exactly where the same pieces of the same revisions of the same sources are found: after an ingest
that changes one of them, or brings a better one, the question is answered anew.
"""

from __future__ import annotations

import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kb.errors import ModelError
from kb.events import Answered, Ask, Event, Status
from kb.evidence import Gathered
from kb.ports import ChatModel
from kb.types import Answer, Evidence, Filters, Message, Source, Token

Place = tuple[Source, int, int]


@dataclass(frozen=True, slots=True)
class Key:
    """All that an answer depends on and that can change while a process lives."""

    question: str
    filters: Filters
    model: str
    chosen: tuple[Place, ...]
    near: tuple[Place, ...]


def key_of(question: str, filters: Filters, model: str, gathered: Gathered) -> Key:
    """question: standalone. Spaces and what ends it make no difference; capitals do: "may" is
    another word than "May"."""
    asked = " ".join(unicodedata.normalize("NFKC", question).split()).rstrip(" ?!.")
    return Key(asked, filters, model, _places(gathered.evidence), _places(gathered.near))


def _places(pieces: Sequence[Evidence]) -> tuple[Place, ...]:
    return tuple((piece.source, piece.start, piece.end) for piece in pieces)


class AnswerCache:
    """The `entries` that were used last, in memory. Safe to share between threads."""

    def __init__(self, entries: int) -> None:
        """entries: 0 keeps none."""
        self._entries = entries
        self._kept: OrderedDict[Key, tuple[Event, ...]] = OrderedDict()
        self._lock = threading.Lock()
        self._disturbed = 0  # how often the model has failed, or a document was deleted

    def __len__(self) -> int:
        return len(self._kept)

    def watching(self, model: ChatModel) -> ChatModel:
        """The same model; what is answered while it fails is not kept."""
        return Watched(model, self._disturb) if self._entries else model

    def recall(self, key: Key) -> tuple[Event, ...]:
        """What followed the search the last time; empty where nothing is kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key, ())

    def keeping(
        self, key: Key, events: Iterator[Event], cancelled: Callable[[], bool]
    ) -> Iterator[Event]:
        """The events, which are kept once the last one is there: unless they were cut short,
        or quote something else than the key names."""
        disturbed = self._disturbed
        seen: list[Event] = []
        for event in events:
            seen.append(event)
            if isinstance(event, Answered) and not cancelled() and _rests_on(event.answer, key):
                self._keep(key, tuple(seen), disturbed)
            yield event

    def forget_document(self, document_id: str) -> int:
        """Drops every answer that was made from the document. Returns how many went. What is being
        answered at this moment is not kept either, nor is any refusal: it may offer a question
        that was made from the document."""
        with self._lock:
            self._disturbed += 1
            gone = [key for key in self._kept if _names(key, document_id)]
            refused = [key for key, events in self._kept.items() if _refuses(events)]
            for key in {*gone, *refused}:
                del self._kept[key]
        return len(gone)

    def _keep(self, key: Key, events: tuple[Event, ...], disturbed: int) -> None:
        with self._lock:
            if disturbed != self._disturbed or not self._entries:
                return
            self._kept[key] = events
            self._kept.move_to_end(key)
            while len(self._kept) > self._entries:
                self._kept.popitem(last=False)

    def _disturb(self) -> None:
        with self._lock:
            self._disturbed += 1


def _refuses(events: Sequence[Event]) -> bool:
    return any(isinstance(e, Answered) and e.answer.outcome == "refused" for e in events)


def _names(key: Key, document_id: str) -> bool:
    return any(source.document_id == document_id for source, _, _ in (*key.chosen, *key.near))


def _rests_on(answer: Answer, key: Key) -> bool:
    sources = {source for source, _, _ in (*key.chosen, *key.near)}
    return {citation.source for citation in answer.citations} <= sources


class Asked(Protocol):
    """Of one question on its way, what an answer tells again. started: on the clock of `again`."""

    @property
    def ask(self) -> Ask: ...

    @property
    def question(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def started(self) -> float: ...


def again(
    events: Sequence[Event],
    asked: Asked,
    retrieved: float,
    clock: Callable[[], float],
    new_id: Callable[[], str],
    suggested: Callable[[], tuple[str, ...]],
) -> Iterator[Event]:
    """Recalled events for another asker. What they say of time is how long this one waited.
    suggested: looked up anew, since another process may have deleted what was offered."""

    def since(moment: float) -> int:
        return round(1000 * (moment - asked.started))

    for event in events:
        if isinstance(event, Status):
            yield replace(event, milliseconds=since(clock()))
        elif isinstance(event, Answered):
            now = since(clock())
            moments = {"retrieve": since(retrieved), "first_sentence": now, "total": now}
            told = {name: moments[name] for name in event.answer.timings_ms}
            answer = _renewed(event.answer, asked, told, new_id)
            yield Answered(
                replace(answer, suggestions=suggested()) if answer.suggestions else answer
            )
        else:
            yield event


def _renewed(
    known: Answer, asked: Asked, timings_ms: Mapping[str, int], new_id: Callable[[], str]
) -> Answer:
    return replace(
        known,
        id=new_id(),
        conversation_id=asked.ask.conversation_id or new_id(),
        question=asked.ask.question,
        standalone_question=asked.question,
        corpus_version=asked.version,
        timings_ms=timings_ms,
        cached=True,
    )


class Watched:
    """A chat model of which every failure is told."""

    def __init__(self, model: ChatModel, failed: Callable[[], None]) -> None:
        self._model = model
        self._failed = failed

    @property
    def name(self) -> str:
        return self._model.name

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        try:
            yield from self._model.write(messages, max_tokens, cancelled)
        except ModelError:
            if not cancelled():  # one that nobody waits for says nothing of the others
                self._failed()
            raise

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        try:
            yield from self._model.copy(messages, grammar, max_tokens, cancelled)
        except ModelError:
            if not cancelled():  # one that nobody waits for says nothing of the others
                self._failed()
            raise

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        try:
            return self._model.probability_of_yes(messages, cancelled)
        except ModelError:
            if not cancelled():  # one that nobody waits for says nothing of the others
                self._failed()
            raise
