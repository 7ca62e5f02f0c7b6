"""One question asked as a stream, and when what of its answer was heard."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

EXPECTED = (200, 429, 503)  # what a server that has too much to do may say
BROKEN = "broke off"
_STREAM = {"Accept": "text/event-stream"}


@dataclass(frozen=True, slots=True)
class Heard:
    """Milliseconds since the question was sent; None for what never came. what: the answer's
    outcome, a problem's code, or what broke. retry_seconds: as the server asked for."""

    status: int
    what: str
    whole: float
    evidence: float | None = None
    sentence: float | None = None
    retry_seconds: float = 0.0

    @property
    def fault(self) -> bool:
        return self.status not in EXPECTED or self.what == BROKEN

    @property
    def kind(self) -> str:
        return f"{self.status} {self.what}" if self.status else self.what


def hear(
    client: httpx.Client, question: str, now: Callable[[], float] = time.perf_counter
) -> Heard:
    """Raises nothing that the other side is to blame for: that is what is counted."""
    started = now()

    def since() -> float:
        return 1000 * (now() - started)

    try:
        with client.stream("POST", "/v1/ask", json={"question": question}, headers=_STREAM) as got:
            if got.status_code != 200:
                return _refused(got, since())
            return _streamed(got, since)
    except httpx.TransportError as error:
        return Heard(0, type(error).__name__, since())


def _refused(got: httpx.Response, whole: float) -> Heard:
    got.read()
    try:
        code = str(got.json()["code"])
    except (ValueError, LookupError, TypeError):
        code = "no problem+json"
    wait = got.headers.get("retry-after", "0")
    return Heard(got.status_code, code, whole, retry_seconds=float(wait))


def _streamed(got: httpx.Response, since: Callable[[], float]) -> Heard:
    first: dict[str, float] = {}
    status, what = 200, BROKEN
    for event, data in _events(got.iter_lines()):
        first.setdefault(event, since())
        if event == "answer":
            what = json.loads(data)["outcome"]
        elif event == "error":
            problem = json.loads(data)
            status, what = problem["status"], f"{problem['code']} in the stream"
    if "done" not in first:
        what = BROKEN
    return Heard(status, what, since(), first.get("evidence"), first.get("sentence"))


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """(name, data) of server-sent events, each as soon as its empty line is here."""
    event, data = "", ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            event = value
        elif field == "data":
            data = value
        elif not line and event:
            yield event, data
            event, data = "", ""
