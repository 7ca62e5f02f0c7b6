"""Questions to checked answers, whole or as they come about."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from sse_starlette import EventSourceResponse

from api import examples
from api.deps import KB, Asking, JsonOnly
from api.requests import AskIn
from api.schemas import AnswerOut
from api.sse import Question

router = APIRouter(tags=["questions"])

EVENT_STREAM = "text/event-stream"
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A checked answer or a refusal. With `Accept: text/event-stream` the same "
        "as events: status, evidence, sentence, conflict, answer, error, done. The `answer` "
        "event's data is this JSON body. A failure before the search is done has a status of its "
        "own; a later one is an `error` event. A stream that ends without `done` broke off.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": examples.STREAM}},
    }
}


@router.post(
    "/v1/ask",
    response_model=AnswerOut,
    responses=_STREAM,
    dependencies=[JsonOnly],
    summary="Ask a question",
)
async def ask(
    body: AskIn, request: Request, kb: KB, threads: Asking
) -> AnswerOut | EventSourceResponse:
    """Every sentence of the answer has a citation whose quote was checked against the stored
    source. While the chat model is not ready, answers are verbatim quotes (`quoted`)."""
    question = Question(kb, body.to_domain(), request, threads)
    if EVENT_STREAM in request.headers.get("accept", ""):
        return await question.stream()
    return AnswerOut.model_validate(await question.answer())
