"""One index for many calls: through the server that owns it, or opened here on first use."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol
from urllib.parse import quote

from api.requests import SearchIn
from api.routes import documents
from api.routes.search import search
from api.schemas import AnswerOut, RevisionOut, SearchOut
from cli.ask import LOOK_AGAIN_SECONDS, QUEUE_SECONDS
from cli.local import answering
from cli.remote import Server, Wire
from kb.events import Ask
from kb.ownership import owner_url
from kb.settings import Settings
from kb.wiring import KnowledgeBase


class Reader(Protocol):
    """An index, as far as it is only read. Raises this project's errors."""

    def ask(self, question: str) -> AnswerOut: ...

    def search(self, question: str, count: int) -> SearchOut: ...

    def revision(self, document_id: str, revision: str | None) -> RevisionOut:
        """The newest one where none is named."""
        ...


class Library:
    """Gives out readers, to as many threads as like."""

    def __init__(self, settings: Settings, opened: ExitStack) -> None:
        """opened: closes, at its end, what is opened here."""
        self._settings = settings
        self._opened = opened
        self._opening = threading.Lock()
        self._here: Reader | None = None

    @contextmanager
    def reader(self) -> Iterator[Reader]:
        """Raises StoreInUse, WeightsMissing, IndexMismatch."""
        url = None if self._here else owner_url(self._settings.index)
        if url is None:
            yield self._opened_here()
            return
        seconds = self._settings.answer_seconds + QUEUE_SECONDS
        with _Documents(url, seconds, key=self._settings.key) as server:
            yield There(server)

    def _opened_here(self) -> Reader:
        with self._opening:
            if self._here is None:
                kb = self._opened.enter_context(answering(self._settings))
                self._here = Here(kb)
            return self._here


class There:
    """Through the server that owns the index."""

    def __init__(self, server: _Documents) -> None:
        self._server = server

    def ask(self, question: str) -> AnswerOut:
        return AnswerOut.model_validate(self._server.ask(question))

    def search(self, question: str, count: int) -> SearchOut:
        return SearchOut.model_validate(self._server.search(question, count))

    def revision(self, document_id: str, revision: str | None) -> RevisionOut:
        name = revision or self._server.document(document_id)["revisions"][-1]["revision"]
        return RevisionOut.model_validate(self._server.stored(document_id, name))


class Here:
    """In this process."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb

    def ask(self, question: str) -> AnswerOut:
        self._kb.answering.pin(question, None)  # a wrong question is told before a model is awaited
        self._wait_for_model()
        return AnswerOut.model_validate(self._kb.ask(Ask(question)))

    def search(self, question: str, count: int) -> SearchOut:
        return search(SearchIn(question=question, count=count), self._kb)

    def revision(self, document_id: str, revision: str | None) -> RevisionOut:
        name = revision or self._kb.catalog.revisions_of(document_id)[-1][0]
        return documents.revision(document_id, name, self._kb)

    def _wait_for_model(self) -> None:
        """As long as an answer may take; after that it is made of verbatim quotes."""
        end = time.monotonic() + self._kb.settings.answer_seconds
        while self._kb.model_status()[0] == "loading" and time.monotonic() < end:
            time.sleep(LOOK_AGAIN_SECONDS)


class _Documents(Server):
    """With the routes that show what is stored."""

    def document(self, document_id: str) -> Wire:
        return self._call("GET", f"/v1/documents/{quote(document_id, safe='')}")

    def stored(self, document_id: str, revision: str) -> Wire:
        path = f"{quote(document_id, safe='')}/revisions/{quote(revision, safe='')}"
        return self._call("GET", f"/v1/documents/{path}")
