"""Documents whose passages are embedded together: enough to sort by length into full batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ingest.crew import Ready
from kb.ports import Embedder
from kb.types import Encoding

BUFFER = 256  # passages
STEP = 64  # passages between two signs of progress, each a moment to cancel: a second or two


@dataclass(slots=True)
class Buffer:
    documents: list[Ready] = field(default_factory=list)

    @property
    def passages(self) -> int:
        return sum(len(ready.passages) for ready in self.documents)

    @property
    def full(self) -> bool:
        return max(self.passages, len(self.documents)) >= BUFFER

    @property
    def bodies(self) -> Iterable[str]:
        return (passage.body for ready in self.documents for passage in ready.passages)


def embed(
    bodies: Iterable[str],
    known: Mapping[str, Encoding],
    embedder: Embedder,
    told: Callable[[int], None],
) -> dict[str, Encoding]:
    """Of the bodies that are not `known`. told: how many of those are done; what it raises ends
    this."""
    new = sorted((body for body in dict.fromkeys(bodies) if body not in known), key=len)
    made: dict[str, Encoding] = {}
    for start in range(0, len(new), STEP):
        some = new[start : start + STEP]
        made |= dict(zip(some, embedder.embed_passages(some), strict=True))
        told(len(made))
    return made
