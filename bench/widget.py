"""`python -m bench.widget`: what a reader of the widget waits for, over HTTP from a real server.

The server is `kb serve` over the corpus, with the chat model of the settings loaded and the answer
cache off. Bytes are those of the files that a page loads.
"""

from __future__ import annotations

import gzip
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import date

import httpx
import numpy as np

from bench.heard import hear
from bench.server import running
from bench.serving import QUESTIONS
from kb.settings import load_settings

FILES = ("widget.js", "widget.css")
ROUNDS = 10  # of all questions
PATIENCE = 120.0  # seconds
# A question whose reader has gone may be worked on for so long: it isn't to slow the next one.
SECONDS_TO_STOP = 1.0
STREAM = {"Accept": "text/event-stream"}

Row = tuple[str, str]


def main() -> None:
    settings = load_settings()
    with (
        running(settings, KB_ANSWER_CACHE="0") as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        rows = [*size(client), *waiting(client, QUESTIONS, ROUNDS)]
    sys.stdout.write("\n".join([*head(settings.model), *table(rows)]) + "\n")


def head(model: str) -> list[str]:
    return [
        "",
        "## Chat",
        "",
        f"`python -m bench.widget` on {date.today().isoformat()}: {os.cpu_count()} cores "
        f"({platform.machine()}), chat model {model}. Milliseconds and seconds are a client's, "
        "from sending the question.",
        "",
    ]


def table(rows: Sequence[Row]) -> list[str]:
    return ["| what | measured |", "|---|---|", *(f"| {what} | {told} |" for what, told in rows)]


def size(client: httpx.Client) -> Iterator[Row]:
    """As they are served, and what a server in front that compresses makes of them."""
    files = [client.get(f"/{name}").raise_for_status().content for name in FILES]
    packed = [len(gzip.compress(file, mtime=0)) for file in files]
    for name, file, small in zip(FILES, files, packed, strict=True):
        yield f"`{name}`, bytes / gzipped", f"{len(file):,} / {small:,}"
    whole = f"{sum(map(len, files)):,} / {sum(packed):,}"
    yield "both (goal: gzipped below 30,000)", whole


def waiting(
    client: httpx.Client, questions: Sequence[str], rounds: int, pause: float = SECONDS_TO_STOP
) -> Iterator[Row]:
    """Until the passages are there, and until the first checked sentence is."""
    for question in questions:
        evidence(client, question)  # the server is warm
        time.sleep(pause)
    found = []
    for _ in range(rounds):
        for question in questions:
            found.append(evidence(client, question))
            time.sleep(pause)
    told = f"{np.quantile(found, 0.5):.0f} / {np.quantile(found, 0.95):.0f} ms"
    yield f"to `evidence`, p50 / p95 of {len(found)} (goal: 150 ms)", told
    heard = [hear(client, question) for question in questions]
    first = [one.sentence / 1000 for one in heard if one.sentence is not None]
    middle = f"{np.median(first):.1f} s" if first else "none came"
    yield f"to the first checked sentence, p50 of {len(first)}", middle
    whole = [one.whole / 1000 for one in heard]
    yield f"to the whole answer, p50 of {len(whole)}", f"{np.median(whole):.1f} s"


def evidence(client: httpx.Client, question: str) -> float:
    """Milliseconds until that event is here; the rest isn't waited for. Raises RuntimeError where
    none comes, HTTPStatusError."""
    started = time.perf_counter()
    with client.stream("POST", "/v1/ask", json={"question": question}, headers=STREAM) as response:
        for line in response.raise_for_status().iter_lines():
            if line == "event: evidence":
                return 1000 * (time.perf_counter() - started)
    raise RuntimeError(f"no evidence came for: {question}")


if __name__ == "__main__":
    main()
