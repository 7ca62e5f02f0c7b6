"""Clients that are slow, send too much, open too much, or forge lines: the server goes on for all
others."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from conftest import MakeKb
from fastapi import FastAPI
from serving import serving
from starlette.testclient import TestClient
from talk import QUESTION, STREAM, Unending, connected, waiting

from api import errors
from api.app import create_app
from api.envelope import Envelope
from api.heads import HEAD_BYTES, BoundedHeads
from api.logs import formatter
from api.queueing import RESERVED
from kb.wiring import KnowledgeBase

MANY = 60


class Impatient(BoundedHeads):
    head_seconds = 0.5


@pytest.fixture
def port(kb: KnowledgeBase) -> Iterator[int]:
    with serving(create_app(kb), Impatient) as port:
        yield port


def opened(port: int, sent: bytes = b"") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    if sent:
        connection.sendall(sent)
    return connection


def told(connection: socket.socket) -> bytes:
    """All that comes back until the server closes the connection."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:  # it was closed while more was on its way
        pass
    return received


def alive(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}/livez", timeout=20).status_code == 200


# -- heads ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: local"])
def test_connections_whose_head_does_not_arrive_are_closed(port: int, sent: bytes) -> None:
    with ExitStack() as stack:
        held = [stack.enter_context(opened(port, sent)) for _ in range(MANY)]
        assert alive(port)

        answers = [told(connection) for connection in held]

    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)
    assert alive(port)


def test_a_second_head_on_a_connection_has_to_arrive_too(port: int) -> None:
    whole = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with opened(port, whole + whole + b"GET /livez") as connection:
        answer = told(connection)

    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.count(b"HTTP/1.1 408 ") == 1


@pytest.mark.parametrize("head", [b"X-Long: " + b"a" * 1000, b"x" * 10 + b": y\r\n"])
def test_a_head_that_does_not_end_is_refused(port: int, head: bytes) -> None:
    with opened(port, b"GET /livez HTTP/1.1\r\nHost: localhost\r\n") as connection:
        try:
            for _ in range(20 * HEAD_BYTES // len(head)):
                connection.sendall(head)
        except OSError:  # it was closed on the way
            pass
        answer = told(connection)

    assert not answer or answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
    assert alive(port)


def test_a_large_but_bearable_head_is_served(port: int) -> None:
    headers = {f"X-{number}": "a" * 500 for number in range(60)}

    assert httpx.get(f"http://127.0.0.1:{port}/livez", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /li\x00vez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHo\x00st: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 5000,
    ],
)
def test_what_is_no_http_is_refused_and_nothing_breaks(port: int, head: bytes) -> None:
    with opened(port, head) as connection:
        answer = told(connection)

    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer
    assert alive(port)


# -- streams -------------------------------------------------------------------------------------


def test_streams_that_nobody_reads_leave_the_server_to_others(make_kb: MakeKb) -> None:
    model = Unending()
    app = create_app(make_kb(model=model, queue=4))
    with serving(app) as port, ExitStack() as stack:
        stack.enter_context(connected(port, STREAM))
        assert model.writing.wait(30)  # or its place in the queue would be free again later
        for _ in range(MANY):
            stack.enter_context(connected(port, STREAM))
        waiting(app, 4 - 4 // RESERVED)  # as many as one asker may have there

        found = httpx.post(
            f"http://127.0.0.1:{port}/v1/search", json={"question": QUESTION}, timeout=20
        )
        refused = httpx.post(
            f"http://127.0.0.1:{port}/v1/ask", json={"question": QUESTION}, timeout=20
        )

    assert found.json()["hits"]
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0


# -- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nested", ["[" * 200_000, '{"a":' * 100_000, '{"question":' + "[" * 90_000]
)
def test_json_nested_without_end_is_refused(port: int, nested: str) -> None:
    for route in ("ask", "search", "chat/completions", "ingest", "feedback"):
        response = httpx.post(
            f"http://127.0.0.1:{port}/v1/{route}",
            content=nested,
            headers={"Content-Type": "application/json"},
            timeout=20,
        )
        assert response.status_code == 400, route


# -- the log -------------------------------------------------------------------------------------


def test_no_name_forges_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI()
    app.add_middleware(Envelope)
    errors.install(app)

    @app.get("/{name}")
    def broken(name: str) -> None:
        raise ZeroDivisionError

    with TestClient(app, raise_server_exceptions=False) as client:
        client.get("/a%0A2026-01-01 00:00:00,000 INFO ask ok%0D%E2%80%A8forged%1B[2J")

    (record,) = (one for one in caplog.records if one.name == "weighbridge.api")
    line = formatter("text").format(record).split("\nTraceback")[0]
    assert "forged" in line
    assert not set(line) & set("\n\r\u2028\x1b")
    assert "\\n2026-01-01" in line
