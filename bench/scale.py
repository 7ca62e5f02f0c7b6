"""`python -m bench.scale`: how long a search takes over 10k and 100k passages, part by part.

No encoder runs: texts are made-up words that follow Zipf's law, vectors are random and lie
around a centre for each document, and questions borrow words and vectors from passages. What is
timed is the product's own code over a real catalog and a real Chroma folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from kb.adapters.chroma import ChromaStore
from kb.catalog import Catalog
from kb.database import Database
from kb.lookup import Lookup
from kb.ports import PassageStore
from kb.retrieve import DEPTH, Retriever, content_words
from kb.types import Document, Encoding, Filters, Float32, Passage, TokenVectors, Unit

SPLITTER, EMBEDDER = "scale-1", "random"
DIMENSION, TOKEN_DIMENSION = 384, 64
VOCABULARY, WORDS, A_DOCUMENT = 50_000, 110, 30  # words, words a passage, passages a document
TOKENS_A_WORD = 1.3
# Of a passage's words, how many say what the corpus is about. Each of those words is in about
# every third passage, as "model" and "open" are in ours: the dearest kind for a word search.
SUBJECT_WORDS, SUBJECT_SHARE = 12, 0.05
FUNCTION_SHARE = 0.45
_SYLLABLES = [c + v for c in "b d f g k l m n p r s t v z br tr st".split() for v in "aeiou"]
_FUNCTION = "the of a in to and is that for with as on are by it from or can not which".split()


@dataclass(frozen=True, slots=True)
class Scale:
    """An index of made-up passages, and questions to ask it."""

    lookup: Lookup
    store: PassageStore
    version: int
    questions: Sequence[str]
    encodings: dict[str, Encoding]


class Prepared:
    """An Embedder that knows its questions: the time of the real one is no part of this."""

    name = EMBEDDER
    weights_sha256 = "0" * 64
    dimension = DIMENSION

    def __init__(self, encodings: dict[str, Encoding]) -> None:
        self._encodings = encodings

    def embed_query(self, text: str) -> Encoding:
        return self._encodings[text]

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        return [self._encodings[text] for text in texts]


# -- texts and vectors ---------------------------------------------------------------------------


class Writer:
    """Makes documents and questions; the same seed makes the same ones."""

    def __init__(self, seed: int = 7) -> None:
        self._chance = np.random.default_rng(seed)
        syllables = self._chance.choice(_SYLLABLES, (VOCABULARY, 4))
        lengths = self._chance.integers(2, 5, VOCABULARY)
        self._words = ["".join(row[:n]) for row, n in zip(syllables, lengths, strict=True)]
        weights = 1 / (np.arange(VOCABULARY - SUBJECT_WORDS) + 10.0)
        self._weights = weights / weights.sum()
        vectors = self._chance.normal(size=(VOCABULARY, TOKEN_DIMENSION)).astype(np.float32)
        vectors *= 127 / np.linalg.norm(vectors, axis=1, keepdims=True)
        self._tokens = np.rint(vectors).astype(np.int8)

    def document(self, number: int) -> tuple[Document, list[Passage], list[Encoding]]:
        bodies = [self._body() for _ in range(A_DOCUMENT)]
        text = "\n\n".join(bodies)
        year, month = 2020 + number % 6, 1 + number % 12
        document = Document(
            id=f"document-{number:06}.md",
            title=f"Document {number}",
            publisher=f"Publisher {number % 20}",
            uri=f"document-{number:06}.md",
            as_of=f"{year}-{month:02}",
            text=text,
        )
        revision, at, passages = document.revision, 0, []
        for i, body in enumerate(bodies):
            span = (at, at + len(body))
            unit = Unit(0, len(body), *span)
            passages.append(
                Passage(document.id, revision, i, "prose", *span, document.title, body, (unit,))
            )
            at += len(body) + 2
        centre = self._unit()
        return document, passages, [self._encoding(body, centre) for body in bodies]

    def question(self, passage: Passage, encoding: Encoding) -> tuple[str, Encoding]:
        """Four words of the passage, two of the subject's, and function words between them."""
        words = [w for w in dict.fromkeys(passage.body.split()) if w not in _FUNCTION]
        own = [w for w in words if w not in self._words[:SUBJECT_WORDS]]
        chosen = [str(w) for w in self._chance.choice(own, 4, replace=False)]
        chosen += [str(w) for w in self._chance.choice(self._words[:SUBJECT_WORDS], 2, False)]
        text = f"what is the {' '.join(chosen[:3])} of the {' '.join(chosen[3:])} ?"
        near = encoding.pooled + 0.7 * self._unit()
        tokens = self._chance.integers(0, len(encoding.tokens.ids), 14)
        return text, Encoding(
            (near / np.linalg.norm(near)).astype(np.float32),
            TokenVectors(
                encoding.tokens.ids[tokens],
                np.arange(14, dtype=np.uint16),
                encoding.tokens.vectors[tokens],
            ),
        )

    def _body(self) -> str:
        kinds = self._chance.random(WORDS)
        rare = self._chance.choice(VOCABULARY - SUBJECT_WORDS, WORDS, p=self._weights)
        common = self._chance.integers(0, len(_FUNCTION), WORDS)
        subject = self._chance.integers(0, SUBJECT_WORDS, WORDS)
        return " ".join(
            _FUNCTION[c]
            if kind < FUNCTION_SHARE
            else self._words[s if kind < FUNCTION_SHARE + SUBJECT_SHARE else r + SUBJECT_WORDS]
            for kind, r, c, s in zip(kinds, rare, common, subject, strict=True)
        )

    def _encoding(self, body: str, centre: Float32) -> Encoding:
        count = round(len(body.split()) * TOKENS_A_WORD)
        ids = self._chance.choice(VOCABULARY - SUBJECT_WORDS, count, p=self._weights)
        pooled = centre + 0.7 * self._unit()
        return Encoding(
            (pooled / np.linalg.norm(pooled)).astype(np.float32),
            TokenVectors(
                ids.astype(np.uint16), np.arange(count, dtype=np.uint16), self._tokens[ids]
            ),
        )

    def _unit(self) -> Float32:
        vector = self._chance.normal(size=DIMENSION)
        unit: Float32 = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit


# -- the index -----------------------------------------------------------------------------------


def build(folder: Path, passages: int, questions: int) -> Scale:
    """An index of about that many passages in an empty folder."""
    database = Database(f"sqlite:///{folder / 'catalog.sqlite3'}")
    catalog, store, writer = Catalog(database), ChromaStore.embedded(folder / "chroma"), Writer()
    documents = -(-passages // A_DOCUMENT)
    every = max(1, documents // questions)
    staged: list[tuple[str, str]] = []
    encodings: dict[str, Encoding] = {}
    for number in range(documents):
        document, found, encoded = writer.document(number)
        ids = [passage.id(SPLITTER, EMBEDDER) for passage in found]
        catalog.stage(document, SPLITTER, list(zip(ids, found, encoded, strict=True)))
        store.put(ids, np.stack([encoding.pooled for encoding in encoded]))
        staged.append((document.id, document.revision))
        if number % every == 0:
            encodings |= [writer.question(found[0], encoded[0])]
    version = catalog.flip(staged)
    return Scale(Lookup(database), store, version, tuple(encodings), encodings)
