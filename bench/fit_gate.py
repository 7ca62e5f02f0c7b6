"""Fits kb/gate.json: `python -m bench.fit_gate SIGNALS.jsonl`.

SIGNALS.jsonl holds a line a question, {"id", "source", "answerable", and the gate's signals}, as
`python -m bench.gate_signals` writes it. bench/data/gate_signals.jsonl is what the shipped gate was
fitted on: figures only, no question's text. Those of our own questions in it are from the rows of
their evaluation, those of SQuAD from an earlier collection. The threshold was chosen by what it
refuses of these same questions, the development ones among them: their refusals test nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from kb.gate import FEATURES

OUT = Path(__file__).parent.parent / "kb" / "gate.json"
DATA = Path(__file__).parent / "data" / "gate_signals.jsonl"
STRENGTH = 10.0  # scikit-learn's C; 1 and 50 were worse on the folds left out
FOLDS = 10
# Refusing what the documents answer and answering what they don't cost a reader about the same;
# but behind the gate every sentence is still checked, so it lets through more than it stops.
THRESHOLD, SURE = 0.25, 0.5
OFF_TOPIC_BELOW = 0.6
MODEL = "qwen2.5-coder-1.5b"  # whose P(Yes) the data holds


def main(path: Path = DATA) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    answerable = np.array([row["answerable"] for row in rows])
    with_model, measured = _fit(rows, (*FEATURES, "yes"), answerable)
    # Without the model nothing tells SQuAD's near misses apart; what is off the topic stands out.
    own = [row for row in rows if row["source"] != "squad2"]
    kept = np.array([row["answerable"] for row in own])
    without, measured_without = _fit(own, FEATURES, kept)
    gate = {
        "intercept": with_model["intercept"],
        "weights": with_model["weights"],
        "intercept_without_model": without["intercept"],
        "weights_without_model": without["weights"],
        "threshold": THRESHOLD,
        "sure": SURE,
        "off_topic_below": OFF_TOPIC_BELOW,
        "calibrated_for": MODEL,
        "measured": measured | {"without_model": measured_without},
    }
    OUT.write_text(json.dumps(gate, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(gate["measured"], indent=1) + "\n")


def _fit(
    rows: list[dict[str, Any]], features: tuple[str, ...], answerable: np.ndarray[Any, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Coefficients on everything; error rates from folds that each fit left out."""
    values = np.array([[row[name] for name in features] for row in rows])
    model = LogisticRegression(C=STRENGTH, class_weight="balanced")
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=7)
    held_out = cross_val_predict(model, values, answerable, cv=folds, method="predict_proba")[:, 1]
    model.fit(values, answerable)
    coefficients = {
        "intercept": round(float(model.intercept_[0]), 4),
        "weights": {n: round(float(w), 4) for n, w in zip(features, model.coef_[0], strict=True)},
    }
    refused = held_out < THRESHOLD
    measured = {
        "questions": len(rows),
        "unanswerable": int((~answerable).sum()),
        "auc": round(float(roc_auc_score(answerable, held_out)), 3),
        "answerable_refused": round(float(refused[answerable].mean()), 3),
        "unanswerable_refused": round(float(refused[~answerable].mean()), 3),
    }
    return coefficients, measured


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
