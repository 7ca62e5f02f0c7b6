"""Naughty texts wherever a client can send one, on both databases: each is served or refused, none
breaks the server, shows its inside, or costs anything that is stored."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from conftest import ClientOf, MakeKb
from naughty import HALVES, NAUGHTY
from postgres import PostgresServer
from shelf import PRICES, WEIGHTS
from starlette.testclient import TestClient

from api.errors import CODES
from kb.keys import KeyBook, Scope
from kb.wiring import KnowledgeBase

pytestmark = pytest.mark.slow

NDJSON = "application/x-ndjson"
EVERYTHING = (*NAUGHTY, *HALVES)
PRICE = "What does the Gemini API cost for a million input tokens?"
INSIDE = ("Traceback", "site-packages", ".py", "sqlalchemy", "psycopg", "sqlite3", "SELECT ")


@dataclass
class Target:
    """A server under fire."""

    kb: KnowledgeBase
    client: TestClient

    def send(self, method: str, path: str, body: Any = None, **headers: bytes) -> Any:
        content = None if body is None else json.dumps(body)  # halves of characters as escapes
        named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
        given = {b"content-type": b"application/json", **named}
        return self.client.request(method, path, content=content, headers=given)

    def tells_nothing(self, response: Any, sent: str) -> bool:
        told = response.text
        own = [word for word in INSIDE if word in told and word not in sent]
        return not own and str(self.kb.settings.home) not in told

    def broken_by(self, answered: Iterable[tuple[str, Any]]) -> list[tuple[str, int, str]]:
        """The texts that are neither served nor refused properly."""
        return [
            (text, response.status_code, response.text[:300])
            for text, response in answered
            if not self._proper(response) or not self.tells_nothing(response, text)
        ]

    def _proper(self, response: Any) -> bool:
        if response.status_code < 300:
            return True
        if response.status_code == 503:  # faster than the jobs before it
            return bool(
                response.headers["retry-after"] and response.json()["code"] == "too_many_jobs"
            )
        if response.headers["content-type"] == "application/json":
            return response.status_code < 500 and "error" in response.json()
        return response.status_code < 500 and response.json()["code"] in CODES


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.exhaustive)], ids=str)
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


@pytest.fixture
def target(database_url: str | None, make_kb: MakeKb, client_of: ClientOf) -> Iterator[Target]:
    """Whatever was sent, at the end everything that was stored before is there and answers."""
    kb = make_kb(database_url=database_url)
    target = Target(kb, client_of(kb))
    first = target.send("POST", "/v1/ask", {"question": PRICE, "conversation_id": "before"})

    yield target

    while any(not job["ended_at"] for job in target.send("GET", "/v1/jobs").json()["jobs"]):
        time.sleep(0.1)
    version = kb.catalog.current_version()
    stored = [one.source.document_id for one in kb.catalog.documents(version)]
    assert {PRICES.id, WEIGHTS.id} <= set(stored)
    for document in (PRICES, WEIGHTS):
        read = target.send("GET", f"/v1/documents/{document.id}/revisions/{document.revision}")
        assert read.json()["text"] == document.text
    turns = target.send("GET", "/v1/conversations/before").json()["turns"]
    assert turns[0]["answer"]["text"] == first.json()["text"]
    again = target.send("POST", "/v1/ask", {"question": PRICE}).json()
    assert "$2.00" in again["text"]


def test_there_are_as_many_as_were_promised() -> None:
    assert len(NAUGHTY) >= 515
    assert len(set(NAUGHTY)) == len(NAUGHTY)


# -- in bodies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search"])
def test_naughty_questions_are_served_or_refused(target: Target, route: str) -> None:
    asked = [(text, target.send("POST", route, {"question": text})) for text in EVERYTHING]

    assert not target.broken_by(asked)
    assert {response.status_code for _, response in asked} == {200, 422}
    assert all(
        response.json()["question"] == text for text, response in asked if response.is_success
    )


def test_naughty_histories_and_messages_are_served_or_refused(target: Target) -> None:
    def history(text: str) -> dict[str, Any]:
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": text}]
        return {"question": "And its price?", "history": turns}

    def messages(text: str) -> dict[str, Any]:
        said = [{"role": "system", "content": text}, {"role": "user", "content": text}]
        return {"model": "weighbridge", "messages": said, "user": text}

    assert not target.broken_by(
        (text, target.send("POST", "/v1/ask", history(text))) for text in EVERYTHING
    )
    assert not target.broken_by(
        (text, target.send("POST", "/v1/chat/completions", messages(text))) for text in EVERYTHING
    )


def test_naughty_filters_and_comments_are_served_or_refused(target: Target) -> None:
    answer = target.send("POST", "/v1/ask", {"question": PRICE}).json()["id"]

    def filters(text: str) -> dict[str, Any]:
        return {"question": PRICE, "filters": {"document_ids": [text], "publishers": [text]}}

    def feedback(text: str) -> dict[str, Any]:
        return {"answer_id": answer, "rating": "down", "comment": text}

    def stored_comment(text: str) -> bool:
        sent = target.send("POST", "/v1/feedback", feedback(text))
        return not sent.is_success or sent.json()["comment"] == text

    assert not target.broken_by(
        (text, target.send("POST", "/v1/search", filters(text))) for text in EVERYTHING
    )
    assert not target.broken_by(
        (text, target.send("POST", "/v1/feedback", feedback(text))) for text in EVERYTHING
    )
    assert all(stored_comment(text) for text in NAUGHTY)


def test_naughty_documents_are_stored_as_they_are_or_refused(target: Target) -> None:
    def put(text: str) -> Any:
        body = {"uri": "naughty.md", "content": f"# Naughty\n\n{text}\n\nThe end.\n"}
        return target.send("PUT", "/v1/documents/naughty", body)

    sent = [(text, put(text)) for text in EVERYTHING]

    assert not target.broken_by(sent)
    assert sum(response.is_success for _, response in sent) > len(NAUGHTY) * 0.8
    found = target.send("POST", "/v1/search", {"question": "The end of naughty"}).json()["hits"]
    assert all(hit["text"] for hit in found)


# -- in names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/documents/{}"),
        ("GET", "/v1/documents/api-prices/revisions/{}"),
        ("PUT", "/v1/documents/{}"),
        ("DELETE", "/v1/documents/{}"),
        ("GET", "/v1/conversations/{}"),
        ("DELETE", "/v1/conversations/{}"),
        ("GET", "/v1/answers/{}"),
        ("GET", "/v1/jobs/{}"),
        ("GET", "/v1/jobs/{}/events"),
        ("POST", "/v1/jobs/{}/cancel"),
        ("GET", "/v1/models/{}"),
        ("GET", "/v1/versions/{}/diff/1"),
        ("GET", "/source/{}/x"),
        ("GET", "/static/{}"),
    ],
)
def test_naughty_ids_in_addresses_are_served_or_refused(
    target: Target, method: str, path: str
) -> None:
    body = {"uri": "naughty.md", "content": "# Naughty\n\nIts name is naughty.\n"}

    assert not target.broken_by(
        (
            text,
            target.send(
                method, path.format(quote(text, safe="")), body if method == "PUT" else None
            ),
        )
        for text in NAUGHTY
    )


def test_naughty_uris_and_conversation_ids_are_served_or_refused(target: Target) -> None:
    def put(text: str) -> Any:
        body = {"uri": text, "content": "# Naughty\n\nIts place is naughty.\n"}
        return target.send("PUT", "/v1/documents/naughty", body)

    def upload(text: str) -> Any:
        content = base64.b64encode(b"# Sent\n\nIts place is naughty.\n").decode()
        line = json.dumps({"uri": text, "content_base64": content})
        return target.client.post(
            "/v1/ingest/files?dry_run=true", content=line, headers={"Content-Type": NDJSON}
        )

    def ask(text: str) -> Any:
        return target.send("POST", "/v1/ask", {"question": PRICE, "conversation_id": text})

    def ingest(text: str) -> Any:
        return target.send("POST", "/v1/ingest", {"paths": [text], "dry_run": True})

    for send in (put, ask, ingest, upload):
        assert not target.broken_by((text, send(text)) for text in EVERYTHING)


def test_naughty_names_of_keys_are_kept_as_they_are(target: Target) -> None:
    book = KeyBook(target.kb.database)
    kept = [text for text in NAUGHTY if text.strip() and "\0" not in text and len(text) <= 200]

    made = {book.create(text, {Scope.ASK})[0].id: text for text in kept}

    assert {key.id: key.name for key in book.listed()} == made
    target.client.headers["Authorization"] = f"Bearer {book.create('all', set(Scope))[1]}"


# -- in headers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["x_request_id", "last_event_id", "authorization", "host", "origin", "accept",
             "content_type", "idempotency_key", "user_agent", "x_forwarded_for", "cookie"],
)  # fmt: skip
def test_naughty_headers_are_served_or_refused(target: Target, name: str) -> None:
    ask = {"question": PRICE}
    path = "/v1/ingest" if name == "idempotency_key" else "/v1/search"
    body = {"paths": ["nothing.md"], "dry_run": True} if name == "idempotency_key" else ask
    sent = [text.encode() for text in NAUGHTY]  # more than a server lets through
    bearing = name == "authorization"

    answered = [
        (value.decode(), target.send("POST", path, body, **{name: b"Bearer " * bearing + value}))
        for value in sent
    ]

    assert not target.broken_by(answered)
    for text, response in answered:
        assert not any("\n" in value or "\r" in value for value in response.headers.values()), text
