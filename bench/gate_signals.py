"""Collects what the gate sees, for bench/fit_gate.py: `python -m bench.gate_signals OUT.jsonl`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from bench.answers import SEEN, turns
from bench.index import bare, indexed, loaded, shelve
from bench.questions import load
from bench.squad import articles, sample
from kb.answer import HITS, Limits
from kb.conversation import standalone
from kb.evidence import gather
from kb.gate import signals
from kb.injection import factual_part
from kb.parts import gather_all
from kb.ports import ChatModel
from kb.prompt import judge_messages
from kb.settings import Settings, load_settings
from kb.types import Filters
from kb.wiring import KnowledgeBase


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--shared", type=Path, default=Path("../shared/eval"))
    parser.add_argument("--squad", type=int, default=120, help="of each kind")
    given = parser.parse_args(arguments)
    settings = load_settings()
    with loaded(settings) as model, given.out.open("w", encoding="utf-8") as file:
        for row in chain(
            _ours(settings, model, given.shared / "questions.jsonl", "dev"),
            _ours(settings, model, SEEN, "seen"),
            _squad(settings, model, given.shared / "public" / "squad2.jsonl", given.squad),
        ):
            file.write(json.dumps(row) + "\n")
            file.flush()


def _ours(
    settings: Settings, model: ChatModel, path: Path, source: str
) -> Iterator[dict[str, Any]]:
    known: dict[str, bool] = {}
    for item in load(path):
        golds = item.get("gold") or [item]
        for number, gold in enumerate(golds, 1):
            key = f"{item['id']}#{number}" if item["type"] == "multiturn" else item["id"]
            known[key] = gold["answerable"]
    with indexed(settings, [settings.corpus], model) as kb:
        for turn in turns(path):
            asked = factual_part(standalone(turn.question, turn.history({}))) or turn.question
            yield _seen(kb, model, turn.key, asked, Filters(), known[turn.key], source)


def _squad(settings: Settings, model: ChatModel, path: Path, each: int) -> Iterator[dict[str, Any]]:
    """Of the articles for fitting; the evaluation asks about the others."""
    with bare(settings, model) as (kb, token_count):
        shelve(kb, articles(path, "FIT"), token_count)
        for reading in sample(path, "FIT", each):
            held = Filters(document_ids=(reading.article,))
            answerable = bool(reading.answers)
            yield _seen(kb, model, reading.id, reading.question, held, answerable, "squad2")


def _seen(
    kb: KnowledgeBase,
    model: ChatModel,
    key: str,
    question: str,
    filters: Filters,
    answerable: bool,
    source: str,
) -> dict[str, Any]:
    gathered = gather_all(
        question,
        lambda part, words: gather(part, kb.search(part, filters, HITS), words),
        Limits().evidence_words,
    )
    yes = model.probability_of_yes(judge_messages(question, gathered.evidence), lambda: False)
    seen = asdict(signals(question, gathered, yes))
    return {"id": key, "source": source, "answerable": answerable} | seen


if __name__ == "__main__":
    main()
