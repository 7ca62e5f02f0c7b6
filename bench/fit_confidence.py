"""Fits kb/answering/confidence.json: `python -m bench.fit_confidence`.

bench/data/confidence.jsonl holds a line a question: {"field", the signals, "best_right": whether
the best piece alone answers, "shown_right": whether what was shown does}: figures only, no
question's text; the rows were made with a confidence that shows everything. Both regressions leave
each field out once, and what the fit on the others says of it is what is told as measured.
Conflicts are left out: they are shown before anything is judged.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from bench.rates import auc

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data" / "confidence.jsonl"
OUT = ROOT / "kb" / "answering" / "confidence.json"
STRENGTH = 30.0  # scikit-learn's C; 10 and 100 order the fields left out as well
# Of all subsets of the signals these order the fields left out best (mean AUC .74 and .68); more of
# them add noise: 158 questions are few.
OF_BEST = ("margin",)
OF_SHOWN = ("margin", "likelihood")

Line = dict[str, Any]


def main(path: Path = DATA) -> None:
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    best, of_best = fitted(lines, OF_BEST, "best_right")
    shown, of_shown = fitted(lines, OF_SHOWN, "shown_right")
    confidence = {
        "intercept": shown["intercept"],
        "weights": shown["weights"],
        "intercept_of_best": best["intercept"],
        "weights_of_best": best["weights"],
        "measured": {"best": of_best, "shown": of_shown},
    }
    OUT.write_text(json.dumps(confidence, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(confidence["measured"], indent=1) + "\n")


def fitted(lines: Sequence[Line], features: Sequence[str], label: str) -> tuple[Line, Line]:
    """Coefficients on everything; AUC, and the share that answers by tenths of the probability, on
    fields that the fit had left out."""
    values = np.array([[line[name] for name in features] for line in lines])
    truth = np.array([line[label] for line in lines])
    of = np.array([line["field"] for line in lines])
    said = np.zeros(len(lines))
    for field in sorted(set(of)):
        model = LogisticRegression(C=STRENGTH).fit(values[of != field], truth[of != field])
        said[of == field] = model.predict_proba(values[of == field])[:, 1]
    model = LogisticRegression(C=STRENGTH).fit(values, truth)
    coefficients = {
        "intercept": round(float(model.intercept_[0]), 4),
        "weights": {n: round(float(w), 4) for n, w in zip(features, model.coef_[0], strict=True)},
    }
    return coefficients, {
        "questions": len(lines),
        "right": int(truth.sum()),
        "auc_on_fields_left_out": {
            field: auc(truth[of == field].tolist(), said[of == field].tolist())
            for field in sorted(set(of))
        },
        "calibration": [_bin(said, truth, low) for low in np.arange(0, 1, 0.2)],
    }


def _bin(said: Any, truth: Any, low: float) -> Line:
    inside = (said >= low) & (said < low + 0.2)
    return {
        "from": round(float(low), 1),
        "questions": int(inside.sum()),
        "said": round(float(said[inside].mean()), 3) if inside.any() else None,
        "so": round(float(truth[inside].mean()), 3) if inside.any() else None,
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
