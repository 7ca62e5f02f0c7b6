"""Answers on their way, kept so that a reader whose connection broke can read on.

A stream runs as long as somebody reads it. When the last reader leaves it stops at once: the model
is needed by others. So a client that sends its request again, with the `Last-Event-ID` that it saw
last, gets

- the events after that one, where the stream is still running because the break has not been
  noticed here, or has ended within the last minute;
- the stored answer, as `answer` and `done`, where it ended earlier;
- a new answer, where the stream was stopped or nothing was stored. The ids of its events begin with
  another answer's id: what was shown before is void.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from api.errors import problem_of
from api.shown import Sent, named, shown
from kb.errors import WeighbridgeError
from kb.events import Ask, Event, Status

KEPT_SECONDS = 60.0  # after its end
MOST_KEPT = 64  # of those that have ended; each is some ten kilobytes

Corpus = tuple[int, int | None]  # a version, and how it stands (kb.lookup)


class Stream:
    """One question's events, numbered from 1, made by a task of their own. Whoever begins or joins
    a stream is one of its readers until `leave`."""

    def __init__(
        self, answer_id: str, ask: Ask, events: AsyncGenerator[Event], corpus: Corpus
    ) -> None:
        self.answer_id = answer_id
        self.ask = ask
        self.corpus = corpus  # as it stood when the stream began
        self.stopped = False  # because nobody read it any more
        self.void = False  # because a document was deleted that it may quote
        self._readers = 1
        self._sent: list[Sent] = []
        self._found = False
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self._run(events))
        self.task.add_done_callback(lambda _: self._wake())

    def join(self) -> None:
        self._readers += 1

    def leave(self) -> None:
        self._readers -= 1
        if not self._readers:
            self.stop()

    def stop(self) -> None:
        """Nothing happens to a stream that has ended."""
        if not self.task.done():
            self.stopped = True
            self.task.cancel()

    async def found(self) -> None:
        """Returns once the search is done, or the stream was stopped. Raises what the search
        failed with."""
        while not (self._found or self.task.done()):
            await self._changed.wait()
        if not self._found and not self.stopped:
            self.task.result()

    async def after(self, number: int) -> AsyncIterator[Sent]:
        """The events after the one of this number, and in any case the last one. Raises what the
        stream broke off with."""
        place = number
        while True:
            over = self.task.done()
            place = min(place, len(self._sent) - 1) if over else place
            for sent in self._sent[place:]:
                yield sent
                place += 1
            if over:
                break
            if place >= len(self._sent):
                await self._changed.wait()
        if not self.stopped:
            self.task.result()

    async def _run(self, events: AsyncGenerator[Event]) -> None:
        async with aclosing(events):
            try:
                async for event in events:
                    if (data := shown(event)) is not None:
                        self._sent.append(named(data, self._next_id()))
                    self._found |= not isinstance(event, Status)
                    self._wake()
            except WeighbridgeError as error:
                if not self._found:
                    raise
                self._sent.append(named(problem_of(error), self._next_id()))
        self._sent.append(named(None, self._next_id()))

    def _next_id(self) -> str:
        return event_id(self.answer_id, len(self._sent) + 1)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class Streams:
    """Of one server: those that run, and those that ended a short time ago."""

    def __init__(self, kept_seconds: float = KEPT_SECONDS, most_kept: int = MOST_KEPT) -> None:
        self._kept_seconds = kept_seconds
        self._most_kept = most_kept
        self._streams: dict[str, Stream] = {}

    @property
    def running(self) -> int:
        return sum(not stream.task.done() for stream in self._streams.values())

    def begin(
        self, answer_id: str, ask: Ask, events: AsyncGenerator[Event], corpus: Corpus
    ) -> Stream:
        stream = Stream(answer_id, ask, events, corpus)
        self._streams[answer_id] = stream
        stream.task.add_done_callback(lambda _: self._ended(stream))
        return stream

    def join(self, answer_id: str, ask: Ask) -> Stream | None:
        """The stream, if it is there to be read, and of this very question."""
        stream = self._streams.get(answer_id)
        if stream is None or stream.stopped or stream.void or stream.ask != ask:
            return None
        stream.join()
        return stream

    def forget(self) -> None:
        """After a document was deleted: what was said before is not said again."""
        for stream in list(self._streams.values()):
            stream.void = True

    def _ended(self, stream: Stream) -> None:
        if stream.task.cancelled() or stream.task.exception() is not None:
            self._forget(stream.answer_id)
            return
        loop = asyncio.get_running_loop()
        loop.call_later(self._kept_seconds, self._forget, stream.answer_id)
        ended = [i for i, one in self._streams.items() if one.task.done()]
        for oldest in ended[: -self._most_kept]:
            self._forget(oldest)

    def _forget(self, answer_id: str) -> None:
        self._streams.pop(answer_id, None)


def event_id(answer_id: str, number: int) -> str:
    return f"{answer_id}.{number}"
