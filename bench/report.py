"""`make eval`: retrieval on the development questions and on SQuAD 2.0, as docs/evaluation.md."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bench import questions as asked
from bench import retrieval, squad
from bench.index import indexed
from kb.fakes_model import ScriptedModel
from kb.settings import Settings, load_settings

DOCS = Path(__file__).parent.parent / "docs"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--squad-questions", type=int, default=None)
    given = parser.parse_args(arguments)
    questions = given.shared / "eval" / "questions.jsonl"
    if not questions.is_file():
        sys.exit(f"{questions} is not there: name the folder that holds eval/ with --shared")
    settings = load_settings()
    lines = _head()
    for name, folder in (("corpus", settings.corpus), ("seeds", given.shared / "seeds")):
        lines += _development(settings, name, folder, questions)
    stages = squad.compare(
        settings, given.shared / "eval" / "public" / "squad2.jsonl", given.squad_questions
    )
    lines += ["## SQuAD 2.0 paragraphs", "", retrieval.table(stages), ""]
    (DOCS / "evaluation.md").write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write("\n".join(lines))


def _head() -> list[str]:
    return [
        "# Evaluation: retrieval",
        "",
        f"Made by `make eval` on {date.today().isoformat()}, {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}. In brackets: 95 % bootstrap "
        "intervals. A passage counts as right when it holds the words of a known piece of "
        "evidence and what a right answer must include; recall@k is the share of questions with "
        "such a passage among the first k.",
        "",
        "The formula was chosen while looking at the development questions, both halves"
        ", and at half of the SQuAD articles; the projection has seen the seeds' text a"
        "nd half of the SQuAD paragraphs. No figure here is of questions wholly kept ba"
        "ck.",
        "",
    ]


def _development(settings: Settings, name: str, folder: Path, questions: Path) -> list[str]:
    scorer = asked.load_scorer(questions.with_name("score.py"))
    items = [(a.id, a.question, asked.relevance(a, scorer)) for a in asked.single_turn(questions)]
    with indexed(settings, [folder], ScriptedModel([""])) as kb:
        stages = retrieval.evaluate(items, lambda q: kb.search(q, count=retrieval.DEPTH).hits)
    picture = f"retrieval-{name}.png"
    title = f"Development questions over {name} ({len(items)})"
    retrieval.plot(title, stages, DOCS / picture)
    missed = [i for i, first in stages[-1].each.items() if not first]
    return [
        f"## {title}",
        "",
        retrieval.table(stages),
        "",
        f"Not first after re-ranking: {', '.join(missed) or 'none'}.",
        "",
        f"![Retrieval over {name}]({picture})",
        "",
    ]


if __name__ == "__main__":
    main()
