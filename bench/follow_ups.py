"""Follow-ups: what retrieval finds with and without rewriting them, and who is asked back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

from bench import questions as asked
from bench.answers import SEEN
from bench.conversations import conversations, passages, tasks
from bench.index import bare, indexed, shelve
from bench.rates import share
from kb.clarify import clarification
from kb.conversation import needs_model, standalone
from kb.fakes_model import ScriptedModel
from kb.ports import ChatModel
from kb.rewrite_prompt import rewritten
from kb.settings import Settings
from kb.types import Hit, Message
from kb.wiring import KnowledgeBase

FILE = "follow-ups.json"
TOP = 5
DEPTH = 60  # hits looked at: several of them are of one document
LAST, RULES, QUESTIONS, ALL, MODEL = (
    "the last turn alone", "rewritten by rules", "all questions in one", "the whole history in one",
    "rules, and the model where they are unsure",
)  # fmt: skip

Rewrite = Callable[[str, Sequence[Message]], str]
Section = dict[str, Any]
Float64 = NDArray[np.float64]


def write(settings: Settings, shared: Path, out: Path, model: ChatModel) -> Path:
    """Measures, and leaves the figures in a file under `out`."""
    found = measure(settings, shared, model)
    out.mkdir(parents=True, exist_ok=True)
    path = out / FILE
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return path


def measure(settings: Settings, shared: Path, model: ChatModel) -> Section:
    """Retrieval over both sets, and the questions back."""
    questions = shared / "eval" / "questions.jsonl"
    mtrag = shared / "eval" / "public" / "mtrag_un.jsonl"
    rewrites = _rewrites(model)
    return {
        "retrieval": {
            **_own(settings, questions, rewrites),
            **_mtrag(settings, mtrag, rewrites),
        },
        "asked_back": asked_back(mtrag, questions),
        "model": model.name,
    }


def _rewrites(model: ChatModel) -> dict[str, Rewrite]:
    return {
        LAST: lambda question, _: question,
        RULES: standalone,
        QUESTIONS: lambda question, history: " ".join(
            [*(m.content for m in history if m.role == "user"), question]
        ),
        ALL: lambda question, history: " ".join([*(m.content for m in history), question]),
        MODEL: lambda question, history: rewritten(question, history, model),
    }


# -- retrieval -----------------------------------------------------------------------------------


def _mtrag(settings: Settings, path: Path, rewrites: Mapping[str, Rewrite]) -> Section:
    """All tasks' passages together, each a document; one that its best passage ranks."""
    rows: dict[str, dict[str, list[float]]] = {}
    with bare(settings) as (kb, token_count):
        shelve(kb, list(passages(path).values()), token_count)
        for task in tasks(path):
            if not task.relevant or not task.history:
                continue
            row = rows.setdefault(f"MTRAG-UN, {task.part}", {})
            for name, rewrite in rewrites.items():
                top = set(_documents(kb, rewrite(task.question, task.history))[:TOP])
                row.setdefault(name, []).append(len(task.relevant & top) / len(task.relevant))
    return {part: figures(row) for part, row in sorted(rows.items())}


def _own(settings: Settings, path: Path, rewrites: Mapping[str, Rewrite]) -> Section:
    """Questions over the corpus."""
    sets = {"development questions": path, "questions of bench/data": SEEN}
    with indexed(settings, [settings.corpus], ScriptedModel([""])) as kb:
        return {
            name: figures(_found(kb, each, path.with_name("score.py"), rewrites))
            for name, each in sets.items()
        }


def _found(
    kb: KnowledgeBase, path: Path, scorer: Path, rewrites: Mapping[str, Rewrite]
) -> dict[str, list[float]]:
    right = asked.load_scorer(scorer)
    row: dict[str, list[float]] = {}
    for follow_up, told in conversations(path):
        if not follow_up.history or not told.answerable:
            continue
        relevant = asked.relevance(told, right)
        for name, rewrite in rewrites.items():
            hits = _hits(kb, rewrite(follow_up.question, follow_up.history))[:TOP]
            good = any(relevant(h.stored.text) or relevant(h.stored.passage.body) for h in hits)
            row.setdefault(name, []).append(float(good))
    return row


def _hits(kb: KnowledgeBase, query: str) -> Sequence[Hit]:
    """Without the limit on a question's length: a whole history is longer."""
    return kb.retriever.search(query, kb.catalog.current_version(), None, DEPTH).hits


def _documents(kb: KnowledgeBase, query: str) -> list[str]:
    return list(dict.fromkeys(hit.stored.source.document_id for hit in _hits(kb, query)))


def figures(row: Mapping[str, Sequence[float]]) -> Section:
    """Each way's recall at five and what it gains over the last turn alone, question by question,
    with bootstrap intervals; how often it finds anything; and for how many questions it finds
    more, or less."""
    return {name: _figure(values, row[LAST]) for name, values in row.items()}


def _figure(values: Sequence[float], last: Sequence[float]) -> Section:
    array = np.array(values)
    return {
        "of": len(values),
        "recall": _mean(array),
        "gain": _mean(array - np.array(last)),
        "found": share(value > 0 for value in values),
        "better": sum(a > b for a, b in zip(values, last, strict=True)),
        "worse": sum(a < b for a, b in zip(values, last, strict=True)),
    }


def _mean(values: Float64) -> dict[str, float]:
    """With the ends of its 95 % interval."""
    mean = low = high = float(values.mean())
    if values.std():
        interval = bootstrap(
            (values,), np.mean, n_resamples=2000, method="percentile", rng=7
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
    return {"mean": round(mean, 4), "low": round(low, 4), "high": round(high, 4)}


# -- questions back ------------------------------------------------------------------------------


def asked_back(mtrag: Path, questions: Path) -> Section:
    """How many are asked back of each kind; and for how many the model is asked to rewrite."""
    kinds: dict[str, list[bool]] = {}
    unsure: list[bool] = []
    for task in tasks(mtrag):
        back = clarification(task.question, task.history) is not None
        kinds.setdefault(f"MTRAG-UN, {task.part}, {task.kind}", []).append(back)
        unsure.append(needs_model(task.question, task.history))
    for name, path in (("development questions", questions), ("questions of bench/data", SEEN)):
        for turn, _ in conversations(path):
            back = clarification(turn.question, turn.history) is not None
            kinds.setdefault(name, []).append(back)
    return {
        "kinds": {kind: share(backs) for kind, backs in sorted(kinds.items())},
        "rules_unsure": share(unsure),
    }
