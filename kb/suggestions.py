"""Questions that the corpus does answer: offered with a refusal, and to begin with.

They come from the corpus itself: its questions, headings and rows, as `phrasing` puts them. One is
offered only where a search for it finds the very passage that it was phrased from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from sqlalchemy import func, select

from kb import rows
from kb.database import Database
from kb.lookup import Lookup
from kb.phrasing import from_heading, from_passage
from kb.ports import Embedder
from kb.ranking import best_matches, inverse_document_frequency, max_sim_idf, name_agreement
from kb.retrieve import SHARPNESS, Retriever, content_words
from kb.schema import memberships, passages
from kb.types import Encoding, Filters, Float32, Hit, Passage, Unit

OFFERED = 3  # with a refusal
# Of a larger corpus every second, third, … passage is read: a suggestion is one of many that would
# do, and each takes some 2 ms to encode.
MOST_PASSAGES = 2000
MOST_CANDIDATES = 600
VERSIONS = 2  # corpus versions whose candidates are remembered, some 3 kB each
TRIES = 12  # searches at most before fewer are offered
SAMENESS = 0.3  # the share of a candidate's likeness to a chosen one that its score loses
OWN_WORDS = 0.1  # how much nearer to the middle a question counts that the source itself asks
NAME_WEIGHT = 0.1  # of the same model, or against another version of it
# A candidate that covers less of the question's weight is about something else: questions from
# other fields reach 0.01 to 0.07, those on the corpus's own models 0.2 to 0.6.
NEAR = 0.15

Held = frozenset[tuple[str, str]]  # (document id, revision)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """passage: what it was phrased from; from its heading where `by_heading`."""

    text: str
    passage: Passage
    by_heading: bool

    @property
    def is_the_sources(self) -> bool:
        """In these very words."""
        return self.text.lower() in f"{self.passage.heading}\n{self.passage.body}".lower()

    def answered_by(self, hit: Hit) -> bool:
        """Also the same row in a group of rows, or another paragraph under the same heading."""
        own, found = self.passage, hit.stored.passage
        if own.revision != found.revision:
            return False
        overlaps = own.start < found.end and found.start < own.end
        return overlaps or (self.by_heading and own.heading == found.heading)


@dataclass(frozen=True, slots=True)
class _Pool:
    """What one corpus version offers. central: (candidates,) how near each is to all of them.
    answered: what searches have found out so far."""

    candidates: tuple[_Candidate, ...]
    encodings: Sequence[Encoding]
    pooled: Float32  # (candidates, dimension)
    central: Float32
    answered: dict[int, bool] = field(default_factory=dict)


class Suggestions:
    """Safe to share between threads. The first call for a corpus version reads its passages and
    encodes what was phrased from them."""

    def __init__(
        self, database: Database, lookup: Lookup, retriever: Retriever, embedder: Embedder
    ) -> None:
        self._database = database
        self._lookup = lookup
        self._retriever = retriever
        self._embedder = embedder
        self._pool = lru_cache(maxsize=VERSIONS)(self._read)

    def for_question(
        self, question: str, version: int, filters: Filters | None = None
    ) -> tuple[str, ...]:
        """At most OFFERED that are near to the question, the nearest first; where none is, and for
        an empty question, those that `central` gives."""
        pool = self._pool_of(version)
        if not pool.candidates:
            return ()
        near = self._likeness(question, version, pool)
        asked = set(content_words(question))
        for i, candidate in enumerate(pool.candidates):
            if set(content_words(candidate.text)) == asked:
                near[i] = 0.0  # it has just been refused
        near[near < NEAR] = -np.inf
        return self._chosen(pool, near, version, OFFERED, filters) or self._chosen(
            pool, pool.central, version, OFFERED, filters
        )

    def central(self, version: int, count: int) -> tuple[str, ...]:
        """At most `count` that together show what the corpus is about."""
        pool = self._pool_of(version)
        return self._chosen(pool, pool.central, version, count, None)

    # -- choosing --------------------------------------------------------------------------------

    def _likeness(self, question: str, version: int, pool: _Pool) -> Float32:
        """(candidates,) how much of the question's weight each covers, and how well the names
        agree."""
        query = self._embedder.embed_query(question).tokens
        frequencies = self._lookup.frequencies(version)
        idf = inverse_document_frequency(query.ids, frequencies.containing, frequencies.passages)
        best = best_matches(query, [encoding.tokens for encoding in pool.encodings])
        agreement = [name_agreement(question, one.text) for one in pool.candidates]
        scores: Float32 = max_sim_idf(best, idf, SHARPNESS) + NAME_WEIGHT * np.array(
            agreement, np.float32
        )
        return scores

    def _chosen(
        self, pool: _Pool, scores: Float32, version: int, count: int, filters: Filters | None
    ) -> tuple[str, ...]:
        """The best that are unlike each other (maximal marginal relevance, Carbonell and Goldstein
        1998), of those that a search answers."""
        chosen: list[int] = []
        alike = np.zeros(len(scores), np.float32)  # to the one of the chosen that is most alike
        left = scores.copy()
        for _ in range(count + TRIES):
            best = int((left - SAMENESS * alike).argmax()) if len(left) else -1
            if len(chosen) == count or best < 0 or left[best] == -np.inf:
                break
            left[best] = -np.inf
            if self._is_answered(best, pool, version, filters):
                chosen.append(best)
                alike = np.maximum(alike, pool.pooled @ pool.pooled[best])
        return tuple(pool.candidates[i].text for i in chosen)

    def _is_answered(self, i: int, pool: _Pool, version: int, filters: Filters | None) -> bool:
        narrowed = filters is not None and not filters.empty
        if not narrowed and i in pool.answered:
            return pool.answered[i]
        candidate = pool.candidates[i]
        hits = self._retriever.search(candidate.text, version, filters, 1).hits
        answered = bool(hits) and candidate.answered_by(hits[0])
        if not narrowed:
            pool.answered[i] = answered
        return answered

    # -- what a corpus version offers ------------------------------------------------------------

    def _pool_of(self, version: int) -> _Pool:
        """By what the version holds, too: a document may be erased from it."""
        columns = memberships.c
        query = select(columns.document_id, columns.revision).where(rows.live(version))
        with self._database.reading() as connection:
            held = frozenset((one.document_id, one.revision) for one in connection.execute(query))
        return self._pool(version, held)

    def _read(self, version: int, _held: Held) -> _Pool:
        candidates = tuple(_candidates(self._passages(version)))
        encodings = self._embedder.embed_passages([one.text for one in candidates])
        width = self._embedder.dimension
        pooled = np.array([e.pooled for e in encodings], np.float32).reshape(-1, width)
        own = np.array([OWN_WORDS * one.is_the_sources for one in candidates], np.float32)
        central = own + (pooled @ pooled.mean(axis=0) if len(pooled) else 0)
        return _Pool(candidates, encodings, pooled, central)

    def _passages(self, version: int) -> Iterator[Passage]:
        """In the order of the documents, evenly thinned out to MOST_PASSAGES."""
        columns = passages.c
        own = (rows.live(version), columns.kind != "table")  # whose rows are there one by one, too
        joined = passages.join(memberships, rows.same_revision())
        counted = select(func.count()).select_from(joined).where(*own)
        found = select(
            columns.document_id, columns.revision, columns.ordinal, columns.kind, columns.start,
            columns.end, columns.heading, columns.body, columns.units,
        ).select_from(joined)  # fmt: skip
        with self._database.reading() as connection:
            step = -(-(connection.scalar(counted) or 0) // MOST_PASSAGES) or 1
            thin = found.where(*own, columns.row % step == 0).order_by(columns.row)
            for row in connection.execute(thin).all():
                spans = np.frombuffer(row.units, np.int32).reshape(-1, 4).tolist()
                units = tuple(Unit(*span) for span in spans)
                yield Passage(*row[:-1], units=units)


def _candidates(found: Iterator[Passage]) -> Iterator[_Candidate]:
    """Each question once, as the first passage puts it."""
    seen: set[str] = set()
    for passage in found:
        heading = from_heading(passage.heading)
        phrased = [(heading, True)] if heading else []
        phrased += [(text, False) for text in from_passage(passage)]
        for text, by_heading in phrased:
            if text.lower() not in seen and len(seen) < MOST_CANDIDATES:
                seen.add(text.lower())
                yield _Candidate(text, passage, by_heading)
