"""The one bridge from the knowledge base, which blocks, to the event loop, which must not."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel
from sse_starlette import EventSourceResponse
from starlette.requests import Request

from api.envelope import id_of
from api.errors import Problem, problem_of
from api.schemas import AnswerOut, ConflictOut, EvidenceOut, SentenceOut, StatusOut
from kb.errors import WeighbridgeError
from kb.events import (
    Answered,
    Ask,
    ConflictFound,
    Event,
    EvidenceFound,
    Judged,
    SentencePassed,
    SentenceWithheld,
    Status,
)
from kb.types import Answer
from kb.wiring import KnowledgeBase

log = logging.getLogger("weighbridge.api")

PING_SECONDS = 10  # proxies give up on silence; the longest one is a long prompt being read
ENDING_SECONDS = 8  # for streams under way when the server stops; less than the server itself waits


class Question:
    """One question on its way, each step of it in a worker thread.

    `gone` tells the knowledge base to stop: set when the client leaves, when the request is
    cancelled, and at the end.
    """

    def __init__(
        self, kb: KnowledgeBase, ask: Ask, request: Request, threads: CapacityLimiter
    ) -> None:
        self._gone = threading.Event()
        self._steps: Iterator[Event] = kb.events(ask, self._gone.is_set)
        self._request = request
        self._threads = threads

    async def answer(self) -> Answer:
        """The whole answer. Raises what the knowledge base raises."""
        async with self._watching():
            events = [event async for event in self._events()]
        assert isinstance(events[-1], Answered)
        return events[-1].answer

    async def stream(self) -> EventSourceResponse:
        """The answer as it comes about. Raises what goes wrong before and during the search;
        what goes wrong later becomes an `error` event."""
        events = self._events()
        first = [await anext(events)]
        while isinstance(first[-1], Status):
            first.append(await anext(events))
        return EventSourceResponse(
            _encoded(first, events),
            ping=PING_SECONDS,
            sep="\n",
            shutdown_grace_period=ENDING_SECONDS,
        )

    async def _events(self) -> AsyncGenerator[Event]:
        """Logs one line at the end, without the question."""
        started = time.monotonic()
        outcome, figures = "broken", ""
        try:
            while (event := await self._next()) is not None:
                if isinstance(event, Answered):
                    outcome = "gone" if self._gone.is_set() else "ok"
                    figures = _figures(event.answer)
                yield event
        except WeighbridgeError as error:
            outcome, figures = "failed", f"code={error.code} "
            raise
        except (asyncio.CancelledError, GeneratorExit):
            outcome = outcome if figures else "gone"
            raise
        finally:
            self._gone.set()
            total = round(1000 * (time.monotonic() - started))
            request_id = id_of(self._request.scope)
            log.info("ask %s request=%s %stotal_ms=%d", outcome, request_id, figures, total)

    async def _next(self) -> Event | None:
        """Abandoned when cancelled: the thread sees `gone` and ends by itself."""
        return await to_thread.run_sync(
            next, self._steps, None, abandon_on_cancel=True, limiter=self._threads
        )

    @asynccontextmanager
    async def _watching(self) -> AsyncIterator[None]:
        """Only for whole answers: a stream is watched by its response, which cancels it."""

        async def watch() -> None:
            while (await self._request.receive())["type"] != "http.disconnect":
                pass
            self._gone.set()

        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()


async def _encoded(
    first: Sequence[Event], rest: AsyncGenerator[Event]
) -> AsyncIterator[dict[str, str]]:
    async with aclosing(rest):
        try:
            async for event in _chained(first, rest):
                if (data := _shown(event)) is not None:
                    yield _named(data)
        except WeighbridgeError as error:
            yield _named(problem_of(error))
    yield {"event": "done", "data": "{}"}


async def _chained(first: Sequence[Event], rest: AsyncIterator[Event]) -> AsyncIterator[Event]:
    for event in first:
        yield event
    async for event in rest:
        yield event


def _shown(event: Event) -> BaseModel | None:
    """What a reader gets of an event. The answer is the JSON body of the same question."""
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


def _named(data: BaseModel) -> dict[str, str]:
    sparse = isinstance(data, Problem)  # as it would be in a response of its own
    return {"event": _NAMES[type(data)], "data": data.model_dump_json(exclude_none=sparse)}


def _figures(answer: Answer) -> str:
    """How it went, in numbers: what was asked and said is private."""
    timings = {f"{name}_ms": ms for name, ms in answer.timings_ms.items() if name != "total"}
    figures = {
        "outcome": answer.outcome,
        "reason": answer.reason,
        "cited": len(answer.citations),
        "withheld": answer.withheld,
        **timings,
    }
    return "".join(f"{name}={value} " for name, value in figures.items() if value is not None)
