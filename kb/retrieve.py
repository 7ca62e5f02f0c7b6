"""Question to ranked passages: dense and lexical candidates, re-ranked by late interaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.errors import StoreUnavailable
from kb.lookup import Lookup
from kb.ports import Embedder, PassageStore
from kb.ranking import (
    best_matches,
    inverse_document_frequency,
    max_sim_idf,
    name_agreement,
    ordered,
    reciprocal_rank_fusion,
    relative_to_best,
)
from kb.types import Encoding, Filters, Float32, Hit, StoredPassage

DEPTH = 60  # candidates from each of the two searches
# A hit's score: sharpened late interaction, plus these shares of two further signals. Measured on
# the development questions and on half of SQuAD's articles: powers of 3 to 6 and lexical weights of
# 0.15 to 0.3 are equally good; reciprocal ranks in place of BM25's own scores cost 0.03 to 0.05 of
# mean reciprocal rank, the best sentence's coverage in place of the passage's 0.01 to 0.02.
SHARPNESS = 4  # power of the cosines
LEXICAL_WEIGHT = 0.20  # of BM25, as a share of the question's best
NAME_WEIGHT = 0.05  # of an exact name; 0.10 ranks no better
# The store also holds what other versions do: times DEPTH that are asked for at first, and times as
# many where too few of them were found.
SPARE, WIDER = 1.5, 4
EXACT_LIMIT = 4000  # up to this many passages left by the filters, exact search beats the graph

_WORD = re.compile(r"\w+")
# Function words: they match everywhere, cost the full-text index most and find nothing.
_FUNCTION_WORDS = frozenset(
    """
    a about am an and any are as at be been between but by can could did do does for from had has
    have how i if in into is it its may me might more most much my no not of on one or our should
    so some such than that the their them then there these they this those to us was we were what
    when where which while who whom whose why will with would you your
    """.split()
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search saw: the question's encoding, its tokens' weights (n,), and the hits."""

    query: Encoding
    idf: Float32
    hits: tuple[Hit, ...]
    by_words_only: bool = False  # the vector store was away and could not be done without


class Retriever:
    """Reads one corpus version per call; shares nothing that changes between calls."""

    def __init__(self, embedder: Embedder, store: PassageStore, lookup: Lookup) -> None:
        self._embedder = embedder
        self._store = store
        self._lookup = lookup

    def search(
        self,
        question: str,
        version: int,
        filters: Filters | None = None,
        count: int = 10,
        words_will_do: bool = False,
    ) -> Found:
        """The `count` best passages of that version, best first. words_will_do: rather than raise
        StoreUnavailable where the vector store is away."""
        filters = filters or Filters()
        query = self._embedder.embed_query(question)
        frequencies = self._lookup.frequencies(version)
        idf = inverse_document_frequency(
            query.tokens.ids, frequencies.containing, frequencies.passages
        )
        dense, none = self._near(query.pooled, version, filters, words_will_do)
        lexical = self._lookup.lexical(content_words(question), version, DEPTH, filters)
        ids = list(dict.fromkeys(i for i, _ in (*dense, *lexical)))
        stored = self._lookup.load(ids, version, filters)
        hits = self._rank(question, query, idf, dense, lexical, stored)
        return Found(query, idf, tuple(hits[:count]), by_words_only=none)

    def _near(
        self, vector: Float32, version: int, filters: Filters, words_will_do: bool
    ) -> tuple[list[tuple[str, float]], bool]:
        """(as `_dense`, whether that is left out): without the vector store by the catalog's own
        vectors, where they are few enough."""
        try:
            return self._dense(vector, version, filters), False
        except StoreUnavailable:
            if self._lookup.count(version, filters) <= EXACT_LIMIT:
                return self._exact(vector, version, filters), False
            if not words_will_do:
                raise
            return [], True

    def _dense(self, vector: Float32, version: int, filters: Filters) -> list[tuple[str, float]]:
        """The DEPTH nearest of that version that the filters let through."""
        passing = self._lookup.count(version, filters)
        if not passing or (passing <= EXACT_LIMIT and not filters.empty):
            return self._exact(vector, version, filters)
        asked = round(SPARE * DEPTH * self._lookup.count(version, Filters()) / passing)
        while True:
            found = self._store.nearest(vector, asked)
            here = set(self._lookup.among([i for i, _ in found], version, filters))
            if len(here) >= DEPTH or len(found) < asked:
                return [pair for pair in found if pair[0] in here][:DEPTH]
            asked *= WIDER

    def _exact(self, vector: Float32, version: int, filters: Filters) -> list[tuple[str, float]]:
        rows = self._lookup.matching(version, filters, EXACT_LIMIT)
        if not rows:
            return []
        cosines = np.stack([pooled for _, pooled in rows]) @ vector
        best = np.argsort(-cosines, kind="stable")[:DEPTH]
        return [(rows[i][0], float(cosines[i])) for i in best]

    def _rank(
        self,
        question: str,
        query: Encoding,
        idf: Float32,
        dense: Sequence[tuple[str, float]],
        lexical: Sequence[tuple[str, float]],
        stored: dict[str, StoredPassage],
    ) -> list[Hit]:
        stages = {
            "dense": {i: s for i, s in dense if i in stored},
            "lexical": {i: s for i, s in lexical if i in stored},
        }
        fused = dict(reciprocal_rank_fusion([ordered(stages["dense"]), ordered(stages["lexical"])]))
        ids = sorted(fused)
        best = best_matches(query.tokens, [stored[i].tokens for i in ids])
        late = max_sim_idf(best, idf, SHARPNESS)
        words = relative_to_best(stages["lexical"])
        hits = []
        for i, score in zip(ids, late.tolist(), strict=True):
            passage = stored[i].passage
            agreement = name_agreement(question, f"{passage.heading}\n{passage.body}")
            scores = {name: stage[i] for name, stage in stages.items() if i in stage}
            scores |= {"fused": fused[i], "late": score}
            score += LEXICAL_WEIGHT * words.get(i, 0.0) + NAME_WEIGHT * agreement
            hits.append(Hit(stored[i], score, scores))
        return sorted(hits, key=lambda hit: (-hit.score, hit.stored.id))


def content_words(question: str) -> list[str]:
    """The question's words for the full-text index, without function words unless only those
    are there; in order, each once."""
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(question)))
    return [word for word in words if word not in _FUNCTION_WORDS] or words
