"""Hits to the few sentences or table rows that bear on the question, with their exact places."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from kb.cells import cells
from kb.ranking import best_matches, max_sim_idf
from kb.retrieve import Found, content_words
from kb.types import Evidence, Float32, Hit, Passage, TokenVectors, Unit

PASSAGES = 12  # hits whose sentences compete
_PASSAGE_SHARE = 0.4  # of a sentence's score: its passage's, which has seen the neighbours
_LONGEST = 80  # words; a longer sentence competes in parts
_NEW_GROUND = 0.5  # of the choice of the next piece: what it covers that the chosen ones don't
MOST_PIECES = 6
NEAR = 24
_CLOSE = 0.7  # a further piece scores at least this share of the best one's, or breaks new ground
_NEIGHBOUR = 0.6  # the same for the best one's own passage: lists and reasons go on there
_GROUND = 0.04  # the share of the question's weight that counts as new ground
_WIDE_ROW = 30  # words; of a longer row the model is shown only the cells that bear on it
# "... are these:", "the following table", "the table below": says nothing without what comes next
_LEADS_IN = re.compile(
    r":\W{0,3}$|\bthe following (?:table|list)\b|\b(?:table|list) (?:below|that follows)\b",
    re.IGNORECASE,
)
_LED_IN = 2  # of the rows or items that come next
_BEARING = 0.75  # cells that cover at least this share of what the row's best cell covers


@dataclass(frozen=True, slots=True)
class Gathered:
    """evidence: best first. coverage: 0 to 1, the share of the question's weight that all of it
    together covers. uncovered: the question's words that none of it mentions. near: what scored
    best, chosen or not: where a second opinion is looked for."""

    evidence: tuple[Evidence, ...]
    coverage: float
    uncovered: tuple[str, ...]
    near: tuple[Evidence, ...] = ()


NOTHING = Gathered((), 0.0, ())


@dataclass(frozen=True, slots=True)
class _Candidate:
    evidence: Evidence
    score: float  # as the evidence's, but not held between 0 and 1: it only ranks
    passage: str
    cover: Float32  # (query tokens,) best cosine of each
    words: int


def gather(question: str, found: Found, budget: int) -> Gathered:
    """The pieces that together cover most of the question within `budget` words, chosen greedily
    (the usual approximation of maximum coverage, Nemhauser, Wolsey and Fisher 1978)."""
    pool = _candidates(found)
    near = tuple(candidate.evidence for candidate in pool[:NEAR])
    chosen: list[_Candidate] = []
    covered = np.zeros(len(found.idf), np.float32)
    words = 0
    weight = found.idf / max(float(found.idf.sum()), 1e-9)
    while pool and len(chosen) < MOST_PIECES:
        best = max(pool, key=lambda c: _gain(c, covered, weight))
        pool.remove(best)
        led = _led_in(best, pool)
        if led == [] or (
            chosen and (words + best.words > budget or not _worth(best, chosen, covered, weight))
        ):
            continue
        for piece in (best, *(led or ())):
            if len(chosen) < MOST_PIECES and (not chosen or words + piece.words <= budget):
                chosen.append(piece)
                words += piece.words
                covered = np.maximum(covered, piece.cover)
        pool = [c for c in pool if not any(c is piece for piece in chosen)]
    pieces = tuple(c.evidence for c in chosen)
    mentioned = " ".join(f"{piece.heading} {piece.statement}" for piece in pieces)
    unmentioned = uncovered(content_words(question), mentioned)
    return Gathered(pieces, float((covered * weight).sum()), unmentioned, near)


def uncovered(words: Sequence[str], text: str) -> tuple[str, ...]:
    """Those of the words of which the text has no form."""
    low = text.lower()
    return tuple(word for word in words if _stem(word) not in low)


def _stem(word: str) -> str:
    """Enough of a word to find its other forms: price/prices/priced, licence/license."""
    return word[: max(4, len(word) - 2)] if len(word) > 4 else word.removesuffix("s")


def _worth(
    candidate: _Candidate, chosen: Sequence[_Candidate], covered: Float32, weight: Float32
) -> bool:
    """Reading a piece costs seconds: it is as good as the best one, or covers something new."""
    best = max(chosen, key=lambda c: c.score)
    enough = _NEIGHBOUR if candidate.passage == best.passage else _CLOSE
    new = float((np.maximum(candidate.cover - covered, 0) * weight).sum())
    return candidate.score >= enough * best.score or new >= _GROUND


def _led_in(candidate: _Candidate, pool: Sequence[_Candidate]) -> list[_Candidate] | None:
    """The best of what a lead-in announces: rows, or what else comes next under its heading. None
    of a piece that announces nothing."""
    lead = candidate.evidence
    if not _LEADS_IN.search(lead.statement):
        return None
    after = [
        c
        for c in pool
        if c.evidence.source == lead.source
        and c.evidence.heading == lead.heading
        and c.evidence.start >= lead.end
    ]
    rows = [c for c in after if c.evidence.kind == "row"]
    return (rows or after)[:_LED_IN]


def _gain(candidate: _Candidate, covered: Float32, weight: Float32) -> tuple[float, str, int]:
    new = float((np.maximum(candidate.cover - covered, 0) * weight).sum())
    score = (1 - _NEW_GROUND) * candidate.score + _NEW_GROUND * new
    return score, candidate.evidence.source.document_id, -candidate.evidence.start


def _candidates(found: Found) -> list[_Candidate]:
    """Every distinct sentence or row of the best hits."""
    seen: dict[tuple[str, int, int], _Candidate] = {}
    for hit in found.hits[:PASSAGES]:
        units = list(_units(hit.stored.passage))
        groups = [_within(hit, unit.body_start, unit.body_end) for unit in units]
        best = best_matches(found.query.tokens, groups)
        shares = max_sim_idf(best, found.idf)
        for column, unit in enumerate(units):
            if _asks(hit, unit):
                continue
            score = _score(hit, float(shares[column]))
            key = (hit.stored.source.revision, unit.start, unit.end)
            if key not in seen or seen[key].score < score:
                evidence = _evidence(hit, unit, score, found)
                length = len(evidence.shown.split())
                cover = best[:, column]
                seen[key] = _Candidate(evidence, score, hit.stored.id, cover, length)
    return sorted(seen.values(), key=lambda c: (-c.score, c.evidence.start))


def _units(passage: Passage) -> Iterator[Unit]:
    """Its sentences or rows; one that no reader reads in one breath in parts."""
    for unit in passage.units:
        spans = list(re.finditer(r"\S+", passage.body[unit.body_start : unit.body_end]))
        if passage.kind != "prose" or len(spans) <= _LONGEST:
            yield unit
            continue
        for at in range(0, len(spans), _LONGEST):
            start, end = spans[at].start(), spans[min(at + _LONGEST, len(spans)) - 1].end()
            yield Unit(
                unit.body_start + start,
                unit.body_start + end,
                unit.start + start,
                unit.start + end,
            )


def _within(hit: Hit, start: int, end: int) -> TokenVectors:
    tokens = hit.stored.tokens
    inside = (tokens.starts >= start) & (tokens.starts < end)
    return TokenVectors(tokens.ids[inside], tokens.starts[inside], tokens.vectors[inside])


def _score(hit: Hit, share: float) -> float:
    """share: of the question's weight that the unit covers."""
    return (1 - _PASSAGE_SHARE) * share + _PASSAGE_SHARE * hit.score


