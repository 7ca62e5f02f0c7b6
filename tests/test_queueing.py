"""The line before the chat model: bounded, and fair between those who ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.auth import Caller
from api.queueing import Line, Ticket, asker_of
from kb.errors import Overloaded


async def stood(line: Line, asker: str, order: list[str] | None = None) -> asyncio.Task[bool]:
    """A ticket that has joined and stands in the line."""
    ticket = line.join(asker)

    async def wait() -> bool:
        called = await ticket.turn(60)
        if order is not None:
            order.append(asker)
            ticket.close()
        return called

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    return task


def test_askers_take_turns() -> None:
    async def run() -> list[str]:
        line, order = Line(1, 100), list[str]()
        busy = line.join("someone")
        assert await busy.turn(60)
        tasks = [await stood(line, asker, order) for asker in "aaaabbc"]
        busy.close()
        await asyncio.gather(*tasks)
        return order

    assert "".join(asyncio.run(run())) == "abcabaa"


def test_one_more_than_may_wait_is_refused_at_once() -> None:
    async def run() -> Line:
        line = Line(1, 8)
        for number in range(8):
            line.join(f"asker {number}")
        with pytest.raises(Overloaded, match="KB_QUEUE"):
            line.join("another")
        return line

    assert asyncio.run(run()).waiting == 8


def test_one_asker_can_not_take_every_place() -> None:
    async def run() -> int:
        line = Line(1, 8)
        for _ in range(6):
            line.join("greedy")
        with pytest.raises(Overloaded):
            line.join("greedy")
        line.join("modest")
        return line.waiting

    assert asyncio.run(run()) == 7


def test_who_waited_long_enough_goes_on_without_the_model() -> None:
    async def run() -> tuple[bool, int, int]:
        line = Line(1, 8)
        await line.join("first").turn(1)
        late = await line.join("second").turn(0.01)
        return late, line.waiting, line.running

    assert asyncio.run(run()) == (False, 0, 1)


def test_a_closed_ticket_ends_the_wait_and_lets_the_next_one_pass() -> None:
    async def run() -> tuple[bool, bool]:
        line = Line(1, 8)
        busy = line.join("a")
        await busy.turn(1)
        leaving, staying = line.join("b"), line.join("c")
        waits = [asyncio.create_task(ticket.turn(60)) for ticket in (leaving, staying)]
        await asyncio.sleep(0)
        leaving.close()
        leaving.close()
        busy.close()
        left, stayed = await asyncio.gather(*waits)
        return left, stayed

    assert asyncio.run(run()) == (False, True)


STEPS = st.lists(st.tuples(st.sampled_from("join stand close cancel".split()), st.integers(0, 9)))


@given(STEPS, st.integers(1, 3), st.integers(1, 6))
def test_no_place_is_lost_or_made_up(steps: list[tuple[str, int]], at_once: int, most: int) -> None:
    async def run() -> None:
        line = Line(at_once, most)
        tickets: list[Ticket] = []
        waits: dict[int, asyncio.Task[bool]] = {}
        for step, which in steps:
            if step == "join":
                try:
                    tickets.append(line.join("abc"[which % 3]))
                except Overloaded:
                    assert line.waiting >= most - most // 4
            elif which < len(tickets):
                ticket = tickets[which]
                if step == "stand" and which not in waits and ticket.state == "on its way":
                    waits[which] = asyncio.create_task(ticket.turn(60))
                elif step == "close":
                    ticket.close()
                elif step == "cancel" and which in waits:
                    waits[which].cancel()
                    ticket.close()
            await asyncio.sleep(0)
            assert line.running == sum(t.state == "with the model" for t in tickets) <= at_once
            assert line.waiting == sum(t.state == "on its way" for t in tickets) <= most
        for ticket in tickets:
            ticket.close()
        await asyncio.gather(*waits.values(), return_exceptions=True)
        assert (line.running, line.waiting) == (0, 0)

    asyncio.run(run())


def test_an_asker_is_a_key_or_an_address() -> None:
    scope: dict[str, Any] = {"type": "http", "state": {}, "client": ("10.1.2.3", 5000)}
    keyed = {**scope, "state": {"caller": Caller("key:k1", frozenset(), True)}}

    assert asker_of(Request(scope)) == "address:10.1.2.3"
    assert asker_of(Request(keyed)) == "key:k1"
