"""What the knowledge base needs from outside, as protocols of a few methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from kb.types import Encoding, Float32, Message, Token


class Embedder(Protocol):
    """Turns text into a pooled vector and token vectors, in one forward pass."""

    @property
    def name(self) -> str: ...

    @property
    def weights_sha256(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    def token_count(self, text: str) -> int:
        """Tokens in the text, uncut: for splitting it into what one encoding can hold."""
        ...

    def embed_query(self, text: str) -> Encoding: ...

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        """One encoding a text, in order. Texts past the model's window are cut at the window."""
        ...


class PassageStore(Protocol):
    """One vector a passage, keyed by the passage's id. Can always be rebuilt from the catalog."""

    def put(self, ids: Sequence[str], vectors: Float32) -> None:
        """vectors: (len(ids), dimension). An id that exists already is overwritten."""
        ...

    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        """(id, cosine similarity), best first; fewer than `count` when the store holds fewer."""
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Ids that don't exist are ignored."""
        ...

    def ids(self) -> Iterable[str]:
        """Every id, in no order: for the doctor."""
        ...

    def having(self, ids: Sequence[str]) -> set[str]:
        """Those of `ids` that have a vector."""
        ...

    def tidy(self, vectors: Callable[[], Iterable[tuple[str, Float32]]]) -> bool:
        """Gives back the room that removed vectors still take, where that is worth it; whether it
        was. vectors: (id, vector) of each passage that is to have one. Readers go on meanwhile;
        nobody else may write."""
        ...


class CitedRevisions(Protocol):
    """The answers that were given, as far as documents are concerned."""

    def cited_revisions(self) -> set[tuple[str, str]]:
        """(document id, revision) of every text that a stored answer quotes."""
        ...

    def forget_document(self, document_id: str) -> int:
        """Removes every stored answer that quotes the document. Returns how many went."""
        ...


class ChatModel(Protocol):
    """An open-weights model that points; it is never trusted to know."""

    @property
    def name(self) -> str: ...

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        """Pieces of text as they are generated, temperature 0. Stops soon after `cancelled()`
        turns true. Raises ModelNotReady or ModelFailed."""
        ...

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        """As `write`, under a grammar (GBNF). A server that knows no grammars may give any text:
        whoever calls looks whether it was copied. Raises ModelNotReady or ModelFailed."""
        ...

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        """P(Yes) / (P(Yes) + P(No)) of the next token. Raises ModelNotReady or ModelFailed."""
        ...
