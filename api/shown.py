"""What a reader gets of each event, as server-sent events."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from api.errors import Problem
from api.schemas import AnswerOut, ConflictOut, EvidenceOut, SentenceOut, StatusOut
from kb.events import (
    Answered,
    ConflictFound,
    Event,
    EvidenceFound,
    Judged,
    SentencePassed,
    SentenceWithheld,
    Status,
)

Sent = dict[str, str]  # `event`, `data` and `id`

DONE = "done"


def shown(event: Event) -> BaseModel | None:
    """The answer is the JSON body of the same question."""
    match event:
        case Status():
            return StatusOut.model_validate(event)
        case EvidenceFound():
            return EvidenceOut.model_validate(event)
        case SentencePassed():
            return SentenceOut.model_validate(event)
        case ConflictFound(conflict):
            return ConflictOut.model_validate(conflict)
        case Answered(answer):
            return AnswerOut.model_validate(answer)
        case Judged() | SentenceWithheld():  # for evaluation: what failed its check stays unseen
            return None


_NAMES: Mapping[type[BaseModel], str] = {
    StatusOut: "status",
    EvidenceOut: "evidence",
    SentenceOut: "sentence",
    ConflictOut: "conflict",
    AnswerOut: "answer",
    Problem: "error",
}


def named(data: BaseModel | None, event_id: str) -> Sent:
    """Without data: the end."""
    if data is None:
        return {"event": DONE, "data": "{}", "id": event_id}
    sparse = isinstance(data, Problem)  # as it would be in a response of its own
    told = data.model_dump_json(exclude_none=sparse)
    return {"event": _NAMES[type(data)], "data": told, "id": event_id}
