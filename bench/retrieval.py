"""`kb eval retrieval`: dense, lexical, fused and re-ranked, side by side, over a question file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ir_measures
import numpy as np
from ir_measures import RR, Qrel, ScoredDoc, Success, nDCG
from scipy.stats import bootstrap

from kb.types import Hit

MEASURES = (Success @ 1, Success @ 3, Success @ 5, Success @ 10, RR, nDCG @ 10)
NAMES = ("recall@1", "recall@3", "recall@5", "recall@10", "MRR", "nDCG@10")
STAGES = ("dense", "lexical", "fused", "re-ranked")
DEPTH = 120  # hits taken from the retriever; each carries its score at every stage

Relevant = Callable[[str], bool]
Search = Callable[[str], Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class Stage:
    """Means and 95 % bootstrap intervals, by measure name; `each`: question id to recall@1."""

    name: str
    means: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    each: Mapping[str, float]


def rankings(hits: Sequence[Hit]) -> dict[str, dict[str, float]]:
    """Stage to passage id to score."""
    found: dict[str, dict[str, float]] = {stage: {} for stage in STAGES}
    for hit in hits:
        found["re-ranked"][hit.stored.id] = hit.score
        for name in STAGES[:3]:
            if name in hit.scores:
                found[name][hit.stored.id] = hit.scores[name]
    return found


def evaluate(asked: Iterable[tuple[str, str, Relevant]], search: Search) -> list[Stage]:
    """asked: (question id, question, which passage texts hold its answer)."""
    qrels: list[Qrel] = []
    runs: dict[str, list[ScoredDoc]] = {stage: [] for stage in STAGES}
    for question_id, question, relevant in asked:
        hits = search(question)
        good = {hit.stored.id for hit in hits if relevant(hit.stored.text)}
        good |= {hit.stored.id for hit in hits if relevant(hit.stored.passage.body)}
        # a question whose answer no search finds still counts, as a miss
        qrels += [Qrel(question_id, i, 1) for i in good or {"not found"}]
        for name, scores in rankings(hits).items():
            runs[name] += [ScoredDoc(question_id, i, s) for i, s in scores.items()]
    return [stage(name, qrels, run) for name, run in runs.items()]


def stage(name: str, qrels: list[Qrel], run: list[ScoredDoc]) -> Stage:
    """The measures of one run; a question that the run has nothing for counts as a miss."""
    values: dict[str, dict[str, float]] = {
        label: {qrel.query_id: 0.0 for qrel in qrels} for label in NAMES
    }
    labels = dict(zip(map(str, MEASURES), NAMES, strict=True))
    for metric in ir_measures.iter_calc(MEASURES, qrels, run):
        values[labels[str(metric.measure)]][metric.query_id] = metric.value
    arrays = {label: np.array(list(each.values())) for label, each in values.items()}
    return Stage(
        name,
        {label: float(array.mean()) for label, array in arrays.items()},
        {label: _interval(array) for label, array in arrays.items()},
        values["recall@1"],
    )


def _interval(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
    if values.std() == 0:
        return float(values[0]), float(values[0])
    result = bootstrap((values,), np.mean, n_resamples=2000, method="percentile", rng=7)
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def table(stages: Sequence[Stage]) -> str:
    """Markdown, with the intervals behind the means."""
    lines = ["| | " + " | ".join(NAMES) + " |", "|---" * (len(NAMES) + 1) + "|"]
    for each in stages:
        cells = [
            f"{each.means[n]:.3f} ({each.intervals[n][0]:.2f}–{each.intervals[n][1]:.2f})"
            for n in NAMES
        ]
        lines.append(f"| {each.name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def as_json(stages: Sequence[Stage]) -> str:
    rows = [
        {
            "stage": s.name,
            "means": dict(s.means),
            "intervals": dict(s.intervals),
            "each": dict(s.each),
        }
        for s in stages
    ]
    return json.dumps(rows, indent=1)


def from_json(rows: Iterable[Mapping[str, Any]]) -> list[Stage]:
    """What `as_json` wrote."""
    return [
        Stage(
            row["stage"],
            row["means"],
            {name: (low, high) for name, (low, high) in row["intervals"].items()},
            row["each"],
        )
        for row in rows
    ]


def plot(title: str, stages: Sequence[Stage], path: Path) -> None:
    """Bars with intervals, one group a measure."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 4))
    width = 0.8 / len(stages)
    for i, each in enumerate(stages):
        means = np.array([each.means[n] for n in NAMES])
        bounds = np.array([each.intervals[n] for n in NAMES]).T
        at = np.arange(len(NAMES)) + i * width
        errors = np.abs(bounds - means)
        axes.bar(at, means, width, yerr=errors, capsize=2, label=each.name)
    axes.set_xticks(np.arange(len(NAMES)) + 0.4 - width / 2, NAMES)
    axes.set_ylim(0, 1.05)
    axes.set_title(title)
    axes.legend(loc="lower right", ncols=4)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
