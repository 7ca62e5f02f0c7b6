"""How probable it is that what is shown answers the question: one calibrated number.

Logistic regression over signals that mean the same in every field. The coefficients, with the data
that they were fitted on and what was measured on other fields, are in confidence.json, which
bench/fit_confidence.py writes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from kb.answering.copying import Copied
from kb.evidence import Gathered, uncovered
from kb.retrieve import content_words
from kb.types import Evidence


@dataclass(frozen=True, slots=True)
class Signals:
    """best: the best piece's score. margin: of it to the next. coverage: the share of the
    question's weight that all pieces cover together. unmentioned: the share of the question's
    content words that no piece mentions. missing: the same of the piece that the model points at,
    or of the best. lead: that piece's score as a share of the best. likelihood: the model's own
    probability of the first token that it copied. All from 0 to 1."""

    best: float
    margin: float
    coverage: float
    unmentioned: float
    missing: float
    lead: float
    likelihood: float


@dataclass(frozen=True, slots=True)
class Confidence:
    """P = 1 / (1 + exp(-(intercept + weights . signals))): that the best piece and those that the
    model points at answer together, and, before the model is asked, that the best piece does."""

    intercept: float
    weights: Mapping[str, float]
    intercept_of_best: float
    weights_of_best: Mapping[str, float]
    measured: Mapping[str, Any]

    @classmethod
    def shipped(cls) -> Confidence:
        resource = files("kb.answering").joinpath("confidence.json")
        return cls(**json.loads(resource.read_text(encoding="utf-8")))

    def probability(self, signals: Signals) -> float:
        """As soon as the model has pointed."""
        return _logistic(self.intercept, self.weights, signals)

    def of_best(self, signals: Signals) -> float:
        """From what the search alone tells."""
        return _logistic(self.intercept_of_best, self.weights_of_best, signals)


def _logistic(intercept: float, weights: Mapping[str, float], signals: Signals) -> float:
    values = asdict(signals)
    total = intercept + sum(weight * values[name] for name, weight in weights.items())
    return 1 / (1 + math.exp(-total))


def signals(
    question: str,
    gathered: Gathered,
    copied: Copied | None = None,
    likelihood: float | None = None,
) -> Signals:
    """copied: what the model pointed at first; None where it hasn't. likelihood: None where its
    server tells none; then it counts as one half."""
    words = content_words(question)
    scores = sorted((piece.score for piece in gathered.evidence), reverse=True)
    best = scores[0]
    lead = copied.evidence if copied else gathered.evidence[0]
    return Signals(
        best=best,
        margin=best - scores[1] if len(scores) > 1 else best,
        coverage=min(max(gathered.coverage, 0.0), 1.0),
        unmentioned=len(gathered.uncovered) / max(len(words), 1),
        missing=_missing(words, [lead]),
        lead=lead.score / max(best, 1e-9),
        likelihood=0.5 if likelihood is None else likelihood,
    )


def _missing(words: Sequence[str], pieces: Sequence[Evidence]) -> float:
    said = "\n".join(f"{p.source.title}\n{p.heading}\n{p.statement}" for p in pieces)
    return len(uncovered(words, said)) / max(len(words), 1)
