"""Shares with their intervals, quantiles, and curves, as plain figures for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import numpy as np
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, precision_recall_curve, roc_auc_score, roc_curve

RESAMPLES = 1000
BINS = 8
POINTS = 60  # of a curve that is kept: more can't be told apart in a picture


class Share(TypedDict):
    """`hits` of `of`, with the ends of Wilson's 95 % interval; no interval where `of` is 0."""

    hits: int
    of: int
    share: float | None
    low: float | None
    high: float | None


def share(outcomes: Iterable[bool]) -> Share:
    known = list(outcomes)
    hits, of = sum(known), len(known)
    if not of:
        return Share(hits=0, of=0, share=None, low=None, high=None)
    interval = binomtest(hits, of).proportion_ci(method="wilson")
    return Share(
        hits=hits,
        of=of,
        share=round(hits / of, 4),
        low=round(float(interval.low), 4),
        high=round(float(interval.high), 4),
    )


def quantiles(values: Sequence[float]) -> dict[str, float | None]:
    """p50 and p90; None where there is nothing to measure."""
    if not values:
        return {"p50": None, "p90": None}
    return {
        name: round(float(np.quantile(values, q)), 2) for name, q in (("p50", 0.5), ("p90", 0.9))
    }


def auc(labels: Sequence[bool], scores: Sequence[float]) -> dict[str, float | int | None]:
    """The area under the ROC curve, with a 95 % interval from resampling each class by itself;
    None where there is only one class."""
    truth, values = np.array(labels, bool), np.array(scores, float)
    result: dict[str, float | int | None] = {
        "of": len(truth),
        "auc": None,
        "low": None,
        "high": None,
    }
    if truth.all() or not truth.any():
        return result
    chance = np.random.default_rng(7)
    yes, no = values[truth], values[~truth]
    drawn = [
        _area(chance.choice(yes, len(yes)), chance.choice(no, len(no))) for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    area = float(roc_auc_score(truth, values))
    return result | {
        "auc": round(area, 3), "low": round(float(low), 3), "high": round(float(high), 3)
    }  # fmt: skip


def _area(yes: np.ndarray[Any, Any], no: np.ndarray[Any, Any]) -> float:
    """The share of pairs in the right order; a draw is half."""
    difference = yes[:, None] - no[None, :]
    return float((difference > 0).mean() + (difference == 0).mean() / 2)


def reliability(labels: Sequence[bool], probabilities: Sequence[float]) -> dict[str, Any]:
    """Said and seen shares in bins of equal size, and the mean squared error of what was said."""
    truth, said = np.array(labels, bool), np.array(probabilities, float)
    if not len(truth):
        return {"said": [], "seen": [], "brier": None}
    seen, means = calibration_curve(truth, said, n_bins=BINS, strategy="quantile")
    return {
        "said": np.round(means, 3).tolist(),
        "seen": np.round(seen, 3).tolist(),
        "brier": round(float(brier_score_loss(truth, said)), 3),
    }


def roc(labels: Sequence[bool], scores: Sequence[float]) -> dict[str, list[float]]:
    """False and true positive rates; nothing where there is only one class."""
    if len(set(labels)) < 2:
        return {"x": [], "y": []}
    false, true, _ = roc_curve(labels, scores)
    return _thinned(false, true)


def precision_recall(labels: Sequence[bool], scores: Sequence[float]) -> dict[str, list[float]]:
    if len(set(labels)) < 2:
        return {"x": [], "y": []}
    precision, recall, _ = precision_recall_curve(labels, scores)
    return _thinned(recall, precision)


def _thinned(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> dict[str, list[float]]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(POINTS, len(x))).round().astype(int))
    return {"x": np.round(x[kept], 3).tolist(), "y": np.round(y[kept], 3).tolist()}
