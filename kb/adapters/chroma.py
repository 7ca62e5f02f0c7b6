"""PassageStore on Chroma, embedded in this process or on a Chroma server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateHNSWConfiguration
from chromadb.config import Settings
from chromadb.errors import ChromaError, InvalidArgumentError, InvalidDimensionException

from kb.errors import IndexMismatch, StoreUnavailable
from kb.types import Float32

COLLECTION = "passages"
_PAGE = 5000  # Chroma takes at most 5,461 rows at once
# A wider search of the graph than Chroma's default of 100: what it misses, no later stage finds.
_HNSW: CreateHNSWConfiguration = {"space": "cosine", "ef_construction": 100, "ef_search": 200}


class ChromaStore:
    """One collection of cosine vectors. Rows carry an id and a vector; all else is the catalog's.

    Embedded, a folder must have one owning process: two on one path lose acknowledged rows.
    """

    def __init__(self, client: ClientAPI, collection: str) -> None:
        self._client = client
        with _translated():
            self._collection = client.get_or_create_collection(
                collection,
                embedding_function=None,  # or Chroma downloads a model of its own
                configuration={"hnsw": _HNSW},
            )

    @classmethod
    def embedded(cls, folder: Path, collection: str = COLLECTION) -> ChromaStore:
        with _translated():
            folder.mkdir(parents=True, exist_ok=True)
            return cls(chromadb.PersistentClient(str(folder), settings=_quiet()), collection)

    @classmethod
    def server(cls, host: str, port: int, collection: str = COLLECTION) -> ChromaStore:
        with _translated():
            return cls(chromadb.HttpClient(host, port, settings=_quiet()), collection)

    def put(self, ids: Sequence[str], vectors: Float32) -> None:
        with _translated():
            for start in range(0, len(ids), _PAGE):
                # upsert: `add` silently keeps the old row of an id that exists
                self._collection.upsert(
                    ids=list(ids[start : start + _PAGE]),
                    embeddings=vectors[start : start + _PAGE],
                )

    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        with _translated():
            found: Any = self._collection.query(
                query_embeddings=vector[np.newaxis], n_results=count, include=["distances"]
            )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        # by id where equal: Chroma's own order is that of ingestion
        return sorted(((i, 1.0 - float(d)) for i, d in pairs), key=lambda hit: (-hit[1], hit[0]))

    def remove(self, ids: Sequence[str]) -> None:
        with _translated():
            for start in range(0, len(ids), _PAGE):
                self._collection.delete(ids=list(ids[start : start + _PAGE]))

    def ids(self) -> Iterable[str]:
        offset = 0
        while True:
            with _translated():
                page = self._collection.get(include=[], limit=_PAGE, offset=offset)["ids"]
            yield from page
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def close(self) -> None:
        """Lets go of the folder, or of the server."""
        with _translated():
            self._client.close()  # type: ignore[attr-defined]  # its class has it, not its type


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
    # Chroma passes on what its HTTP client raises, and turns some of it into a ValueError
    except (ChromaError, httpx.HTTPError, ValueError, OSError) as error:
        raise StoreUnavailable(
            f"the vector store failed: {error}. Look at it with: kb doctor"
        ) from error
