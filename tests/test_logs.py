"""What the server's log says: one line a question, of which request, and never what was asked."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from conftest import ClientOf
from shelf import PRICES, replaying
from starlette.testclient import TestClient
from talk import QUESTION, STEPS, STREAM

from api.logs import REQUEST, formatter
from kb.errors import ModelFailed
from kb.wiring import KnowledgeBase

Format = Literal["text", "json"]


class _Kept(logging.Handler):
    def __init__(self, log_format: Format) -> None:
        super().__init__(logging.INFO)
        self.setFormatter(formatter(log_format))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def logged(log_format: Format) -> Iterator[list[str]]:
    """What is logged meanwhile, in that format."""
    kept, ours = _Kept(log_format), logging.getLogger("weighbridge")
    level = ours.level
    ours.addHandler(kept)
    ours.setLevel(logging.INFO)
    try:
        yield kept.lines
    finally:
        ours.removeHandler(kept)
        ours.setLevel(level)


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "whole"])
def test_a_question_is_one_object_with_its_figures(
    client: TestClient, headers: dict[str, str]
) -> None:
    with logged("json") as lines:
        response = client.post("/v1/ask", json={"question": QUESTION}, headers=headers)

    (line,) = (json.loads(line) for line in lines)
    assert line["request"] == response.headers["x-request-id"]
    assert (line["level"], line["logger"], line["end"]) == ("info", "weighbridge.api", "ok")
    assert (line["outcome"], line["cited"], line["withheld"]) == ("answered", 1, 0)
    assert line["total_ms"] >= line["retrieve_ms"] >= 0
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("stream", [True, False])
def test_nothing_that_was_asked_or_said_is_logged(
    client: TestClient, log_format: Format, stream: bool
) -> None:
    with logged(log_format) as lines:
        for route in ("/v1/ask", "/v1/search"):
            client.post(route, json={"question": QUESTION}, headers=STREAM if stream else {})
        chat = {"model": "weighbridge", "messages": [{"role": "user", "content": QUESTION}]}
        client.post("/v1/chat/completions", json={**chat, "stream": stream})

    assert len(lines) == 2
    for word in ("Gemini", "million", "$2.00", PRICES.title):
        assert word not in "".join(lines)


def test_a_refused_and_a_failed_question_say_why(kb: KnowledgeBase, client_of: ClientOf) -> None:
    client = client_of(replaying(kb, *STEPS[:3], ModelFailed("it broke off; ask again")))

    with logged("json") as lines:
        client.post("/v1/ask", json={"question": QUESTION})

    told = json.loads(lines[0])
    assert (told["end"], told["code"]) == ("failed", "model_failed")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_every_line_of_a_request_names_it(
    kb: KnowledgeBase, client_of: ClientOf, log_format: Format
) -> None:
    client = client_of(kb)
    headers = {"X-Request-Id": "from-the-proxy", "Host": "127.0.0.1:8000"}

    with logged(log_format) as lines:
        client.post("/v1/ask", json={"question": QUESTION}, headers=headers)
        client.delete("/v1/documents/api-prices", headers=headers)

    assert len(lines) == 2
    assert all("from-the-proxy" in line for line in lines), lines


def test_lines_of_no_request_name_none() -> None:
    record = logging.LogRecord("weighbridge", logging.INFO, "", 0, "started %d", (1,), None)

    assert "request" not in json.loads(formatter("json").format(record))
    assert formatter("text").format(record).endswith("INFO started 1")
    assert REQUEST.get("") == ""


def test_a_line_can_not_be_broken_by_what_is_logged() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "a\nb\r%s", ("\u2028c",), None)

    line = formatter("json").format(record)

    assert "\n" not in line
    assert json.loads(line)["message"] == "a\nb\r\u2028c"


def test_a_traceback_is_part_of_its_line() -> None:
    try:
        raise ZeroDivisionError("a detail")
    except ZeroDivisionError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), sys.exc_info())

    assert "a detail" in json.loads(formatter("json").format(record))["traceback"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/livez", 200),
        ("GET", "/no/such", 404),
        ("BREW", "/livez", 405),
        ("POST", "/v1/ask", 415),
        ("GET", "/static/none.js", 404),
        ("GET", "/metrics", 200),
        ("OPTIONS", "/v1/ask", 405),
    ],
)
def test_every_response_names_its_request(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)

    assert response.status_code == status
    assert len(response.headers["x-request-id"]) == 32


def test_a_server_without_traces_loads_nothing_of_opentelemetry() -> None:
    """Of what sends them; chromadb brings other parts along."""
    code = "import api.app, sys; print([m for m in sys.modules if 'otlp.proto.http' in m])"
    done: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr
