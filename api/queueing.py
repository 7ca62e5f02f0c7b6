"""The line before the chat model: bounded, and fair between those who ask."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from typing import Literal

from starlette.requests import Request

from api.limits import address_of
from kb.errors import Overloaded

RESERVED = 4  # one place in so many is for askers who have nobody in the line


class Line:
    """At most `at_once` questions are with the model, and at most `most` on their way to it; the
    askers take turns. Of one event loop."""

    def __init__(self, at_once: int, most: int) -> None:
        self._at_once = at_once
        self._most = most
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()  # who is next comes first
        self._held: dict[str, int] = {}  # places on the way, by asker
        self.running = 0

    @property
    def waiting(self) -> int:
        """Those being searched included: they have a place in the line."""
        return sum(self._held.values())

    def join(self, asker: str) -> Ticket:
        """A place in the line, to be closed in any case. Raises Overloaded."""
        known = asker in self._held
        most = self._most - self._most // RESERVED if known else self._most
        if self.waiting >= most:
            raise Overloaded(
                f"{self.waiting} questions are waiting already: ask again in a moment, or have the "
                "operator raise KB_QUEUE"
            )
        self._held[asker] = self._held.get(asker, 0) + 1
        return Ticket(self, asker)

    # -- for tickets -------------------------------------------------------------------------------

    def stand(self, ticket: Ticket) -> None:
        self._waiting.setdefault(ticket.asker, deque()).append(ticket)
        self._call()

    def go(self, ticket: Ticket) -> None:
        """It waits no longer."""
        mine = self._waiting.get(ticket.asker, deque())
        if ticket in mine:
            mine.remove(ticket)
        if not mine:
            self._waiting.pop(ticket.asker, None)
        self._forget(ticket.asker)

    def free(self) -> None:
        """One that was with the model has ended."""
        self.running -= 1
        self._call()

    def _call(self) -> None:
        """Gives what is free to the next ones."""
        while self.running < self._at_once and self._waiting:
            asker, tickets = self._waiting.popitem(last=False)
            ticket = tickets.popleft()
            if tickets:
                self._waiting[asker] = tickets  # behind all others
            self._forget(asker)
            self.running += 1
            ticket.call()

    def _forget(self, asker: str) -> None:
        self._held[asker] -= 1
        if not self._held[asker]:
            del self._held[asker]


class Ticket:
    """One question's place: on its way to the model, then with it, then neither."""

    def __init__(self, line: Line, asker: str) -> None:
        self._line = line
        self._decided = asyncio.Event()
        self.asker = asker
        self.state: Literal["on its way", "with the model", "gone"] = "on its way"

    async def turn(self, seconds: float) -> bool:
        """Whether the model was free within that time, and nobody closed the ticket meanwhile.
        Where it was not, the place is given up."""
        self._line.stand(self)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._decided.wait()
        if self.state != "with the model":
            self.close()
        return self.state == "with the model"

    def call(self) -> None:
        self.state = "with the model"
        self._decided.set()

    def close(self) -> None:
        """Makes room, wherever it stands. A second time does nothing."""
        before, self.state = self.state, "gone"
        if before == "on its way":
            self._line.go(self)
        elif before == "with the model":
            self._line.free()
        self._decided.set()


def asker_of(request: Request) -> str:
    """Whose turn it is: the key's or, without one, the address's."""
    caller = request.scope["state"].get("caller")
    return str(caller.id) if caller else address_of(request.client)
