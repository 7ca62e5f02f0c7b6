"""Documents, vectors and questions made up for measurements of size, where no meaning is needed.

Words follow Zipf's law; a passage's vector lies around a centre for its document; a question
borrows its words and its vector from a passage.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kb.types import Document, Encoding, Float32, Passage, TokenVectors, Unit

EMBEDDER = "made up"
DIMENSION, TOKEN_DIMENSION = 384, 64
VOCABULARY, WORDS, A_DOCUMENT = 50_000, 110, 30  # words, words a passage, passages a document
TOKENS_A_WORD = 1.3
# Of a passage's words, how many say what the corpus is about. Each of those words is in about
# every third passage, as "model" and "open" are in ours: the dearest kind for a word search.
SUBJECT_WORDS, SUBJECT_SHARE = 12, 0.05
FUNCTION_SHARE = 0.45
SPREAD = 0.7  # of vectors around their centre, which has length 1
_SYLLABLES = [c + v for c in "b d f g k l m n p r s t v z br tr st".split() for v in "aeiou"]
_FUNCTION = "the of a in to and is that for with as on are by it from or can not which".split()


@dataclass(frozen=True, slots=True)
class Written:
    document: Document
    passages: Sequence[Passage]
    encodings: Sequence[Encoding]

    def entries(self, splitter: str) -> list[tuple[str, Passage, Encoding]]:
        """What the catalog stages."""
        ids = [passage.id(splitter, EMBEDDER) for passage in self.passages]
        return list(zip(ids, self.passages, self.encodings, strict=True))


@dataclass(frozen=True, slots=True)
class Asked:
    text: str
    encoding: Encoding

    @property
    def pooled(self) -> Float32:
        return self.encoding.pooled


class Prepared:
    """An Embedder that knows its questions: the real one's time is no part of the measurement."""

    name = EMBEDDER
    weights_sha256 = "0" * 64
    dimension = DIMENSION

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._encodings = {one.text: one.encoding for one in asked}

    def token_count(self, text: str) -> int:
        return len(text.split())

    def embed_query(self, text: str) -> Encoding:
        return self._encodings[text]

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        return [self._encodings[text] for text in texts]


class Writer:
    """Makes documents and questions; the same seed makes the same ones."""

    def __init__(self, seed: int = 7) -> None:
        self._chance = np.random.default_rng(seed)
        syllables = self._chance.choice(_SYLLABLES, (VOCABULARY, 4))
        lengths = self._chance.integers(2, 5, VOCABULARY)
        words = ["".join(row[:n]) for row, n in zip(syllables, lengths, strict=True)]
        self._subject, self._words = words[:SUBJECT_WORDS], words[SUBJECT_WORDS:]
        self._up_to = np.cumsum(1 / (np.arange(len(self._words)) + 10.0))
        vectors = self._chance.normal(size=(VOCABULARY, TOKEN_DIMENSION))
        vectors *= 127 / np.linalg.norm(vectors, axis=1, keepdims=True)
        self._tokens = np.rint(vectors).astype(np.int8)

    def documents(self, passages: int) -> Iterator[Written]:
        """As many as hold that many passages."""
        for number in range(-(-passages // A_DOCUMENT)):
            yield self._document(number)

    def question(self, written: Written) -> Asked:
        """Four words of a passage, two of the subject's, and function words between them."""
        passage, encoding = written.passages[0], written.encodings[0]
        common = {*_FUNCTION, *self._subject}
        own = [word for word in dict.fromkeys(passage.body.split()) if word not in common]
        chosen = [
            *self._chance.choice(own, 4, replace=False),
            *self._chance.choice(self._subject, 2, replace=False),
        ]
        text = f"what is the {' '.join(chosen[:3])} of the {' '.join(chosen[3:])} ?"
        tokens = self._chance.integers(0, len(encoding.tokens.ids), len(text.split()))
        return Asked(
            text,
            Encoding(
                self._near(encoding.pooled),
                TokenVectors(
                    encoding.tokens.ids[tokens],
                    np.arange(len(tokens), dtype=np.uint16),
                    encoding.tokens.vectors[tokens],
                ),
            ),
        )

    def _document(self, number: int) -> Written:
        bodies = [self._body() for _ in range(A_DOCUMENT)]
        name = f"document-{number:06}.md"
        date = f"{2020 + number % 6}-{1 + number % 12:02}"
        document = Document(
            name, f"Document {number}", f"Publisher {number % 20}", name, date, "\n\n".join(bodies)
        )
        revision, at, passages = document.revision, 0, []
        for ordinal, body in enumerate(bodies):
            span = (at, at + len(body))
            unit = Unit(0, len(body), *span)
            passages.append(
                Passage(name, revision, ordinal, "prose", *span, document.title, body, (unit,))
            )
            at += len(body) + 2
        centre = self._near(np.zeros(DIMENSION, np.float32))
        return Written(document, passages, [self._encoding(body, centre) for body in bodies])

    def _body(self) -> str:
        kinds = self._chance.random(WORDS)
        function = self._chance.integers(0, len(_FUNCTION), WORDS)
        subject = self._chance.integers(0, SUBJECT_WORDS, WORDS)
        rare = self._ranks(WORDS)
        words = (
            _FUNCTION[f]
            if kind < FUNCTION_SHARE
            else self._subject[s]
            if kind < FUNCTION_SHARE + SUBJECT_SHARE
            else self._words[r]
            for kind, f, s, r in zip(kinds, function, subject, rare, strict=True)
        )
        return " ".join(words)

    def _encoding(self, body: str, centre: Float32) -> Encoding:
        ids = self._ranks(round(len(body.split()) * TOKENS_A_WORD))
        starts = np.arange(len(ids), dtype=np.uint16)
        tokens = TokenVectors(ids.astype(np.uint16), starts, self._tokens[ids])
        return Encoding(self._near(centre), tokens)

    def _ranks(self, count: int) -> npt.NDArray[np.int64]:
        """(count,) numbers of words, by Zipf's law."""
        drawn = self._chance.random(count) * self._up_to[-1]
        return np.asarray(np.searchsorted(self._up_to, drawn), np.int64)

    def _near(self, centre: Float32) -> Float32:
        step = self._chance.normal(size=DIMENSION)
        moved = centre + SPREAD * step / np.linalg.norm(step)
        unit: Float32 = (moved / np.linalg.norm(moved)).astype(np.float32)
        return unit
