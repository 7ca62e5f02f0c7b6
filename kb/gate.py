"""Whether to answer at all: a small calibrated model over what the evidence shows.

Logistic regression; its coefficients, with the data they were fitted on and the measured error
rates, are in gate.json, which bench/fit_gate.py writes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from kb.evidence import Gathered, uncovered
from kb.names import names
from kb.questions import is_yes_or_no
from kb.retrieve import content_words
from kb.types import Reason


@dataclass(frozen=True, slots=True)
class Signals:
    """coverage: 0 to 1, idf-weighted late interaction. unmentioned: share of the question's
    content words that no evidence mentions. unnamed: share of its exact names (with a version or
    variant) that no evidence states. best: the best piece's score. joint: the largest share of the
    question's content words that one piece mentions by itself. polar: 1 for a question that is
    itself answered by yes or no, to which P(Yes) is mostly lower. yes: the model's own P(Yes),
    or None where the model was not asked."""

    coverage: float
    unmentioned: float
    unnamed: float
    best: float
    joint: float
    polar: float
    yes: float | None


FEATURES = ("coverage", "unmentioned", "polar")  # and "yes", where asked; more of them add noise

# A sentence's failures: of how it is worded, and of what it is said.
_WORDING = frozenset(("meaning", "polarity", "fragment"))
_ELSEWHERE = frozenset(("subject", "unasked"))
_SURER = 0.6  # where seven of eight such questions that were seen have no answer


@dataclass(frozen=True, slots=True)
class Gate:
    """P(the evidence states the answer) = 1 / (1 + exp(-(intercept + weights . signals)))."""

    intercept: float
    weights: Mapping[str, float]
    intercept_without_model: float
    weights_without_model: Mapping[str, float]
    threshold: float
    sure: float
    off_topic_below: float
    measured: Mapping[str, Any]
    # The model whose P(Yes) the weights were fitted on; another one's means something else, and is
    # not asked for. None: any model's.
    calibrated_for: str | None = None

    @classmethod
    def shipped(cls) -> Gate:
        return cls(**json.loads(files("kb").joinpath("gate.json").read_text(encoding="utf-8")))

    def asks(self, model: str) -> bool:
        """Whether that model's own P(Yes) is worth asking for."""
        return self.calibrated_for in (None, model)

    def probability(self, signals: Signals) -> float:
        values = {name: getattr(signals, name) for name in FEATURES}
        if signals.yes is None:
            total, weights = self.intercept_without_model, self.weights_without_model
        else:
            total, weights = self.intercept, self.weights
            values["yes"] = signals.yes
        total += sum(weights[name] * value for name, value in values.items())
        return 1 / (1 + math.exp(-total))

    def refusal(self, signals: Signals) -> Reason | None:
        """Why not to answer; None to go on."""
        if self.probability(signals) >= self.threshold:
            return None
        return "off_topic" if signals.coverage < self.off_topic_below else "not_stated"

    def refusal_after_writing(self, signals: Signals, failures: Iterable[str]) -> Reason | None:
        """The same once everything that the model wrote has failed its check. What it only worded
        too freely the evidence may well state; where it took a figure of something else, or
        something is named that no quote names, the evidence is quoted only if it was sure to state
        the answer."""
        kinds = {failure.partition(":")[0] for failure in failures}
        if not signals.unnamed and kinds <= _WORDING:
            return None
        enough = _SURER if kinds & _ELSEWHERE else self.sure
        return None if self.probability(signals) >= enough else "not_stated"


def signals(question: str, gathered: Gathered, yes: float | None) -> Signals:
    wanted, words = names(question), content_words(question)
    texts = [f"{piece.heading}\n{piece.statement}" for piece in gathered.evidence]
    present = names("\n".join(texts))
    unnamed = [name for name in wanted if not any(name.stated_by(p) for p in present)]
    together = [1 - len(uncovered(words, text)) / max(len(words), 1) for text in texts]
    return Signals(
        coverage=gathered.coverage,
        unmentioned=len(gathered.uncovered) / max(len(words), 1),
        unnamed=len(unnamed) / max(len(wanted), 1),
        best=max((piece.score for piece in gathered.evidence), default=0.0),
        joint=max(together, default=0.0),
        polar=float(is_yes_or_no(question)),
        yes=yes,
    )
