"""Shipped in-memory ports that behave: same promises as the real ones, no weights, no disk."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from kb.errors import IndexMismatch
from kb.types import Encoding, Float32, TokenVectors

WORD = re.compile(r"\w+|[^\w\s]")
DIMENSION, TOKEN_DIMENSION = 256, 64  # a digest's bits; what TokenVectors hold
WINDOW = 254
MAX_CHARS = 65_535  # token starts are stored as uint16


class WordEmbedder:
    """An Embedder whose vectors are hashes of lower-cased words: shared words rank higher.

    Two different words have a cosine near 0, the same word 1. Nothing is known about meaning.
    """

    name = "word-hash"
    weights_sha256 = hashlib.sha256(b"word-hash 1").hexdigest()
    dimension = DIMENSION
    window = WINDOW

    def token_count(self, text: str) -> int:
        return len(WORD.findall(text))

    def embed_query(self, text: str) -> Encoding:
        return self.embed_passages([text])[0]

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        return [_encoding(text) for text in texts]


def _encoding(text: str) -> Encoding:
    found = list(WORD.finditer(text[:MAX_CHARS]))[:WINDOW]
    digests = [_digest(match.group()) for match in found]
    signs = np.array([_signs(d) for d in digests], dtype=np.float32).reshape(-1, DIMENSION)
    # No words, no direction: the hash of nothing stands in, so that the vector has unit length.
    total = signs.sum(axis=0) if digests else _signs(_digest(""))
    short = signs[:, :TOKEN_DIMENSION] * (127 / np.sqrt(TOKEN_DIMENSION))
    tokens = TokenVectors(
        ids=np.array([int.from_bytes(d[:2]) for d in digests], dtype=np.uint16),
        starts=np.array([match.start() for match in found], dtype=np.uint16),
        vectors=np.rint(short).astype(np.int8),
    )
    return Encoding((total / np.linalg.norm(total)).astype(np.float32), tokens)


def _digest(word: str) -> bytes:
    # surrogatepass: any Python string can be hashed, even one that no UTF-8 can hold
    encoded = word.lower().encode("utf-8", "surrogatepass")
    return hashlib.blake2b(encoded, digest_size=DIMENSION // 8).digest()


def _signs(digest: bytes) -> Float32:
    bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))
    return bits.astype(np.float32) * 2 - 1


class MemoryPassageStore:
    """A PassageStore in a dictionary, searched exactly. Safe to share between threads."""

    def __init__(self) -> None:
        self._vectors: dict[str, Float32] = {}
        self._lock = threading.Lock()

    def put(self, ids: Sequence[str], vectors: Float32) -> None:
        """Raises IndexMismatch when the vectors are not as long as those already stored."""
        new = {id: _unit(vector) for id, vector in zip(ids, vectors, strict=True)}
        with self._lock:
            lengths = {len(v) for v in (*self._vectors.values(), *new.values())}
            if len(lengths) > 1:
                raise IndexMismatch(f"vectors of different lengths: {sorted(lengths)}")
            self._vectors.update(new)

    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        """Raises IndexMismatch when the vector is not as long as the stored ones."""
        with self._lock:
            ids, stored = list(self._vectors), list(self._vectors.values())
        if not ids:
            return []
        if len(stored[0]) != len(vector):
            raise IndexMismatch(f"the index holds {len(stored[0])} dimensions, not {len(vector)}")
        cosines = np.stack(stored) @ _unit(vector)
        best = sorted(zip(ids, cosines.tolist(), strict=True), key=lambda hit: (-hit[1], hit[0]))
        return best[:count]

    def remove(self, ids: Sequence[str]) -> None:
        with self._lock:
            for id in ids:
                self._vectors.pop(id, None)

    def ids(self) -> Iterable[str]:
        with self._lock:
            return list(self._vectors)

    def having(self, ids: Sequence[str]) -> set[str]:
        with self._lock:
            return self._vectors.keys() & set(ids)

    def tidy(self, vectors: Callable[[], Iterable[tuple[str, Float32]]]) -> bool:
        """What is removed takes no room."""
        return False


def _unit(vector: Float32) -> Float32:
    """A copy of unit length; a zero vector stays zero and is near to nothing."""
    unit: Float32 = (vector / (np.linalg.norm(vector) or 1.0)).astype(np.float32)
    return unit
