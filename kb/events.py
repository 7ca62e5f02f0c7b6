"""What happens while a question is answered, in order, for whoever watches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kb.answering.confidence import Signals
from kb.types import Answer, Citation, Conflict, Evidence, Filters, Message

Stage = Literal["searching", "reading", "checking"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A question. history: earlier turns, oldest first. corpus_version: None for the current."""

    question: str
    conversation_id: str | None = None
    history: tuple[Message, ...] = ()
    filters: Filters = field(default_factory=Filters)
    corpus_version: int | None = None


@dataclass(frozen=True, slots=True)
class Status:
    stage: Stage
    milliseconds: int


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """recalled: what follows was worked out before, and needs no model."""

    evidence: tuple[Evidence, ...]
    recalled: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What was seen of the evidence, and the probability that what is shown answers."""

    signals: Signals
    probability: float


@dataclass(frozen=True, slots=True)
class SentenceWithheld:
    """A sentence that failed its check, and why. For evaluation: readers are told the count.
    rests_on: the evidence that it took its words from. quotable: that answers, although the
    sentence itself may not be shown."""

    text: str
    failure: str
    rests_on: tuple[Evidence, ...] = ()
    quotable: bool = False


@dataclass(frozen=True, slots=True)
class SentencePassed:
    """A sentence that was checked; `start` is its place in the answer's text."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class ConflictFound:
    conflict: Conflict


@dataclass(frozen=True, slots=True)
class Answered:
    """Always the last event."""

    answer: Answer


Event = (
    Status | EvidenceFound | Judged | SentencePassed | SentenceWithheld | ConflictFound | Answered
)
