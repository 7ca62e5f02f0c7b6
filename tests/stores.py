"""What the tests of catalog, vector store and ingest share: texts, embedders, a Chroma server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from kb.ports import PassageStore
from kb.retrieve import Retriever
from kb.types import Document, Encoding, Passage, Unit

SPLITTER = "lines"
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


@dataclass(frozen=True)
class Index:
    """A catalog with its lookup, and a vector store beside it."""

    database: Database
    catalog: Catalog
    lookup: Lookup
    store: PassageStore

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
            self.catalog, self.lookup, self.store, embedder, EMBEDDER.token_count, max_bytes, keep
        )


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


# Chroma 1.5.9's client leaves its HTTP session open when it is closed, and a socket that is
# collected open is an error here. Drop this when `Client.close` closes the session.
_NEVER_COLLECTED: list[ChromaStore] = []


class ChromaServer:
    """`chroma run` on a free port of this machine."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        command = Path(sys.executable).with_name("chroma")
        self._process = subprocess.Popen(
            [command, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
        )

    def wait(self, seconds: float = 30) -> None:
        """Raises TimeoutError when it doesn't listen by then."""
        last = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < last:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("`chroma run` does not listen")

    def open(self, collection: str) -> ChromaStore:
        _NEVER_COLLECTED.append(ChromaStore.server("127.0.0.1", self.port, collection))
        return _NEVER_COLLECTED[-1]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


@contextmanager
def chroma_server(folder: Path) -> Iterator[ChromaServer]:
    """Raises OSError where no server can be started."""
    server = ChromaServer(folder)
    try:
        server.wait()
        yield server
    finally:
        server.stop()
