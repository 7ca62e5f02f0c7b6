"""What the tests of catalog, vector store and ingest share: texts, embedders, a Chroma server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from ingest.pipeline import Pipeline
from kb.adapters.chroma import ChromaStore
from kb.catalog import Catalog
from kb.database import Database
from kb.fakes import MemoryPassageStore, WordEmbedder
from kb.lookup import Lookup
from kb.ownership import Turn
from kb.ports import PassageStore
from kb.retrieve import Retriever
from kb.types import Document, Encoding, Passage, Unit
from kb.upkeep import Upkeep

SPLITTER = "lines"
SERVER_SECONDS = 180.0  # to start, or to answer: machines that test are busy
EMBEDDER = WordEmbedder()
Entry = tuple[str, Passage, Encoding]


def document(
    id: str, *lines: str, publisher: str | None = None, as_of: str | None = None
) -> Document:
    return Document(id, id.title(), publisher, f"{id}.md", as_of, "\n".join(lines))


@cache
def entries(document: Document) -> tuple[Entry, ...]:
    """A passage a line that isn't empty; its body is the line."""
    found: list[Entry] = []
    at = 0
    for line in document.text.split("\n"):
        if line:
            span = (at, at + len(line))
            unit = Unit(0, len(line), *span)
            passage = Passage(
                document.id, document.revision, len(found), "prose", *span, "", line, (unit,)
            )
            identity = passage.id(SPLITTER, EMBEDDER.name)
            found.append((identity, passage, EMBEDDER.embed_query(line)))
        at += len(line) + 1
    return tuple(found)


class MemoryAnswers:
    """Stored answers, as far as they quote documents."""

    def __init__(self) -> None:
        self.quoted: list[tuple[str, str]] = []  # document id, revision: one an answer

    def cited_revisions(self) -> set[tuple[str, str]]:
        return set(self.quoted)

    def forget_document(self, document_id: str) -> int:
        before = len(self.quoted)
        self.quoted = [one for one in self.quoted if one[0] != document_id]
        return before - len(self.quoted)


@dataclass(frozen=True)
class Index:
    """A catalog with its lookup, and a vector store beside it."""

    database: Database
    catalog: Catalog
    lookup: Lookup
    store: PassageStore

    answers: MemoryAnswers = field(default_factory=MemoryAnswers)

    @property
    def turn(self) -> Turn:
        return Turn(self.database)

    def upkeep(self, keep: int = 1) -> Upkeep:
        return Upkeep(self.catalog, self.lookup, self.store, self.answers, self.turn, keep)

    @property
    def retriever(self) -> Retriever:
        return Retriever(EMBEDDER, self.store, self.lookup)

    def stage(self, *documents: Document) -> list[tuple[str, str]]:
        """Unseen, with its vectors; returns what `flip` takes."""
        for one in documents:
            found = entries(one)
            self.catalog.stage(one, SPLITTER, found)
            if found:
                vectors = np.stack([encoding.pooled for _, _, encoding in found])
                self.store.put([identity for identity, _, _ in found], vectors)
        return [(one.id, one.revision) for one in documents]

    def publish(self, *documents: Document, remove: Sequence[str] = ()) -> int:
        return self.catalog.flip(self.stage(*documents), remove)

    def pipeline(
        self, embedder: WordEmbedder = EMBEDDER, keep: int = 1, max_bytes: int = 1_000_000
    ) -> Pipeline:
        return Pipeline(
            self.catalog,
            self.lookup,
            self.store,
            embedder,
            EMBEDDER.token_count,
            max_bytes,
            self.upkeep(keep),
            self.turn,
        )


OpenIndex = Callable[[], AbstractContextManager[Index]]


@contextmanager
def opened(url: str = "sqlite://", store: PassageStore | None = None) -> Iterator[Index]:
    """Without a url in memory: gone at the end, and for one thread only."""
    database = Database(url, wait_seconds=0.5)
    try:
        yield Index(database, Catalog(database), Lookup(database), store or MemoryPassageStore())
    finally:
        database.close()


@contextmanager
def opened_on_disk(home: Path) -> Iterator[Index]:
    """SQLite and Chroma as they are in use."""
    store = ChromaStore.embedded(home / "chroma")
    try:
        with opened(f"sqlite:///{home / 'catalog.sqlite3'}", store) as index:
            yield index
    finally:
        store.close()


@dataclass
class CountingEmbedder(WordEmbedder):
    """Remembers how many texts each call embedded."""

    calls: list[int] = field(default_factory=list)

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        if texts:
            self.calls.append(len(texts))
        return super().embed_passages(texts)


class ChromaServer:
    """`chroma run` on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port: int = free.getsockname()[1]
        self.start(folder)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self, folder: Path) -> None:
        """Raises TimeoutError when it doesn't listen in time."""
        command = Path(sys.executable).with_name("chroma")
        self._process = subprocess.Popen(
            [command, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )
        last = time.monotonic() + SERVER_SECONDS
        while self._process.poll() is None and time.monotonic() < last:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("`chroma run` does not listen")

    def open(self, collection: str) -> ChromaStore:
        return ChromaStore.server(self.url, SERVER_SECONDS, collection)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It keeps its connections and answers nothing."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)  # on a busy machine that takes a while
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def chroma_server(folder: Path) -> Iterator[ChromaServer]:
    """Raises OSError where no server can be started."""
    server = ChromaServer(folder)
    try:
        yield server
    finally:
        server.stop()
