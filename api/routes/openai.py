"""What clients of OpenAI's chat completions need."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from sse_starlette import EventSourceResponse

from api import examples
from api.completion import Completion
from api.deps import KB, Asking, JsonOnly
from api.described import REFUSED
from api.openai_schemas import (
    MODEL,
    CompletionIn,
    CompletionOut,
    ErrorOut,
    ModelCardOut,
    ModelCardsOut,
)
from kb.errors import UnknownModel

_FAILURE: dict[int | str, dict[str, Any]] = {
    "default": {"model": ErrorOut, "description": "Any failure, as OpenAI's clients read it."}
}
router = APIRouter(tags=["openai"], responses=_FAILURE)

EVENT_STREAM = "text/event-stream"
SHOWN = 100  # characters of a name that nobody has

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A chat completion; with `stream: true` its chunks as server-sent events.",
        "content": {EVENT_STREAM: {"schema": {"type": "string"}, "example": examples.CHUNKS}},
    }
}


@router.post(
    "/v1/chat/completions",
    response_model=CompletionOut,
    responses={**_STREAM, 404: REFUSED},
    dependencies=[JsonOnly],
    summary="Ask a question as OpenAI's clients do",
)
async def complete(
    body: CompletionIn, request: Request, kb: KB, desk: Asking
) -> CompletionOut | EventSourceResponse:
    """The answer's text with its `[n]` markers and a list of its sources is the message's content;
    the answer as `/v1/ask` gives it, with every quote, is its field `weighbridge`. In a stream each
    chunk of content is a checked sentence with its markers, the next to last one is the list of
    sources, and the delta that has the `finish_reason` has the field `weighbridge`.

    A refusal is a message like any other: its `weighbridge.outcome` is `refused`.

    Refused with status 400: `n` above 1, `tools`, `functions`, `logprobs`, `top_logprobs`, `audio`,
    `web_search_options`, every `response_format` but text, and messages with anything but text.
    Accepted without effect: `system` and `developer` messages, `temperature`, `top_p`,
    `max_tokens`, `max_completion_tokens`, `seed`, `stop`, `user`, `store` and all others: an answer
    is as long as what the sources state, and is the same each time.

    Errors have OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`."""
    _known(body.model)
    completion = Completion(kb, body, request, desk)
    return await (completion.chunks() if body.stream else completion.whole())


@router.get("/v1/models", summary="List the one model")
async def models() -> ModelCardsOut:
    """For clients that choose from a list: the knowledge base is a model to them."""
    return ModelCardsOut(data=[_card()])


@router.get("/v1/models/{model_id:path}", summary="The one model")
async def model(model_id: str) -> ModelCardOut:
    """The entry of the list that has this id."""
    _known(model_id)
    return _card()


def _card() -> ModelCardOut:
    return ModelCardOut(created=int(time.time()))


def _known(name: str) -> None:
    if name != MODEL:
        raise UnknownModel(f"no model is called {name[:SHOWN]!r}; the one to ask is {MODEL!r}")
