"""PassageStore on Chroma, embedded in this process or on a Chroma server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import chromadb
import httpx
import numpy as np
from chromadb import Collection
from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.config import Settings
from chromadb.errors import (
    ChromaError,
    InvalidArgumentError,
    InvalidDimensionException,
    NotFoundError,
)

from kb.adapters import chroma_server
from kb.adapters.gate import Gate
from kb.breaker import Breaker
from kb.errors import IndexMismatch, StoreUnavailable
from kb.types import Float32

COLLECTION = "passages"
_PAGE = 5000  # Chroma takes at most 5,461 rows at once
# A wider search of the graph than Chroma's default of 100: what it misses, no later stage finds.
_HNSW: CreateHNSWConfiguration = {"space": "cosine", "ef_construction": 100, "ef_search": 200}

# Chroma 1.5.9 marks removed vectors in its graph and never gives their room to others. Making the
# graph anew takes a second for every 1,000 vectors, so not before there is this much to gain.
_MOST_GROWN, _SLACK = 1.5, 500  # times the vectors that are there, and so many more
_LENGTHS, _LENGTH_BYTES = "length.bin", 4  # a file of the graph's with a float for each vector


class ChromaStore:
    """One collection of cosine vectors. Rows carry an id and a vector; all else is the catalog's.

    Embedded, a folder must have one owning process: two on one path lose acknowledged rows.
    """

    def __init__(
        self,
        connect: Callable[[], ClientAPI],
        collection: str,
        folder: Path | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        """folder: where an embedded one keeps everything; None for a server's. breaker: so that
        not every search waits for a server that hangs."""
        self._connect = connect
        self._name = collection
        self._folder = folder
        self._gate = Gate()
        self._breaker = breaker
        with _translated():
            self._open()

    @classmethod
    def embedded(cls, folder: Path, collection: str = COLLECTION) -> ChromaStore:
        def connect() -> ClientAPI:
            folder.mkdir(parents=True, exist_ok=True)
            return chromadb.PersistentClient(str(folder), settings=_quiet())

        for left in (_beside(folder, "new"), _beside(folder, "old")):
            shutil.rmtree(left, ignore_errors=True)
        return cls(connect, collection, folder)

    @classmethod
    def server(cls, url: str, seconds: float, collection: str = COLLECTION) -> ChromaStore:
        """seconds: for any answer of the server. Once this is opened, a server that goes and comes
        back is used again. Raises StoreUnavailable."""
        return cls(lambda: chroma_server.connect(url, seconds), collection, breaker=Breaker())

    def put(self, ids: Sequence[str], vectors: Float32) -> None:
        with self._reaching():
            for start in range(0, len(ids), _PAGE):
                # upsert: `add` silently keeps the old row of an id that exists
                self._collection.upsert(
                    ids=list(ids[start : start + _PAGE]),
                    embeddings=vectors[start : start + _PAGE],
                )

    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        with self._trying(), self._reaching():
            found: Any = self._collection.query(
                query_embeddings=vector[np.newaxis], n_results=count, include=["distances"]
            )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        # by id where equal: Chroma's own order is that of ingestion
        return sorted(((i, 1.0 - float(d)) for i, d in pairs), key=lambda hit: (-hit[1], hit[0]))

    def remove(self, ids: Sequence[str]) -> None:
        with self._reaching():
            for start in range(0, len(ids), _PAGE):
                self._collection.delete(ids=list(ids[start : start + _PAGE]))

    def ids(self) -> Iterable[str]:
        offset = 0
        while True:
            with self._reaching():
                page = self._collection.get(include=[], limit=_PAGE, offset=offset)["ids"]
            yield from page
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def having(self, ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        with self._reaching():
            for start in range(0, len(ids), _PAGE):
                page = list(ids[start : start + _PAGE])
                found |= set(self._collection.get(ids=page, include=[])["ids"])
        return found

    def tidy(self, vectors: Callable[[], Iterable[tuple[str, Float32]]]) -> bool:
        """Only where it is embedded: a server's folder is the server's own affair."""
        if self._folder is None or not self._overgrown(self._folder):
            return False
        fresh, past = _beside(self._folder, "new"), _beside(self._folder, "old")
        try:
            self._fill(fresh, vectors())
            with self._gate.alone(), _translated():
                self._client.close()  # type: ignore[attr-defined]  # as in `close`
                try:
                    _exchange(self._folder, fresh, past)
                finally:
                    self._open()
        finally:
            for left in (fresh, past):
                shutil.rmtree(left, ignore_errors=True)
        return True

    def clear(self) -> None:
        """Removes every vector, and forgets how long they were."""
        with self._gate.alone(), _translated():
            self._client.delete_collection(self._name)
            self._collection = self._made()

    def close(self) -> None:
        """Lets go of the folder, or of the server."""
        with self._gate.alone(), _translated():
            self._client.close()  # type: ignore[attr-defined]  # its class has it, not its type
            if self._folder is None:
                chroma_server.disconnect(self._client)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        """A server that comes back with other data has another collection of that name, or none:
        it is looked up for the next call, and not made, which would pass for an empty index."""
        with self._gate.using(), _translated():
            try:
                yield
            except NotFoundError:
                self._collection = self._client.get_collection(self._name, embedding_function=None)
                raise

    @contextmanager
    def _trying(self) -> Iterator[None]:
        """Raises StoreUnavailable at once while the breaker is open."""
        if self._breaker is None:
            yield
            return
        if (wait := self._breaker.wait_seconds()) > 0:
            raise StoreUnavailable(
                "the vector store has failed several times in a row; it is tried again in "
                f"{wait:.0f} s. Look at it with: kb doctor"
            )
        try:
            yield
        except StoreUnavailable as error:
            if not isinstance(
                error.__cause__, NotFoundError
            ):  # which is an answer, and a quick one
                self._breaker.failed()
            raise
        self._breaker.succeeded()

    def _open(self) -> None:
        self._client = self._connect()
        self._collection = self._made()

    def _made(self) -> Collection:
        return self._client.get_or_create_collection(
            self._name,
            embedding_function=None,  # or Chroma downloads a model of its own
            configuration={"hnsw": _HNSW},
        )

    def _overgrown(self, folder: Path) -> bool:
        """Whether its graphs, also those of collections that are gone, hold too much that is not
        there any more."""
        with self._reaching():
            there = self._collection.count()
            bytes_ = sum(path.stat().st_size for path in folder.glob(f"*/{_LENGTHS}"))
        return bytes_ // _LENGTH_BYTES > _MOST_GROWN * there + _SLACK

    def _fill(self, folder: Path, vectors: Iterable[tuple[str, Float32]]) -> None:
        left = iter(vectors)
        store = ChromaStore.embedded(folder, self._name)
        try:
            while batch := list(islice(left, _PAGE)):
                store.put([i for i, _ in batch], np.stack([vector for _, vector in batch]))
        finally:
            store.close()


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f"{folder.name}.{what}")


def _exchange(folder: Path, fresh: Path, past: Path) -> None:
    """A kill in between leaves no `folder`: the next start makes the vectors again."""
    folder.rename(past)
    try:
        fresh.rename(folder)
    except OSError:
        past.rename(folder)
        raise


def _quiet() -> Settings:
    # New ones for each client: a client writes its own address into those that it is given
    return Settings(anonymized_telemetry=False)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (InvalidArgumentError, InvalidDimensionException) as error:
        raise IndexMismatch(
            f"the vector store refused a vector: {error}. Rebuild it: kb ingest --rebuild PATH"
        ) from error
    except NotFoundError as error:
        raise StoreUnavailable(
            "the vector store has lost this index's vectors; put them back: kb doctor --repair"
        ) from error
    # Chroma passes on what its HTTP client raises, and turns some of it into a ValueError
    except (ChromaError, httpx.HTTPError, ValueError, OSError) as error:
        raise StoreUnavailable(
            f"the vector store failed: {error}. Look at it with: kb doctor"
        ) from error
