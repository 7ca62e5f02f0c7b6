"""Stored answers: their types, and how they become the catalog's rows and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, func, select

from kb.schema import answers, feedback
from kb.types import Answer, Citation, Evidence, Message

Rating = Literal["up", "down"]

BODY: TypeAdapter[Answer] = TypeAdapter(Answer)  # reading runs the types' own checks
IN_ORDER = (answers.c.turn, answers.c.asked_at, answers.c.id)  # two may be asked at once


@dataclass(frozen=True, slots=True)
class Turn:
    """A stored answer. number: counts from 1 in its conversation; asked_at: seconds since the
    epoch; rating: what its reader thought of it."""

    number: int
    asked_at: float
    answer: Answer
    rating: Rating | None


@dataclass(frozen=True, slots=True)
class Conversation:
    """question: its first one. Times are seconds since the epoch."""

    id: str
    question: str
    turns: int
    started_at: float
    last_at: float


def stored_turns() -> Select[Any]:
    columns = (answers.c.turn, answers.c.asked_at, answers.c.body, feedback.c.rating)
    return select(*columns).select_from(answers.outerjoin(feedback))


def stored_conversations() -> Select[Any]:
    """`Conversation`'s fields, the one with the newest question first."""
    whole = (
        select(
            answers.c.conversation_id,
            func.min(answers.c.turn).label("first"),
            func.count().label("turns"),
            func.min(answers.c.asked_at).label("started_at"),
            func.max(answers.c.asked_at).label("last_at"),
        )
        .group_by(answers.c.conversation_id)
        .subquery()
    )
    opening = (
        select(func.min(answers.c.question))
        .where(
            answers.c.conversation_id == whole.c.conversation_id,
            answers.c.turn == whole.c.first,
        )
        .scalar_subquery()
    )
    columns = (whole.c.conversation_id, opening, whole.c.turns, whole.c.started_at, whole.c.last_at)
    return select(*columns).order_by(whole.c.last_at.desc(), whole.c.conversation_id)


def turn(row: Row[Any]) -> Turn:
    return Turn(row.turn, row.asked_at, BODY.validate_json(row.body), row.rating)


def messages(answer: Answer) -> Iterator[Message]:
    yield Message("user", answer.question)
    yield Message("assistant", answer.text)


def to_row(answer: Answer, asked_at: float) -> dict[str, object]:
    """Its turn is the next one of its conversation, counted by the database as it is written."""
    of_this = answers.c.conversation_id == answer.conversation_id
    last = select(func.coalesce(func.max(answers.c.turn), 0)).where(of_this).scalar_subquery()
    return {
        "id": answer.id,
        "conversation_id": answer.conversation_id,
        "turn": last + 1,
        "asked_at": asked_at,
        "question": _storable(answer.question),
        "standalone_question": _storable(answer.standalone_question),
        "outcome": answer.outcome,
        "corpus_version": answer.corpus_version,
        "body": BODY.dump_json(answer).decode(),
    }


def _storable(text: str) -> str:
    """For lists; the body has it unchanged. PostgreSQL's text can't hold this character."""
    return text.replace("\0", " ")


def quotes(answer: Answer) -> list[dict[str, object]]:
    """A row for each citation, and for each passage that a refusal shows as nearest."""
    cited: list[tuple[int | None, Citation | Evidence]] = [(c.marker, c) for c in answer.citations]
    cited += [(None, evidence) for evidence in answer.nearest]
    return [
        {
            "answer_id": answer.id,
            "place": place,
            "marker": marker,
            "document_id": quoted.source.document_id,
            "revision": quoted.source.revision,
            "start": quoted.start,
            "end": quoted.end,
            "quote": quoted.quote,
        }
        for place, (marker, quoted) in enumerate(cited)
    ]
