"""Hits to the few sentences or table rows that bear on the question, with their exact places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kb.names import names
from kb.ranking import best_matches, max_sim_idf, name_agreement
from kb.retrieve import Found, content_words
from kb.types import Evidence, Float32, Hit, TokenVectors, Unit

PASSAGES = 12  # hits whose sentences compete
_PASSAGE_SHARE = 0.4  # of a sentence's score: its passage's, which has seen the neighbours
_NAME_WEIGHT = 0.15
_NEW_GROUND = 0.5  # of the choice of the next piece: what it covers that the chosen ones don't


@dataclass(frozen=True, slots=True)
class Gathered:
    """evidence: best first. coverage: 0 to 1, the share of the question's weight that all of it
    together covers. uncovered: the question's words that none of it mentions."""

    evidence: tuple[Evidence, ...]
    coverage: float
    uncovered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    evidence: Evidence
    cover: Float32  # (query tokens,) best cosine of each
    words: int


def gather(question: str, found: Found, budget: int) -> Gathered:
    """The pieces that together cover most of the question within `budget` words, chosen greedily
    (the usual approximation of maximum coverage, Nemhauser, Wolsey and Fisher 1978)."""
    pool = _candidates(question, found)
    chosen: list[_Candidate] = []
    covered = np.zeros(len(found.idf), np.float32)
    words = 0
    weight = found.idf / max(float(found.idf.sum()), 1e-9)
    while pool:
        best = max(pool, key=lambda c: _gain(c, covered, weight))
        pool.remove(best)
        if chosen and words + best.words > budget:
            continue
        chosen.append(best)
        words += best.words
        covered = np.maximum(covered, best.cover)
    pieces = tuple(c.evidence for c in chosen)
    return Gathered(pieces, float((covered * weight).sum()), uncovered_words(question, pieces))


def uncovered_words(question: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """The question's content words of which no piece has the stem."""
    text = " ".join(f"{e.heading} {e.statement}" for e in evidence).lower()
    return tuple(word for word in content_words(question) if _stem(word) not in text)


def _stem(word: str) -> str:
    """Enough of a word to find its other forms: price/prices/priced, licence/license."""
    return word[: max(4, len(word) - 2)] if len(word) > 4 else word


def _gain(candidate: _Candidate, covered: Float32, weight: Float32) -> tuple[float, str, int]:
    new = float((np.maximum(candidate.cover - covered, 0) * weight).sum())
    score = (1 - _NEW_GROUND) * candidate.evidence.score + _NEW_GROUND * new
    return score, candidate.evidence.source.document_id, -candidate.evidence.start


def _candidates(question: str, found: Found) -> list[_Candidate]:
    """Every distinct sentence or row of the best hits."""
    seen: dict[tuple[str, int, int], _Candidate] = {}
    for hit in found.hits[:PASSAGES]:
        groups = [_within(hit, unit) for unit in hit.stored.passage.units]
        best = best_matches(found.query.tokens, groups)
        shares = max_sim_idf(best, found.idf)
        for column, unit in enumerate(hit.stored.passage.units):
            evidence = _evidence(question, hit, unit, float(shares[column]))
            key = (evidence.source.revision, evidence.start, evidence.end)
            if key not in seen or seen[key].evidence.score < evidence.score:
                count = len(evidence.statement.split())
                seen[key] = _Candidate(evidence, best[:, column], count)
    return sorted(seen.values(), key=lambda c: (-c.evidence.score, c.evidence.start))


def _within(hit: Hit, unit: Unit) -> TokenVectors:
    tokens = hit.stored.tokens
    inside = (tokens.starts >= unit.body_start) & (tokens.starts < unit.body_end)
    return TokenVectors(tokens.ids[inside], tokens.starts[inside], tokens.vectors[inside])


def _evidence(question: str, hit: Hit, unit: Unit, share: float) -> Evidence:
    passage = hit.stored.passage
    offset = passage.start
    statement = passage.body[unit.body_start : unit.body_end]
    agreement = name_agreement(question, f"{passage.heading}\n{statement}")
    score = (1 - _PASSAGE_SHARE) * share + _PASSAGE_SHARE * hit.score + _NAME_WEIGHT * agreement
    return Evidence(
        source=hit.stored.source,
        start=unit.start,
        end=unit.end,
        quote=hit.stored.text[unit.start - offset : unit.end - offset],
        statement=" ".join(statement.split()),
        heading=passage.heading,
        score=min(max(score, 0.0), 1.0),
        kind="prose" if passage.kind == "prose" else "row",
    )


def named(question: str) -> tuple[str, ...]:
    """The names that the question asks about, as it writes them."""
    return tuple(question[name.start : name.end] for name in names(question))
