"""Questions asked over a connection, a replayed answer, and a model that never ends."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from shelf import PRICES

from kb.events import Answered, ConflictFound, EvidenceFound, SentencePassed, Status
from kb.types import Answer, Citation, Conflict, Evidence, Message, Position, Source, Token

QUESTION = "What does the Gemini API cost for a million input tokens?"
STREAM = {"Accept": "text/event-stream"}

SOURCE = Source(
    PRICES.id, PRICES.revision, PRICES.title, PRICES.publisher, PRICES.uri, PRICES.as_of
)
QUOTE = "Proprietary vendors bill every token."
START = PRICES.text.index(QUOTE)
PIECE = Evidence(
    source=SOURCE,
    start=START,
    end=START + len(QUOTE),
    quote=QUOTE,
    statement=QUOTE,
    shown=QUOTE,
    heading="Prices",
    score=0.5,
)
CITED = tuple(
    Citation(n, 0, 5, SOURCE, START, START + len(QUOTE), QUOTE, "Prices", 0.9) for n in (1, 2)
)
CONFLICT = Conflict("price", (Position("It is $2.", (1,)), Position("It is $3.", (2,))))
ANSWER = Answer(
    id="a1",
    conversation_id="c1",
    question=QUESTION,
    standalone_question=QUESTION,
    outcome="conflicting",
    text="It is $2. [1] It is $3. [2]",
    corpus_version=1,
    model="scripted",
    citations=CITED,
    conflicts=(CONFLICT,),
    nearest=(PIECE,),
    timings_ms={"retrieve": 3, "total": 9},
)
STEPS = (
    Status("searching", 0),
    EvidenceFound((PIECE,)),
    Status("reading", 4),
    SentencePassed("It is $2.", CITED[:1]),
    ConflictFound(CONFLICT),
    Answered(ANSWER),
)


class Received(NamedTuple):
    event: str
    id: str
    data: Any


def received(stream: str) -> list[Received]:
    """Its events; comments are left out."""
    found = []
    for block in stream.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in block.splitlines() if ": " in line and line[:1] != ":"]
        fields = dict(line.split(": ", 1) for line in lines)
        if "event" in fields:
            found.append(Received(fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def parsed(stream: str) -> list[tuple[str, Any]]:
    """(event, data) of each event."""
    return [(one.event, one.data) for one in received(stream)]


class Unending:
    """A model that writes until it is told to stop, and tells when it was."""

    name = "unending"

    def __init__(self) -> None:
        self.writing, self.stopped = threading.Event(), threading.Event()

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        self.writing.set()
        while not cancelled():
            time.sleep(0.01)
        self.stopped.set()
        yield from ()

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        yield from map(Token, self.write(messages, max_tokens, cancelled))

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        return 1.0


def waiting(app: Any, count: int) -> None:
    """Returns once so many questions stand in the line."""
    end = time.monotonic() + 30
    while app.state.desk.line.waiting < count:
        assert time.monotonic() < end, "they never stood in the line"
        time.sleep(0.01)


def connected(port: int, headers: dict[str, str], question: str = QUESTION) -> socket.socket:
    """A connection on which the question has been asked."""
    body = json.dumps({"question": question})
    lines = {"Host": "localhost", "Content-Type": "application/json", **headers}
    lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(f"POST /v1/ask HTTP/1.1\r\n{head}\r\n{body}".encode())
    return connection


def exchanged(port: int, headers: dict[str, str]) -> str:
    """All that comes back until the server closes the connection."""
    with connected(port, {**headers, "Connection": "close"}) as connection:
        received = b""
        while piece := connection.recv(65536):
            received += piece
    return received.decode()
