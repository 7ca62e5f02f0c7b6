"""A question that was asked through OpenAI's interface, and its answer, whole or in chunks."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from anyio import to_thread
from sse_starlette import EventSourceResponse
from starlette.requests import Request

from api import openai_errors
from api.desk import Desk
from api.envelope import id_of
from api.errors import problem_of
from api.openai_content import content, passed
from api.openai_schemas import (
    MODEL,
    ChatMessageOut,
    ChoiceOut,
    CompletionIn,
    CompletionOut,
    UsageOut,
)
from api.schemas import AnswerOut
from api.sse import ENDING_SECONDS, PING_SECONDS, Question
from kb.errors import RevisionNotFound, WeighbridgeError
from kb.events import Answered, Event, SentencePassed, Status
from kb.wiring import KnowledgeBase

DONE = "[DONE]"


class Completion(Question):
    """Both ways give the same content and the same structured answer."""

    def __init__(self, kb: KnowledgeBase, body: CompletionIn, request: Request, desk: Desk) -> None:
        super().__init__(kb, body.to_domain(), request, desk)
        self._body = body
        self._id = f"chatcmpl-{id_of(request.scope)}"
        self._created = int(time.time())

    async def whole(self) -> CompletionOut:
        """Raises what the knowledge base raises."""
        answer = await self.answer()
        text = content(answer)
        message = ChatMessageOut(content=text, weighbridge=AnswerOut.model_validate(answer))
        return CompletionOut(
            id=self._id,
            created=self._created,
            choices=[ChoiceOut(message=message)],
            usage=await self._usage(text),
        )

    async def chunks(self) -> EventSourceResponse:
        """Raises what goes wrong before and during the search; what goes wrong later is told in
        the stream."""
        return EventSourceResponse(
            self._encoded(await _searched(self._events())),
            ping=PING_SECONDS,
            sep="\n",
            shutdown_grace_period=ENDING_SECONDS,
        )

    async def _encoded(self, events: AsyncGenerator[Event]) -> AsyncIterator[dict[str, str]]:
        async with aclosing(events):
            try:
                async for chunk in self._told(events):
                    yield {"data": _json(chunk)}
            except WeighbridgeError as error:
                told = problem_of(error)
                yield {"data": _json(openai_errors.error(told.status, told.detail, told.code))}
        yield {"data": DONE}

    async def _told(self, events: AsyncIterator[Event]) -> AsyncIterator[dict[str, Any]]:
        """A chunk a checked sentence; then the sources; then the end, with the whole answer."""
        yield self._chunk({"role": "assistant", "content": ""})
        said = ""
        async for event in events:
            if isinstance(event, SentencePassed):
                piece = passed(event, said)
                said += piece
                yield self._chunk({"content": piece})
            elif isinstance(event, Answered):
                text = content(event.answer)
                if not text.startswith(said):  # it began once more, and what was sent stays sent
                    raise RevisionNotFound(
                        "a document that this answer had quoted was deleted meanwhile; ask again"
                    )
                if text != said:
                    yield self._chunk({"content": text.removeprefix(said)})
                answer = AnswerOut.model_validate(event.answer).model_dump(mode="json")
                yield self._chunk({"weighbridge": answer}, "stop")
                if self._body.wants_usage:
                    usage = await self._usage(text)
                    yield {**self._chunk(), "usage": usage.model_dump()}

    def _chunk(
        self, delta: dict[str, Any] | None = None, finish_reason: str | None = None
    ) -> dict[str, Any]:
        """Without a delta: one that has no choices, as the one with the usage is."""
        choice = {
            "index": 0,
            "delta": delta,
            "logprobs": None,
            "finish_reason": finish_reason,
        }
        usage = {"usage": None} if self._body.wants_usage else {}
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": MODEL,
            "choices": [] if delta is None else [choice],
            **usage,
        }

    async def _usage(self, text: str) -> UsageOut:
        """Tokens as the encoder counts them: how many the chat model read and wrote to get there
        is no measure of what was sent and received."""

        def count() -> tuple[int, int]:
            counted = self._kb.embedder.token_count
            return sum(counted(one.content) for one in self._body.messages), counted(text)

        sent, received = await to_thread.run_sync(count, limiter=self._desk.threads)
        return UsageOut(
            prompt_tokens=sent, completion_tokens=received, total_tokens=sent + received
        )


async def _searched(events: AsyncGenerator[Event]) -> AsyncGenerator[Event]:
    """The same events, once the search has succeeded. Raises what it fails with."""
    first = [await anext(events)]
    while isinstance(first[-1], Status):
        first.append(await anext(events))

    async def again() -> AsyncGenerator[Event]:
        async with aclosing(events):
            for event in first:
                yield event
            async for event in events:
                yield event

    return again()


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
