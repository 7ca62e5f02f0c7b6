"""Questions to checked answers, whole or as they come about."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse

from api import examples
from api.deps import KB, Asking, JsonOnly, Streaming
from api.described import REFUSED
from api.requests import AskIn
from api.schemas import AnswerOut
from api.sse import Question, resumed

router = APIRouter(tags=["questions"])

EVENT_STREAM = "text/event-stream"
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A checked answer or a refusal. With `Accept: text/event-stream` the same "
        "as events: status, evidence, sentence, conflict, answer, error, done. The `answer` "
        "event's data is this JSON body. A failure before the search is done has a status of its "
        "own; a later one is an `error` event. Where a document that it rests on is deleted "
        "meanwhile, it begins once more: a second `searching` voids what came before. A stream "
        "that ends without `done` broke off: send the request again with "
        "`Last-Event-ID` for the rest. Where the ids of what comes begin "
        "with another answer's id, it is a new answer, and what was shown before is void.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": examples.STREAM}},
    }
}


@router.post(
    "/v1/ask",
    response_model=AnswerOut,
    responses={**_STREAM, 404: REFUSED},
    dependencies=[JsonOnly],
    summary="Ask a question",
)
async def ask(
    body: AskIn,
    request: Request,
    kb: KB,
    desk: Asking,
    streams: Streaming,
    last_event_id: Annotated[
        str | None, Header(description="Of a stream that broke off: the last event's id.")
    ] = None,
) -> AnswerOut | EventSourceResponse:
    """Every sentence of the answer has a citation whose quote was checked against the stored
    source. While the chat model is not ready, answers are verbatim quotes (`quoted`).

    With a `conversation_id` and no `history` the stored turns of that conversation are the history;
    an id that is new begins a conversation. Choose ids that can't be guessed: who knows one can
    read its conversation."""
    asked = body.to_domain()
    if EVENT_STREAM in request.headers.get("accept", ""):
        rest = await resumed(kb, asked, last_event_id, streams)
        return rest or await Question(kb, asked, request, desk).stream(streams)
    return AnswerOut.model_validate(await Question(kb, asked, request, desk).answer())
