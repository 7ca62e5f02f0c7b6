"""Locust's file for `bench.load`: readers who ask again once they are answered, and one who
searches meanwhile. Each comes from a loopback address of its own: the line is fair by address."""

from __future__ import annotations

import itertools
import random
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import gevent
import httpx
from locust import User, events

from bench.counted import EVIDENCE, FAULT, OUTCOME, SEARCH, SENTENCE, WHOLE
from bench.heard import Heard, hear
from bench.questions import load

QUESTIONS = Path(__file__).parent / "data" / "seen.jsonl"
PATIENCE = 90.0  # seconds without a byte, after which a reader gives up: a fault
SEARCH_PAUSE = 1.0
LONGEST_RETRY = 10.0  # seconds that a refused reader waits at most, whatever the server asked for

_numbers = itertools.count(2)


def add_pause(parser: ArgumentParser, **_: Any) -> None:
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between two questions")


events.init_command_line_parser.add_listener(add_pause)


class Reader(User):  # type: ignore[misc]  # Locust is in an extra, and not there when types are checked
    abstract = True

    def on_start(self) -> None:
        number = next(_numbers)
        own = httpx.HTTPTransport(local_address=f"127.0.{number >> 8}.{number & 255}")
        self.client = httpx.Client(base_url=self.host, transport=own, timeout=PATIENCE)
        self.chance = random.Random(number)
        self.asked = [str(item["question"]) for item in load(QUESTIONS) if item.get("question")]

    def on_stop(self) -> None:
        self.client.close()

    def tell(self, kind: str, name: str, took: float, fault: str | None = None) -> None:
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            response_time=took,
            response_length=0,
            exception=RuntimeError(fault) if fault else None,
            context={},
        )


class Asker(Reader):
    def ask(self) -> None:
        heard = hear(self.client, self.chance.choice(self.asked))
        self.told(heard)
        gevent.sleep(min(heard.retry_seconds, LONGEST_RETRY))
        gevent.sleep(self.environment.parsed_options.pause)

    tasks = (ask,)

    def told(self, heard: Heard) -> None:
        self.tell(FAULT if heard.fault else OUTCOME, heard.kind, heard.whole)
        if heard.status != 200 or heard.fault:
            return
        for name, took in ((EVIDENCE, heard.evidence), (SENTENCE, heard.sentence)):
            if took is not None:
                self.tell(name, name, took)
        self.tell(WHOLE, WHOLE, heard.whole)


class Searcher(Reader):
    fixed_count = 1

    def search(self) -> None:
        started = time.perf_counter()
        try:
            body = {"question": self.chance.choice(self.asked)}
            status = self.client.post("/v1/search", json=body).status_code
        except httpx.TransportError as error:
            self.tell(FAULT, f"search: {type(error).__name__}", 0)
            return
        took = 1000 * (time.perf_counter() - started)
        self.tell(SEARCH if status == 200 else FAULT, f"search {status}", took)
        gevent.sleep(SEARCH_PAUSE)

    tasks = (search,)
