"""Access as real sockets meet it: names, slow and large bodies, where a server may listen, and the
commands that talk to it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import SecretStr
from serving import serving

from api import errors
from api.app import create_app
from api.envelope import Envelope
from api.hosts import TrustedHosts
from cli.remote import Server
from cli.serve import check_access
from kb.access_errors import HostNotTrusted, KeyInvalid, KeyMissing, ScopeMissing
from kb.database import Database
from kb.errors import SettingsInvalid
from kb.keys import KeyBook, Scope
from kb.settings import OPEN_WORDS, Settings, load_settings
from kb.wiring import KnowledgeBase

SECONDS = 0.5


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "named", "called", "trusted"),
    [
        ("127.0.0.1", [], "localhost:8000", True),
        ("127.0.0.1", [], "[::1]:8000", True),
        ("127.0.0.1", [], "127.9.9.9", True),
        ("127.0.0.1", [], "rebound.example", False),
        ("127.0.0.1", [], "127.0.0.1.rebound.example", False),
        ("127.0.0.1", [], "localhost.rebound.example", False),
        ("127.0.0.1", [], "192.0.2.7", False),
        ("127.0.0.1", [], "", False),
        ("127.0.0.1", [], "[::1", False),
        ("127.0.0.1", [], "a b", False),
        ("kb.example.com", [], "KB.example.com:8000", True),
        ("192.0.2.7", [], "192.0.2.7:8000", True),
        ("192.0.2.7", [], "192.0.2.8", False),
        ("0.0.0.0", [], "192.0.2.8", True),
        ("::", [], "[2001:db8::1]:8000", True),
        ("0.0.0.0", [], "rebound.example", False),
        ("0.0.0.0", ["kb.example.com"], "kb.example.com", True),
        ("0.0.0.0", ["*.example.com"], "a.example.com", True),
        ("0.0.0.0", ["*.example.com"], "example.com", False),
        ("0.0.0.0", ["*.example.com"], "badexample.com", False),
        ("0.0.0.0", ["*"], "anything.example", True),
    ],
)
def test_a_server_answers_to_its_own_names_only(
    host: str, named: list[str], called: str, trusted: bool
) -> None:
    hosts = TrustedHosts(host, named)

    if trusted:
        hosts.check(called)
    else:
        with pytest.raises(HostNotTrusted, match="KB_TRUSTED_HOSTS"):
            hosts.check(called)


# -- bodies --------------------------------------------------------------------------------------


def echoing() -> FastAPI:
    app = FastAPI()
    app.add_middleware(Envelope, body_seconds=SECONDS)
    errors.install(app)

    @app.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @app.post("/wait")
    async def wait(request: Request) -> int:
        await request.body()
        time.sleep(2 * SECONDS)
        return 0

    return app


def sent(port: int, path: str, size: int, *pieces: bytes, pause: float = 0.0) -> str:
    """What comes back, until the connection is closed or falls silent."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head.encode())
        for piece in pieces:
            connection.sendall(piece)
            if select.select([connection], [], [], pause)[0]:
                break
        return connection.recv(10_000).decode()


def test_a_body_that_does_not_arrive_ends_in_408() -> None:
    with serving(echoing()) as port:
        silent = sent(port, "/length", 10, b"12345")
        whole = sent(port, "/length", 10, b"12345", b"67890", pause=0.01)

    assert silent.startswith("HTTP/1.1 408")
    assert "body_too_slow" in silent
    assert "connection: close" in silent.lower()
    assert whole.startswith("HTTP/1.1 200")


def test_a_body_that_drips_ends_in_408_too() -> None:
    with serving(echoing()) as port:
        dripping = sent(port, "/length", 100, *[b"1"] * 10, pause=0.1)

    assert dripping.startswith("HTTP/1.1 408")


def test_what_takes_long_after_its_body_is_not_cut_off() -> None:
    with serving(echoing()) as port:
        assert sent(port, "/wait", 1, b"1").startswith("HTTP/1.1 200")


# -- a server, and kb's commands -----------------------------------------------------------------


@pytest.fixture
def keyed(kb: KnowledgeBase) -> Iterator[tuple[str, KeyBook]]:
    """The address of a server that asks for keys."""
    book = KeyBook(kb.database)
    book.create("operator", {Scope.ADMIN})
    with serving(create_app(kb)) as port:
        yield f"http://127.0.0.1:{port}", book


def server(url: str, key: str | None = None) -> Server:
    return Server(url, 10.0, key=SecretStr(key) if key else None)


def test_kb_s_commands_send_the_key(keyed: tuple[str, KeyBook]) -> None:
    url, book = keyed
    _, text = book.create("reader", {Scope.READ})

    with server(url, text) as opened:
        assert opened.versions()["current"] == 1
        with pytest.raises(ScopeMissing, match="admin"):
            opened.roll_back(1)
    with server(url) as closed, pytest.raises(KeyMissing, match="KB_KEY"):
        closed.versions()
    with server(url, "kb_00000000_wrong") as wrong, pytest.raises(KeyInvalid):
        wrong.versions()
    with server(url) as anyone:
        assert anyone.alive()


def test_a_key_with_a_line_break_is_told_before_it_is_sent() -> None:
    with pytest.raises(SettingsInvalid, match="KB_KEY"):
        server("http://127.0.0.1:1", "kb_a_b\r\nX-Other: 1")


def test_a_large_body_of_a_stranger_is_refused_and_the_server_goes_on(
    keyed: tuple[str, KeyBook],
) -> None:
    url, book = keyed
    _, text = book.create("reader", {Scope.READ})

    with httpx.Client(base_url=url, timeout=20) as client:
        refused = client.put("/v1/documents/a.md", content=b" " * 900_000)
        found = client.get("/v1/documents", headers={"Authorization": f"Bearer {text}"})

    assert (refused.status_code, found.status_code) == (401, 200)


# -- where it may listen -------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "kb.example.com"])
def test_a_server_without_keys_listens_on_this_machine_only(tmp_path: Path, host: str) -> None:
    check_access(Settings(home=tmp_path))
    check_access(Settings(home=tmp_path, host="localhost"))
    check_access(Settings(home=tmp_path, host=host, open_to_everyone=OPEN_WORDS))

    with pytest.raises(SettingsInvalid, match="kb keys create") as refused:
        check_access(Settings(home=tmp_path, host=host))

    assert OPEN_WORDS in str(refused.value)


def test_a_key_lets_a_server_listen_elsewhere_as_long_as_it_opens_something(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path, host="0.0.0.0")
    with closing(Database(settings.catalog_url)) as database:
        book = KeyBook(database)
        key, _ = book.create("operator", {Scope.ADMIN})
        check_access(settings)
        book.revoke(key.id)

        with pytest.raises(SettingsInvalid):
            check_access(settings)


@pytest.mark.parametrize("words", ["yes", "true", "1", "Yes, anyone may ask"])
def test_that_everyone_may_ask_has_to_be_said_in_these_words(words: str) -> None:
    with pytest.raises(SettingsInvalid, match="KB_OPEN_TO_EVERYONE"):
        load_settings({"KB_OPEN_TO_EVERYONE": words})

    assert load_settings({"KB_OPEN_TO_EVERYONE": OPEN_WORDS}).open_to_everyone
