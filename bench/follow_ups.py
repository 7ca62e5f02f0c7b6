"""Follow-ups: what retrieval finds with and without rewriting them, and who is asked back.

`python -m bench.follow_ups` measures with the real encoder and without a chat model; `--model`
also lets the chat model of the settings rewrite where the rules are unsure.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import bootstrap

from bench import questions as asked
from bench.conversations import conversations, passages, tasks
from bench.index import bare, indexed, loaded, shelve
from bench.parts import SHARED
from bench.rates import share
from bench.rows import RESULTS
from kb.clarify import clarification
from kb.conversation import needs_model, standalone
from kb.fakes_model import ScriptedModel
from kb.ports import ChatModel
from kb.rewrite_prompt import rewritten
from kb.settings import Settings, load_settings
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


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="holds eval/")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for the figures")
    parser.add_argument("--model", action="store_true", help="let the chat model rewrite as well")
    given = parser.parse_args(arguments)
    settings = load_settings()
    if given.model:
        with loaded(settings) as model:
            found = measure(settings, given.shared, model)
    else:
        found = measure(settings, given.shared)
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(table(found)) + "\n")


def measure(settings: Settings, shared: Path, model: ChatModel | None = None) -> Section:
    """Retrieval over both sets, and the questions back."""
    questions = shared / "eval" / "questions.jsonl"
    mtrag = shared / "eval" / "public" / "mtrag_un.jsonl"
    rewrites = _rewrites(model)
    return {
        "retrieval": {
            "development questions": _development(settings, questions, rewrites),
            **_mtrag(settings, mtrag, rewrites),
        },
        "asked_back": asked_back(mtrag, questions),
        "model": None if model is None else model.name,
    }


def _rewrites(model: ChatModel | None) -> dict[str, Rewrite]:
    found: dict[str, Rewrite] = {
        LAST: lambda question, _: question,
        RULES: standalone,
        QUESTIONS: lambda question, history: " ".join(
            [*(m.content for m in history if m.role == "user"), question]
        ),
        ALL: lambda question, history: " ".join([*(m.content for m in history), question]),
    }
    if model is not None:
        found[MODEL] = lambda question, history: rewritten(question, history, model)
    return found


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


def _development(settings: Settings, path: Path, rewrites: Mapping[str, Rewrite]) -> Section:
    scorer = asked.load_scorer(path.with_name("score.py"))
    row: dict[str, list[float]] = {}
    with indexed(settings, [settings.corpus], ScriptedModel([""])) as kb:
        for follow_up, told in conversations(path):
            if not follow_up.history or not told.answerable:
                continue
            relevant = asked.relevance(told, scorer)
            for name, rewrite in rewrites.items():
                hits = _hits(kb, rewrite(follow_up.question, follow_up.history))[:TOP]
                good = any(relevant(h.stored.text) or relevant(h.stored.passage.body) for h in hits)
                row.setdefault(name, []).append(float(good))
    return figures(row)


def _hits(kb: KnowledgeBase, query: str) -> Sequence[Hit]:
    """Without the limit on a question's length: a whole history is longer."""
    return kb.retriever.search(query, kb.catalog.current_version(), None, DEPTH).hits


def _documents(kb: KnowledgeBase, query: str) -> list[str]:
    return list(dict.fromkeys(hit.stored.source.document_id for hit in _hits(kb, query)))


def figures(row: Mapping[str, Sequence[float]]) -> Section:
    """Each way's recall at five, with a bootstrap interval; how often it finds anything; and for
    how many questions it finds more, or less, than the last turn alone."""
    return {name: _figure(values, row[LAST]) for name, values in row.items()}


def _figure(values: Sequence[float], last: Sequence[float]) -> Section:
    array = np.array(values)
    low = high = float(array.mean())
    if array.std():
        interval = bootstrap(
            (array,), np.mean, n_resamples=2000, method="percentile", rng=7
        ).confidence_interval
        low, high = float(interval.low), float(interval.high)
    return {
        "of": len(values),
        "recall": round(float(array.mean()), 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "found": share(value > 0 for value in values),
        "better": sum(a > b for a, b in zip(values, last, strict=True)),
        "worse": sum(a < b for a, b in zip(values, last, strict=True)),
    }


# -- questions back ------------------------------------------------------------------------------


def asked_back(mtrag: Path, questions: Path) -> Section:
    """How many are asked back of each kind; and for how many the model is asked to rewrite."""
    kinds: dict[str, list[bool]] = {}
    unsure: list[bool] = []
    for task in tasks(mtrag):
        back = clarification(task.question, task.history) is not None
        kinds.setdefault(f"MTRAG-UN, {task.part}, {task.kind}", []).append(back)
        unsure.append(needs_model(task.question, task.history))
    for turn, _ in conversations(questions):
        back = clarification(turn.question, turn.history) is not None
        kinds.setdefault("development questions", []).append(back)
    return {
        "kinds": {kind: share(backs) for kind, backs in sorted(kinds.items())},
        "rules_unsure": share(unsure),
    }


# -- the report's page ---------------------------------------------------------------------------


def table(found: Section) -> list[str]:
    """Markdown lines."""
    lines = [
        f"| follow-ups | searched with | recall@{TOP} | finds any | better, worse than the last "
        "turn |",
        "|---|---|---|---|---|",
    ]
    for part, ways in found["retrieval"].items():
        lines += [
            f"| {part} ({way['of']}) | {name} | {way['recall']:.3f} ({way['low']:.2f}–"
            f"{way['high']:.2f}) | {way['found']['hits']} of {way['of']} | {way['better']}, "
            f"{way['worse']} |"
            for name, way in ways.items()
        ]
    lines += ["", "| questions | asked back |", "|---|---|"]
    lines += [
        f"| {kind} | {one['hits']} of {one['of']} ({one['low']:.2f}–{one['high']:.2f}) |"
        for kind, one in found["asked_back"]["kinds"].items()
    ]
    unsure = found["asked_back"]["rules_unsure"]
    return [*lines, "", f"The rules are unsure of {unsure['hits']} of {unsure['of']} last turns."]


if __name__ == "__main__":
    main()
