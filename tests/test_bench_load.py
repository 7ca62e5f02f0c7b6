"""What a load test hears, counts and writes down."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.counted import EVIDENCE, FAULT, HEAD, OUTCOME, WHOLE, Counted
from bench.heard import Heard, hear
from bench.load import section
from bench.memory import Memory, slope, watched


def said(reply: Callable[[httpx.Request], httpx.Response]) -> Heard:
    """One second passes between any two looks at the clock."""
    clock = itertools.count()
    with httpx.Client(base_url="http://kb", transport=httpx.MockTransport(reply)) as client:
        return hear(client, "Who?", lambda: float(next(clock)))


def streamed(*events: tuple[str, Any]) -> Heard:
    text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    return said(lambda request: httpx.Response(200, content=f": ping\n\n{text}".encode()))


def test_an_answers_events_are_timed() -> None:
    heard = streamed(
        ("status", {}),
        ("evidence", {}),
        ("sentence", {}),
        ("sentence", {}),
        ("answer", {"outcome": "answered"}),
        ("done", {}),
    )

    assert (heard.kind, heard.fault) == ("200 answered", False)
    assert 0 < (heard.evidence or 0) < (heard.sentence or 0) < heard.whole


def test_a_stream_without_its_end_is_a_fault() -> None:
    assert streamed(("evidence", {}), ("answer", {"outcome": "answered"})).fault


@pytest.mark.parametrize(("status", "fault"), [(503, False), (429, False), (500, True)])
def test_an_error_in_the_stream_counts_with_its_own_status(status: int, fault: bool) -> None:
    heard = streamed(("evidence", {}), ("error", {"status": status, "code": "x"}), ("done", None))

    assert (heard.kind, heard.fault) == (f"{status} x in the stream", fault)


@pytest.mark.parametrize(
    ("status", "fault"), [(503, False), (429, False), (500, True), (404, True)]
)
def test_a_refusal_is_told_by_its_code(status: int, fault: bool) -> None:
    heard = said(
        lambda _: httpx.Response(status, json={"code": "overloaded"}, headers={"Retry-After": "5"})
    )

    assert (heard.kind, heard.fault) == (f"{status} overloaded", fault)
    assert heard.retry_seconds == 5


def test_a_refusal_that_is_no_problem_says_so() -> None:
    assert said(lambda _: httpx.Response(502, text="<html>")).kind == "502 no problem+json"


def test_a_connection_that_breaks_is_a_fault() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("gone", request=request)

    heard = said(reply)

    assert (heard.kind, heard.fault) == ("ReadError", True)


def entry(kind: str, name: str, times: dict[int, int], start: float, end: float) -> dict[str, Any]:
    told = {str(took): count for took, count in times.items()}
    return {
        "method": kind,
        "name": name,
        "response_times": told,
        "start_time": start,
        "last_request_timestamp": end,
    }


def test_a_row_holds_rate_quantiles_and_every_kind() -> None:
    load = Counted.read(
        4,
        [
            entry(EVIDENCE, EVIDENCE, {100: 19, 900: 1}, 10.0, 69.0),
            entry(WHOLE, WHOLE, {4000: 10, 8000: 10}, 11.0, 70.0),
            entry(OUTCOME, "200 answered", {4000: 20}, 11.0, 70.0),
            entry(OUTCOME, "503 overloaded", {3: 7}, 11.0, 70.0),
            entry(FAULT, "500 broken", {3: 1}, 11.0, 70.0),
        ],
    )

    row = dict(zip(HEAD, load.row(), strict=True))

    assert row["answers a minute"] == "20.0"
    assert row["`evidence`"] == "0.10 / 0.10"
    assert row["whole answer"] == "4.00 / 8.00"
    assert row["first sentence"] == "- / -"
    assert row["what came back"] == "20 × 200 answered, 7 × 503 overloaded"
    assert row["faults"] == "1 × 500 broken"


@given(st.dictionaries(st.integers(1, 10_000), st.integers(1, 50), min_size=1))
def test_quantiles_are_those_of_the_times_written_out(times: dict[int, int]) -> None:
    load = Counted(1, 1.0, {(WHOLE, WHOLE): {float(t): n for t, n in times.items()}})
    written = sorted(t for took, count in times.items() for t in [took] * count)

    for share in (0.5, 0.95, 1.0):
        rank = max(0, -(-int(share * 100) * len(written) // 100) - 1)
        assert load.milliseconds(WHOLE, share) == written[rank]


def test_growth_is_told_by_the_hour() -> None:
    flat_then_growing = [(0.0, 100.0), (3600.0, 150.0), (7200.0, 200.0)]

    assert slope(flat_then_growing) == pytest.approx(50.0)
    assert slope([(0.0, 5.0)]) == 0.0
    assert Memory(flat_then_growing).row()[:3] == ("100 MB", "200 MB", "200 MB")


def test_memory_is_looked_at_until_the_end() -> None:
    def growing() -> Iterator[float]:
        yield from map(float, itertools.count(1))

    sizes = growing()
    with watched(lambda: next(sizes), every=0.001) as seen:
        while len(seen.samples) < 3:
            pass
    count = len(seen.samples)

    assert [size for _, size in seen.samples[:3]] == [1.0, 2.0, 3.0]
    assert len(seen.samples) == count


def test_a_section_is_made_anew_and_the_others_stay() -> None:
    text = "# Results\n\n## Load\n\nold\n\n## Ingest\n\nkept\n"

    once = section(text, "Load", ["new"])
    more = section(once, "Memory under load", ["flat"])

    assert once == "# Results\n\n## Load\n\nnew\n\n## Ingest\n\nkept\n"
    assert section(once, "Load", ["new"]) == once
    assert more == f"{once}\n## Memory under load\n\nflat\n"
    assert section("", "Load", ["new"]) == "## Load\n\nnew\n"
