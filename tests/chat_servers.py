"""OpenAI-compatible chat servers: one that does what a script says, and llama.cpp's own."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

Request = Mapping[str, Any]
Reply = Callable[["Exchange"], None]

# Serves a GGUF file on a port of this machine until it is killed. Arguments: path, port.
_LLAMA_CPP = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.hostnames, params.port = sys.argv[1], ["127.0.0.1"], int(sys.argv[2])
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 2
params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch = 2048, 2, 64, 64
params.verbosity, params.ui, params.fit_params = -1, False, False
server = xllamacpp.Server(params)
time.sleep(1e6)
"""


class Exchange(BaseHTTPRequestHandler):
    """One request, and what a reply may do with it."""

    protocol_version = "HTTP/1.1"
    request_body: Request

    def do_GET(self) -> None:
        self.send({"object": "list", "data": [{"id": "scripted", "object": "model"}]})

    def do_POST(self) -> None:
        self.request_body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.next_reply(self)(self)  # type: ignore[attr-defined]  # set below

    def send(
        self, body: object, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def event(self, data: object) -> None:
        raw = b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def piece(self, text: str | None, finish: str | None = None) -> None:
        delta = {} if text is None else {"content": text}
        self.event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    def end_stream(self) -> None:
        self.event(b"[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def wait_until_let_go(self, seconds: float) -> bool:
        """Whether the client hung up by then."""
        readable, _, _ = select.select([self.connection], [], [], seconds)
        return bool(readable) and self.connection.recv(1, socket.MSG_PEEK) == b""

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


class ScriptedChatServer:
    """Replies in turn; the last one again and again. `requests` holds what was asked for."""

    def __init__(self, *replies: Reply) -> None:
        self.replies: list[Reply] = list(replies)
        self.requests: list[Request] = []
        self.let_go_after: list[float] = []  # seconds, of replies that stalled
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self._server.daemon_threads = True
        self._server.next_reply = self._next  # type: ignore[attr-defined]  # for its handlers
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def stalls(self, *words: str) -> Reply:
        """Says so much, and then nothing until the client hangs up."""

        def reply(exchange: Exchange) -> None:
            exchange.begin_stream()
            for word in words:
                exchange.piece(word)
            began = time.monotonic()
            if exchange.wait_until_let_go(30):
                self.let_go_after.append(time.monotonic() - began)
            exchange.close_connection = True

        return reply

    def _next(self, exchange: Exchange) -> Reply:
        self.requests.append(exchange.request_body)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


def says(text: Sequence[str], finish: str | None = "stop") -> Reply:
    """As many of these pieces as the request allows tokens; or a judgement where it asks for one:
    Yes at 0.75."""

    def reply(exchange: Exchange) -> None:
        if exchange.request_body.get("logprobs"):
            judges({"Yes": -0.287682, "No": -1.386294})(exchange)
            return
        exchange.begin_stream()
        for word in text[: exchange.request_body["max_tokens"]]:
            exchange.piece(word)
        exchange.piece(None, finish)
        exchange.end_stream()

    return reply


def judges(logprobs: Mapping[str, float] | None) -> Reply:
    """A first token with these likeliest ones; None: a server that gives no probabilities."""

    def reply(exchange: Exchange) -> None:
        choice: dict[str, object] = {"index": 0, "finish_reason": "length"}
        choice["message"] = {"role": "assistant", "content": "Yes"}
        if logprobs is not None:
            likeliest = [{"token": token, "logprob": p} for token, p in logprobs.items()]
            first = {"token": "Yes", "logprob": 0.0, "top_logprobs": likeliest}
            choice["logprobs"] = {"content": [first]}
        exchange.send({"id": "x", "object": "chat.completion", "choices": [choice]})

    return reply


def refuses(status: int, headers: Mapping[str, str] | None = None) -> Reply:
    body = {"error": {"message": f"made to fail with {status}", "type": "made_up"}}
    return lambda exchange: exchange.send(body, status, headers)


def sends(body: bytes) -> Reply:
    return lambda exchange: exchange.send(body)


def breaks_off(*words: str) -> Reply:
    """Closes the connection in the middle of a stream."""

    def reply(exchange: Exchange) -> None:
        exchange.begin_stream()
        for word in words:
            exchange.piece(word)
        exchange.close_connection = True

    return reply


def complains(message: str) -> Reply:
    """A stream that ends in an error event, as llama.cpp's does."""

    def reply(exchange: Exchange) -> None:
        exchange.begin_stream()
        exchange.event({"error": {"code": 500, "message": message, "type": "server_error"}})
        exchange.end_stream()

    return reply


@contextmanager
def scripted(*replies: Reply) -> Iterator[ScriptedChatServer]:
    server = ScriptedChatServer(*replies)
    try:
        yield server
    finally:
        server.close()


class LlamaCppProcess:
    """llama.cpp's server, which xllamacpp carries, on a free port of this machine."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self, seconds: float = 120.0) -> None:
        """Raises TimeoutError when it isn't ready by then."""
        command = [sys.executable, "-c", _LLAMA_CPP, str(self._weights), str(self._port)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        last = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < last:
            try:
                if httpx.get(f"http://127.0.0.1:{self._port}/health", timeout=5).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise TimeoutError("llama.cpp's server is not ready")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(20)
