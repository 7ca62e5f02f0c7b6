"""The one bridge from the knowledge base, which blocks, to the event loop, which must not."""

from __future__ import annotations

import asyncio
import re
import threading
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager, closing
from dataclasses import replace

from anyio import to_thread
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from api.account import Account, End
from api.desk import Desk
from api.envelope import id_of
from api.queueing import Ticket, asker_of
from api.schemas import AnswerOut
from api.shown import Sent, named
from api.streams import Corpus, Stream, Streams, event_id
from kb.errors import AnswerNotFound, WeighbridgeError
from kb.events import Answered, Ask, Event, EvidenceFound, Status
from kb.types import Answer
from kb.wiring import KnowledgeBase

PING_SECONDS = 10  # proxies give up on silence; the longest one is a long prompt being read
ENDING_SECONDS = 8  # for streams under way when the server stops; less than the server itself waits
_EVENT_ID = re.compile(r"([0-9a-f]{32})\.([0-9]{1,6})")


class Question:
    """One question on its way, each step of it in a worker thread.

    `gone` tells the knowledge base to stop: set when the client leaves, when the request is
    cancelled, and at the end.
    """

    def __init__(self, kb: KnowledgeBase, ask: Ask, request: Request, desk: Desk) -> None:
        self._gone = threading.Event()
        self._kb = kb
        self._ask = ask
        self._answer_id = uuid.uuid4().hex
        self._steps: Iterator[Event] = kb.events(ask, self._gone.is_set, self._answer_id)
        self._request = request
        self._desk = desk
        self._ticket: Ticket | None = None

    async def answer(self) -> Answer:
        """The whole answer. Raises what the knowledge base raises."""
        async with self._watching():
            events = [event async for event in self._events()]
        assert isinstance(events[-1], Answered)
        return events[-1].answer

    async def stream(self, streams: Streams) -> EventSourceResponse:
        """The answer as it comes about. Raises what goes wrong before and during the search;
        what goes wrong later becomes an `error` event."""
        corpus = await to_thread.run_sync(_corpus, self._kb, self._ask)
        stream = streams.begin(self._answer_id, self._ask, self._events(), corpus)
        with ExitStack() as unread:
            unread.callback(stream.leave)
            async with self._watching(stream):
                await stream.found()
            unread.pop_all()
        return Reading(stream, 0)

    async def _events(self) -> AsyncGenerator[Event]:
        """Tells at the end how it went. Raises Overloaded before the first event."""
        account = self._desk.account(id_of(self._request.scope))
        end: End = "broken"
        try:
            async with aclosing(self._in_turn(account)) as steps:
                async for event in steps:
                    account.saw(event)
                    if isinstance(event, Answered):
                        end = "gone" if self._gone.is_set() else "ok"
                    yield event
        except WeighbridgeError as error:
            end = "failed"
            account.failed(error)
            raise
        except (asyncio.CancelledError, GeneratorExit):
            end = "gone" if end == "broken" else end
            raise
        finally:
            self._gone.set()
            account.close(end)

    async def _in_turn(self, account: Account) -> AsyncGenerator[Event]:
        """The steps; before the first one that needs the model it waits for its turn, but not
        longer than it may take: after that the knowledge base goes on without the model."""
        self._ticket = self._desk.line.join(asker_of(self._request))
        with closing(self._ticket) as ticket:
            began = 0.0
            while (event := await self._next()) is not None:
                if isinstance(event, Status) and event.stage == "searching":
                    began = time.monotonic()  # no earlier than the knowledge base's own clock
                elif isinstance(event, EvidenceFound) and event.recalled:
                    ticket.close()
                elif isinstance(event, Status) and event.stage == "reading":
                    event = await self._waited(event, ticket, began, account)
                yield event

    async def _waited(
        self, event: Status, ticket: Ticket, began: float, account: Account
    ) -> Status:
        if ticket.state != "on its way":
            return event
        started = time.monotonic()
        await ticket.turn(began + self._desk.seconds - started)
        account.waited = time.monotonic() - started
        return replace(event, milliseconds=event.milliseconds + round(1000 * account.waited))

    async def _next(self) -> Event | None:
        """Abandoned when cancelled: the thread sees `gone` and ends by itself."""
        return await to_thread.run_sync(
            next, self._steps, None, abandon_on_cancel=True, limiter=self._desk.threads
        )

    @asynccontextmanager
    async def _watching(self, stream: Stream | None = None) -> AsyncIterator[None]:
        """While no response has begun, which watches its client itself."""

        async def watch() -> None:
            while (await self._request.receive())["type"] != "http.disconnect":
                pass
            self._gone.set()
            if self._ticket is not None:
                self._ticket.close()
            if stream is not None:
                stream.stop()

        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()


class Sending(EventSourceResponse):
    """Events, as they come."""

    def __init__(self, events: AsyncIterator[Sent]) -> None:
        super().__init__(events, ping=PING_SECONDS, sep="\n", shutdown_grace_period=ENDING_SECONDS)


class Reading(Sending):
    """A stream's events, to one of its readers."""

    def __init__(self, stream: Stream, after: int) -> None:
        super().__init__(stream.after(after))
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A reader may be gone before the first event is asked for."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._stream.leave()


async def resumed(
    kb: KnowledgeBase, ask: Ask, last_event_id: str | None, streams: Streams
) -> EventSourceResponse | None:
    """What a client that has seen this event of this question has not; None where that is neither
    kept nor stored."""
    known = _EVENT_ID.fullmatch(last_event_id or "")
    if known is None:
        return None
    answer_id, number = known[1], int(known[2])
    stream = streams.join(answer_id, ask)
    if stream is not None:
        if await to_thread.run_sync(kb.lookup.standing, stream.corpus[0]) == stream.corpus[1]:
            return Reading(stream, number)
        stream.void = True  # another replica deleted a document: what was said is not said again
        stream.leave()
    answer = await to_thread.run_sync(_stored, kb, answer_id, ask)
    if answer is None:
        return None
    return Sending(_ending(answer, number))


def _corpus(kb: KnowledgeBase, ask: Ask) -> Corpus:
    version = ask.corpus_version or kb.catalog.current_version()
    return version, kb.lookup.standing(version)


def _stored(kb: KnowledgeBase, answer_id: str, ask: Ask) -> Answer | None:
    try:
        answer = kb.journal.answer(answer_id).answer
    except AnswerNotFound:
        return None
    same = ask.conversation_id in (None, answer.conversation_id)
    return answer if same and answer.question == ask.question else None


async def _ending(answer: Answer, number: int) -> AsyncIterator[Sent]:
    yield named(AnswerOut.model_validate(answer), event_id(answer.id, number + 1))
    yield named(None, event_id(answer.id, number + 2))
