"""Shared fixtures: whole knowledge bases from shipped parts, in a temporary folder."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import postgres
import pytest
from hypothesis import settings as hypothesis_settings
from postgres import PostgresServer
from shelf import BY_THE_MODEL, PRICES, SPLITTER, WEIGHTS, first_passage, publish
from starlette.testclient import TestClient
from stores import Index, OpenIndex, opened

from api.app import create_app
from kb.fakes import MemoryPassageStore, WordEmbedder
from kb.fakes_model import ScriptedModel
from kb.ports import ChatModel, PassageStore
from kb.settings import Settings
from kb.types import Document
from kb.wiring import KnowledgeBase, compose

# An example's time says more about the machine's load than about the code.
hypothesis_settings.register_profile("steady", deadline=None)
hypothesis_settings.load_profile("steady")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Skips where there is no PostgreSQL, or no driver for it."""
    pytest.importorskip("psycopg", reason="needs the extra postgres")
    with postgres.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"], scope="module")
def fresh(request: pytest.FixtureRequest) -> OpenIndex:
    """Opens an empty index, on each kind of database that a catalog can be kept in."""
    if request.param == "sqlite":
        return opened
    server: PostgresServer = request.getfixturevalue("postgres_server")

    @contextmanager
    def opened_on_postgres() -> Iterator[Index]:
        with server.database() as url, opened(url) as index:
            yield index

    return opened_on_postgres


class MakeKb(Protocol):
    def __call__(
        self,
        model: ChatModel | None = None,
        documents: Sequence[Document] = (WEIGHTS, PRICES),
        store: PassageStore | None = None,
        status: tuple[str, str] = ("ready", "the chat model is loaded"),
        **changed: object,
    ) -> KnowledgeBase: ...


@pytest.fixture
def make_kb(tmp_path: Path) -> Iterator[MakeKb]:
    """Builds knowledge bases on a real catalog; closes them at the test's end."""
    built: list[KnowledgeBase] = []

    def make(
        model: ChatModel | None = None,
        documents: Sequence[Document] = (WEIGHTS, PRICES),
        store: PassageStore | None = None,
        status: tuple[str, str] = ("ready", "the chat model is loaded"),
        **changed: object,
    ) -> KnowledgeBase:
        """changed: settings."""
        settings = Settings(home=tmp_path / f"home{len(built)}", corpus=tmp_path / "corpus")
        settings = settings.model_copy(update=changed)
        kb = compose(
            settings,
            WordEmbedder(),
            store or MemoryPassageStore(),
            model or ScriptedModel(first_passage),
            SPLITTER,
            lambda: status,
            confidence=BY_THE_MODEL,
        )
        built.append(kb)
        if documents:
            publish(kb, documents)
        return kb

    yield make
    for kb in built:
        kb.close()


@pytest.fixture
def kb(make_kb: MakeKb) -> KnowledgeBase:
    """Two documents in one corpus version, and a model that repeats its first passage."""
    return make_kb()


ClientOf = Callable[[KnowledgeBase], TestClient]


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    """A client of an application around a knowledge base; a failure of the server is a 500."""
    opened: list[TestClient] = []

    def open_client(kb: KnowledgeBase) -> TestClient:
        url = "http://127.0.0.1:8000"  # a name that the server is called by
        client = TestClient(create_app(kb), url, raise_server_exceptions=False)
        opened.append(client.__enter__())
        return client

    yield open_client
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(kb: KnowledgeBase, client_of: ClientOf) -> TestClient:
    return client_of(kb)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as in a terminal: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