def _asks(hit: Hit, unit: Unit) -> bool:
    """A heading's question resembles the reader's most and answers nothing. Measured on five sets:
    taking something off its score in place of leaving it out finds no answer more."""
    return hit.stored.passage.body[unit.body_start : unit.body_end].rstrip().endswith("?")


def _evidence(hit: Hit, unit: Unit, score: float, found: Found) -> Evidence:
    passage = hit.stored.passage
    offset = passage.start
    statement = passage.body[unit.body_start : unit.body_end]
    return Evidence(
        source=hit.stored.source,
        start=unit.start,
        end=unit.end,
        quote=hit.stored.text[unit.start - offset : unit.end - offset],
        statement=" ".join(statement.split()),
        shown=" ".join(_bearing(hit, unit, found).split()),
        heading=passage.heading,
        score=min(max(score, 0.0), 1.0),
        kind="prose" if passage.kind == "prose" else "row",
    )


def _bearing(hit: Hit, unit: Unit, found: Found) -> str:
    """A wide row's first cell, which names its subject, and the cells that bear on the question."""
    body = hit.stored.passage.body[unit.body_start : unit.body_end]
    row = cells(body)
    if hit.stored.passage.kind == "prose" or len(body.split()) <= _WIDE_ROW or len(row) < 3:
        return body
    offset = unit.body_start
    groups = [_within(hit, offset + cell.start, offset + cell.end) for cell in row]
    shares = max_sim_idf(best_matches(found.query.tokens, groups), found.idf)
    enough = _BEARING * float(shares[1:].max())
    kept = [cell for i, cell in enumerate(row) if i == 0 or shares[i] >= enough]
    return "; ".join(body[cell.start : cell.end] for cell in kept)
