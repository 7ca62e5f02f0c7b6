"""The domain's types: frozen, and impossible to build in a state that breaks the promise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from kb.reading import Reading

Float32 = npt.NDArray[np.float32]
Int8 = npt.NDArray[np.int8]
UInt16 = npt.NDArray[np.uint16]

PassageKind = Literal["prose", "row", "table"]
Outcome = Literal["answered", "quoted", "conflicting", "refused"]
Reason = Literal["no_evidence", "not_stated", "off_topic", "unsafe_request"]
Role = Literal["system", "user", "assistant"]


def sha256_of(*parts: str) -> str:
    """Hex sha256 over the parts, framed so that ("ab", "c") and ("a", "bc") differ."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


# -- documents and passages ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """One revision of a source document. Offsets everywhere are code points into `text`."""

    id: str  # URL-safe, stable across revisions
    title: str
    publisher: str | None
    uri: str  # the document's own address; for a file its path under the ingested folder
    as_of: str | None  # ISO 8601, as precise as the source is: 2026, 2026-05 or 2026-05-01
    text: str
    reading: Reading = field(default_factory=Reading, compare=False)
    origin: str | None = field(default=None, compare=False)  # the file that it was read from

    @property
    def revision(self) -> str:
        """What this revision is called: changes when anything a reader sees changes."""
        parts = (self.id, self.title, self.publisher or "", self.uri, self.as_of or "", self.text)
        return f"sha256:{sha256_of(*parts)}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence or table row inside a passage: where it stands in the body and in the text."""

    body_start: int
    body_end: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Passage:
    """What is embedded and found. `text[start:end]` of the revision is its source."""

    document_id: str
    revision: str
    ordinal: int
    kind: PassageKind
    start: int
    end: int
    heading: str  # the path of headings above it, joined by " > "; shown, never embedded
    body: str  # prose: the source itself; rows: "header: value; …", one line a row
    units: tuple[Unit, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"empty span {self.start}:{self.end}")
        if not self.units:
            raise ValueError("a passage holds at least one sentence or row")

    def id(self, splitter: str, embedder: str) -> str:
        """Deterministic, so that writing the same passage twice is harmless."""
        span = f"{self.kind}:{self.start}:{self.end}"
        return sha256_of(self.revision, span, splitter, embedder)[:32]


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """One forward pass's token vectors, reduced: for late interaction.

    ids: (n,) vocabulary ids. starts: (n,) where each token starts in the encoded string, code
    points. vectors: (n, 64) int8; a unit vector times 127.
    """

    ids: UInt16
    starts: UInt16
    vectors: Int8

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.starts) == len(self.vectors):
            raise ValueError("ids, starts and vectors differ in length")


@dataclass(frozen=True, slots=True)
class Encoding:
    """pooled: (dimension,) unit vector, float32; tokens: from the same forward pass."""

    pooled: Float32
    tokens: TokenVectors


@dataclass(frozen=True, slots=True)
class IndexIdentity:
    """What an index was made with; a different one can't be searched together with it."""

    embedder: str
    weights_sha256: str
    dimension: int
    splitter: str


@dataclass(frozen=True, slots=True)
class Filters:
    """Narrows a search; empty fields don't narrow. Dates compare as ISO strings."""

    document_ids: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    as_of_from: str | None = None
    as_of_to: str | None = None

    @property
    def empty(self) -> bool:
        return self == Filters()


# -- what a search finds -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """The document a passage comes from, as a reader is shown it."""

    document_id: str
    revision: str
    title: str
    publisher: str | None
    uri: str
    as_of: str | None


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage as the catalog gives it back: with its id, its source and its token vectors."""

    id: str
    passage: Passage
    source: Source
    text: str  # the exact source text of the span
    tokens: TokenVectors


@dataclass(frozen=True, slots=True)
class Hit:
    """A ranked passage. `scores` names each stage: dense, lexical, fused, late."""

    stored: StoredPassage
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A sentence or table row that bears on the question, with its exact place."""

    source: Source
    start: int
    end: int
    quote: str  # the revision's text[start:end]
    statement: str  # the same as a reader of one line needs it: rows with their headers
    shown: str  # what of the statement the model is shown: of a wide row, the cells that bear on it
    heading: str
    score: float  # 0 to 1: how much of the question's weight this covers
    kind: PassageKind = "prose"

    def __post_init__(self) -> None:
        if len(self.quote) != self.end - self.start:
            raise ValueError("the quote is not as long as its span")


# -- conversations and models --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of generated text. probability: 0 to 1, the model's own before any grammar held it;
    None where the model's server tells none."""

    text: str
    probability: float | None = None


# -- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Citation:
    """Binds `answer.text[answer_start:answer_end]` to `revision_text[start:end] == quote`."""

    marker: int
    answer_start: int
    answer_end: int
    source: Source
    start: int
    end: int
    quote: str
    heading: str
    support: float

    def __post_init__(self) -> None:
        if self.marker < 1:
            raise ValueError("markers count from 1")
        if not 0 <= self.answer_start < self.answer_end:
            raise ValueError("empty answer span")
        if not self.quote or len(self.quote) != self.end - self.start:
            raise ValueError("the quote is not as long as its span")


@dataclass(frozen=True, slots=True)
class Position:
    """One side of a disagreement: what is said, and the markers of the citations that say it."""

    statement: str
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    about: str
    positions: tuple[Position, ...]

    def __post_init__(self) -> None:
        if len(self.positions) < 2:
            raise ValueError("a conflict has at least two positions")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader gets. Building one that breaks an invariant raises ValueError."""

    id: str
    conversation_id: str
    question: str
    standalone_question: str
    outcome: Outcome
    text: str
    corpus_version: int
    model: str
    reason: Reason | None = None
    citations: tuple[Citation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    withheld: int = 0
    nearest: tuple[Evidence, ...] = ()
    suggestions: tuple[str, ...] = ()  # questions that the corpus does answer
    timings_ms: Mapping[str, int] = field(default_factory=dict)
    confidence: float | None = None  # 0 to 1, calibrated: that what is shown answers the question
    marked: tuple[tuple[int, int], ...] = ()  # spans of the text: the words that answer
    cached: bool = False  # judged and written for an earlier question; searched for this one

    def __post_init__(self) -> None:
        if (self.outcome == "refused") != (self.reason is not None):
            raise ValueError("a refusal has a reason, and nothing else has one")
        if self.outcome == "refused" and self.citations:
            raise ValueError("a refusal cites nothing")
        if self.outcome != "refused" and not self.citations:
            raise ValueError("an answer without a citation can't be shown")
        if any(c.answer_end > len(self.text) for c in self.citations):
            raise ValueError("a citation points past the answer's end")
        if any(not 0 <= start < end <= len(self.text) for start, end in self.marked):
            raise ValueError("a marked span lies outside of the answer")
        if self.outcome == "conflicting" and not self.conflicts:
            raise ValueError("a conflicting answer shows its positions")
        known = {c.marker for c in self.citations}
        used = {m for conflict in self.conflicts for p in conflict.positions for m in p.citations}
        if not used <= known:
            raise ValueError("a position cites a marker that does not exist")
