"""Figures for Prometheus. Labels are out of small fixed sets: stages, outcomes, routes."""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Count
from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.account import Story
from api.queueing import Line
from ingest.job import State
from ingest.jobs import MOST_ENDED, MOST_WAITING, Jobs
from kb.errors import WeighbridgeError
from kb.wiring import KnowledgeBase

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 12, 20, 40, 80)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
NO_ROUTE = "none"  # what leads nowhere has any path
CLIENT_LEFT = 499  # as proxies call it: it left before there was a status


class Metrics:
    """Of one server; `page` is what Prometheus reads. Safe to share between threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._stages = self._histogram(
            "stage_seconds", "Of a question: retrieve, wait (for the model), judge, write.", "stage"
        )
        self._first = self._histogram("first_sentence_seconds", "To the first checked sentence.")
        self._total = self._histogram("question_seconds", "To the whole answer.")
        self._questions = self._counter(
            "questions", "How questions ended, and why.", "outcome", "reason"
        )
        self._withheld = self._counter("sentences_withheld", "That no quote supports.")
        self._cited = self._counter("citations", "Quotes that were shown.")
        self._cache = self._counter("answer_cache", "Searches whose answer was known.", "result")
        self._requests = self._counter(
            "http_requests", "By the route's template.", "method", "route", "status"
        )
        self._answering = self._histogram(
            "http_seconds", "To the start of the response, by the route's template.", "route"
        )
        for result in ("hit", "miss"):
            self._cache.labels(result)

    def told(self, story: Story) -> None:
        """A question is over."""
        answer = story.answer
        outcome = answer.outcome if answer and story.end == "ok" else story.end
        reason = story.code or (answer.reason if answer else None) or ""
        self._questions.labels(outcome, reason).inc()
        for stage in story.stages:
            self._stages.labels(stage.name).observe(stage.ended - stage.started)
        if story.recalled is not None:
            self._cache.labels("hit" if story.recalled else "miss").inc()
        if answer is None or story.end != "ok":
            return
        self._total.observe(story.ended - story.started)
        if story.first is not None:
            self._first.observe(story.first)
        self._withheld.inc(answer.withheld)
        self._cited.inc(len(answer.citations))

    def responded(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method if method in METHODS else "other", route, status).inc()
        self._answering.labels(route).observe(seconds)

    def page(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, help: str, *labels: str) -> Counter:
        return Counter(f"weighbridge_{name}", help, labels, registry=self.registry)

    def _histogram(self, name: str, help: str, *labels: str) -> Histogram:
        return Histogram(
            f"weighbridge_{name}", help, labels, buckets=SECONDS, registry=self.registry
        )


class Levels:
    """What is looked up whenever Prometheus asks: the line, the index, jobs."""

    def __init__(self, metrics: Metrics, kb: KnowledgeBase, line: Line, jobs: Jobs) -> None:
        self._kb = kb
        self._jobs_kept = jobs
        self._counted_at = -1  # the version whose documents were counted last
        registry = metrics.registry

        def gauge(name: str, help: str, *labels: str) -> Gauge:
            return Gauge(f"weighbridge_{name}", help, labels, registry=registry)

        gauge("questions_running", "With the chat model.").set_function(lambda: line.running)
        gauge("questions_waiting", "On their way to it.").set_function(lambda: line.waiting)
        self._ready = gauge("model_ready", "Whether the chat model can be asked.")
        self._up = gauge("index_up", "Whether the catalog can be read; its figures are old if not.")
        self._version = gauge("corpus_version", "The current one.")
        self._documents = gauge("documents", "In the current corpus version.")
        self._passages = gauge("passages", "In the current corpus version.")
        self._jobs = gauge("ingest_jobs", "Those remembered, by state.", "state")

    def refresh(self) -> None:
        """Blocks. A catalog that is away is a figure, too."""
        self._ready.set(self._kb.model_status()[0] == "ready")
        try:
            self._count(self._kb.catalog.current_version())
            states = Count(job.state for job in self._jobs_kept.latest(MOST_ENDED + MOST_WAITING))
        except WeighbridgeError:
            self._up.set(0)
            return
        for state in get_args(State):
            self._jobs.labels(state).set(states[state])
        self._up.set(1)

    def _count(self, version: int) -> None:
        """Documents are many, and counted once a version."""
        if version != self._counted_at:
            listed = self._kb.catalog.documents(version)
            self._documents.set(len(listed))
            self._passages.set(sum(one.passages for one in listed))
            self._counted_at = version
        self._version.set(version)


class Counted:
    """ASGI middleware, around all others: what they refuse is counted as well."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock()
        status, answered = 500, None  # what an error that nobody caught becomes outside

        async def sending(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], self._clock()
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            status = CLIENT_LEFT if answered is None else status
            raise
        finally:
            seconds = (answered or self._clock()) - started
            self._metrics.responded(scope["method"], _template(scope), status, seconds)


def _template(scope: Scope) -> str:
    """Of static files, the folder that they are mounted at."""
    mounted = scope.get("root_path") or NO_ROUTE
    return str(getattr(scope.get("route"), "path", mounted))
