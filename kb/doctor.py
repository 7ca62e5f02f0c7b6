"""Whether the vector store holds what the catalog says it should, and what brings it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from kb.ports import PassageStore
from kb.types import Float32, IndexIdentity

BATCH = 1000  # vectors put at once: 1.5 MB


@dataclass(frozen=True, slots=True)
class Comparison:
    """Passage ids, sorted. missing: kept by the catalog, without a vector. orphaned: vectors of
    which the catalog knows nothing. duplicated: stored more than once."""

    missing: tuple[str, ...]
    orphaned: tuple[str, ...]
    duplicated: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        return not (self.missing or self.orphaned or self.duplicated)


def compare(needed: Iterable[str], known: Collection[str], stored: Iterable[str]) -> Comparison:
    """needed: ids that some kept corpus version holds. known: all of the catalog's, so that
    passages which are staged, or not swept yet, are no orphans. stored: the vector store's."""
    counts = Counter(stored)
    return Comparison(
        missing=tuple(sorted(set(needed) - counts.keys())),
        orphaned=tuple(sorted(counts.keys() - set(known))),
        duplicated=tuple(sorted(id for id, count in counts.items() if count > 1)),
    )


def repair(
    comparison: Comparison, vectors: Iterable[tuple[str, Float32]], store: PassageStore
) -> None:
    """Makes the store hold one vector a needed passage, and none that the catalog doesn't know.
    vectors: (id, (dimension,) vector) of every needed passage. Raises StoreUnavailable."""
    store.remove([*comparison.orphaned, *comparison.duplicated])
    wanted = {*comparison.missing, *comparison.duplicated}
    lacking = ((id, vector) for id, vector in vectors if id in wanted)
    for batch in in_batches(lacking):
        store.put([id for id, _ in batch], np.stack([vector for _, vector in batch]))


def in_batches(
    vectors: Iterator[tuple[str, Float32]],
) -> Iterator[list[tuple[str, Float32]]]:
    """For the store, BATCH at once."""
    while batch := list(islice(vectors, BATCH)):
        yield batch


def identity_findings(found: IndexIdentity | None, wanted: IndexIdentity) -> list[str]:
    """Each field in which the index differs from what this installation would make."""
    if found is None:
        return []
    return [
        f"the index has {name} {was!r}, this installation {now!r}: kb migrate"
        for name, was, now in (
            ("embedder", found.embedder, wanted.embedder),
            ("weights", found.weights_sha256, wanted.weights_sha256),
            ("dimension", found.dimension, wanted.dimension),
            ("splitter", found.splitter, wanted.splitter),
        )
        if was != now
    ]
