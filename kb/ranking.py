"""Rank arithmetic: pure functions over vectors and orders, nothing stored, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from kb.names import is_size, names
from kb.types import Float32, Hit, TokenVectors, UInt16

RRF_K = 60  # Cormack, Clarke and Büttcher 2009
_YEAR = re.compile(r"(?:19|20)\d\d")
_QUANTUM = np.float32(127 * 127)  # token vectors are unit vectors times 127


def reciprocal_rank_fusion(
    rankings: Iterable[Sequence[str]], k: int = RRF_K
) -> list[tuple[str, float]]:
    """(id, sum of 1 / (k + rank)) over the rankings, best first; equal scores by id, so that
    neither the order of the rankings nor that of ingestion shows. Cormack et al. 2009."""
    scores: dict[str, float] = {}
    for ranking in sorted(rankings, key=tuple):  # one order of addition: floats don't commute
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (k + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def inverse_document_frequency(
    ids: UInt16, containing: npt.NDArray[np.int32], passages: int
) -> Float32:
    """(n,) log(1 + N / (1 + df)) of each token id: rare words weigh more."""
    return np.log1p(passages / (1.0 + containing[ids])).astype(np.float32)


def best_matches(query: TokenVectors, groups: Sequence[TokenVectors]) -> Float32:
    """(query tokens, groups): each query token's best cosine in each group of tokens.

    A group without tokens matches nothing: 0. Khattab and Zaharia 2020 (ColBERT's MaxSim).
    """
    best = np.zeros((len(query.ids), len(groups)), np.float32)
    filled = [i for i, group in enumerate(groups) if len(group.ids)]
    if not filled or not len(query.ids):
        return best
    tokens = np.concatenate([groups[i].vectors for i in filled]).astype(np.float32)
    starts = np.cumsum([0, *(len(groups[i].ids) for i in filled[:-1])])
    cosines = query.vectors.astype(np.float32) @ tokens.T / _QUANTUM
    best[:, filled] = np.maximum.reduceat(cosines, starts, axis=1)
    return best


def max_sim_idf(best: Float32, idf: Float32, power: float = 1.0) -> Float32:
    """(groups,) the share of the question's weight that each group covers: the idf-weighted mean
    of its tokens' best cosines, each to `power`.

    A power above 1 tells the same word from a merely related one, which in this kind of encoder
    has a high cosine too: better for ranking, no longer a share.
    """
    total = float(idf.sum())
    if total == 0:
        return np.zeros(best.shape[1], np.float32)
    sharp = best if power == 1 else np.maximum(best, 0) ** np.float32(power)
    covered: Float32 = (sharp * idf[:, np.newaxis]).sum(axis=0) / np.float32(total)
    return covered


def relative_to_best(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores as shares of the best one, 0 to 1: BM25 has no scale that holds across questions."""
    best = max(scores.values(), default=0.0)
    return {item: max(score, 0.0) / best if best > 0 else 0.0 for item, score in scores.items()}


def name_agreement(question: str, text: str) -> float:
    """-1 to 1. For each name with a version or variant in the question: 1 where the text states
    it, -1 where the text names that family only with other versions, 0 where it is silent.
    A year alone is no version: "early 2023", "EU 2024"."""
    wanted = [n for n in names(question) if not all(_YEAR.fullmatch(mark) for mark in n.marks)]
    if not wanted:
        return 0.0
    present = names(text)
    verdicts = []
    for name in wanted:
        family = [p for p in present if p.family == name.family]
        if any(name.stated_by(p) for p in family):
            # "GPT-4o mini" states "GPT-4o" only in passing
            exact = any(
                all(is_size(mark) for mark in p.marks - name.marks)
                for p in family
                if name.stated_by(p)
            )
            verdicts.append(1.0 if exact else 0.5)
        else:
            verdicts.append(-1.0 if any(p.marks for p in family) else 0.0)
    return sum(verdicts) / len(verdicts)


def without_repetitions(hits: Sequence[Hit], per_document: int) -> list[Hit]:
    """Drops a hit whose span a better hit of the same revision holds already, or whose words a
    better one repeats; keeps at most `per_document` of a document. Order is kept."""
    kept: list[Hit] = []
    counts: dict[str, int] = {}
    for hit in hits:
        document = hit.stored.source.document_id
        if counts.get(document, 0) >= per_document:
            continue
        if any(_repeats(hit, better) for better in kept):
            continue
        kept.append(hit)
        counts[document] = counts.get(document, 0) + 1
    return kept


def _repeats(hit: Hit, better: Hit) -> bool:
    a, b = hit.stored.passage, better.stored.passage
    if (a.document_id, a.revision) == (b.document_id, b.revision):
        return b.start <= a.start and a.end <= b.end
    words, others = set(a.body.lower().split()), set(b.body.lower().split())
    return len(words & others) >= 0.9 * len(words | others)


def ordered(scores: Mapping[str, float]) -> list[str]:
    """Ids, best first; equal scores by id."""
    return sorted(scores, key=lambda item: (-scores[item], item))
