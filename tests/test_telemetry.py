"""Traces: a span a question with its stages, and nothing of what was asked or said."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import MakeKb
from shelf import PRICES, replaying
from starlette.testclient import TestClient
from talk import QUESTION, STEPS, STREAM

from api.app import create_app
from kb.errors import ModelFailed
from kb.wiring import KnowledgeBase

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="needs the extra telemetry")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes


class Collector(ThreadingHTTPServer):
    """Takes traces in over OTLP/HTTP."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.bodies: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"

    @property
    def spans(self) -> list[Span]:
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Collector)
        self.server.bodies.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def traced(kb: KnowledgeBase, collector: Collector, times: int = 1) -> Sequence[Span]:
    """The spans of that question, asked so often, once the server has ended."""
    with TestClient(create_app(kb), "http://127.0.0.1:8000") as client:
        for _ in range(times):
            client.post("/v1/ask", json={"question": QUESTION}, headers=STREAM)
    return collector.spans


def attributes(span: Span) -> dict[str, object]:
    return {
        one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes
    }


def test_a_question_is_a_span_with_a_child_a_stage(make_kb: MakeKb, collector: Collector) -> None:
    spans = traced(make_kb(otlp_url=collector.url), collector)

    (whole,) = (span for span in spans if not span.parent_span_id)
    children = sorted((s for s in spans if s.parent_span_id), key=lambda s: s.start_time_unix_nano)
    assert [child.name for child in children] == ["retrieve", "wait", "judge", "write"]
    assert {child.parent_span_id for child in children} == {whole.span_id}
    for child in children:
        assert whole.start_time_unix_nano <= child.start_time_unix_nano
        assert child.start_time_unix_nano <= child.end_time_unix_nano <= whole.end_time_unix_nano


def test_spans_have_the_attributes_that_the_conventions_name(
    make_kb: MakeKb, collector: Collector
) -> None:
    spans = traced(make_kb(otlp_url=collector.url), collector)

    known = {v for n, v in vars(gen_ai_attributes).items() if n.startswith("GEN_AI_")}
    told = {span.name: attributes(span) for span in spans}
    whole = told["invoke_agent weighbridge"]
    assert whole["gen_ai.operation.name"] == "invoke_agent"
    assert whole["gen_ai.response.model"] == "scripted"
    assert whole["weighbridge.outcome"] == "answered"
    assert told["retrieve"]["gen_ai.operation.name"] == "retrieval"
    assert told["write"]["gen_ai.operation.name"] == "chat"
    named = {key for one in told.values() for key in one if key.startswith("gen_ai.")}
    assert named <= known


def test_traces_hold_nothing_that_was_asked_or_said(make_kb: MakeKb, collector: Collector) -> None:
    traced(make_kb(otlp_url=collector.url), collector)

    sent = b"".join(collector.bodies).decode("utf-8", "replace")
    assert "invoke_agent" in sent
    for word in ("Gemini", "million", "$2.00", PRICES.title, "api-prices"):
        assert word not in sent


def test_a_failure_is_a_span_with_its_code(make_kb: MakeKb, collector: Collector) -> None:
    kb = make_kb(otlp_url=collector.url)
    broken = replaying(kb, *STEPS[:3], ModelFailed("it broke off; ask again"))

    (whole,) = (s for s in traced(broken, collector) if not s.parent_span_id)

    assert attributes(whole)["error.type"] == "model_failed"
    assert whole.status.code == whole.status.STATUS_CODE_ERROR


def test_a_known_answer_is_marked(make_kb: MakeKb, collector: Collector) -> None:
    spans = traced(make_kb(otlp_url=collector.url), collector, times=2)

    wholes = sorted(
        (s for s in spans if not s.parent_span_id), key=lambda s: s.start_time_unix_nano
    )
    assert [attributes(one)["weighbridge.cached"] for one in wholes] == [False, True]
