"""The whole evaluation: `python -m bench.report` measures and writes docs/evaluation.md.

`python -m bench.report --from FOLDER` only writes it, from the rows that earlier runs left there.
A part that the folder does not hold keeps its figures: they are in docs/evaluation.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from bench import pages, pages_checks, plots, retrieval
from bench.asking import Metered
from bench.index import loaded
from bench.parts import BY_DEFAULT, PARTS, SHARED, Run, measure
from bench.rows import RESULTS, ROOT
from bench.summary import summarise
from kb.settings import load_settings

Sections = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    folder, questions = given.out, given.shared / "eval" / "questions.jsonl"
    if given.rendered:
        folder = given.rendered
    else:
        _measured(given)
    write(given.into, folder, questions)
    sys.stdout.write(f"{given.into / 'docs' / 'evaluation.md'}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shared", type=Path, default=SHARED, help="holds eval/ and seeds/")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for rows")
    parser.add_argument("--parts", nargs="+", choices=[*PARTS], default=BY_DEFAULT)
    parser.add_argument("--count", type=int, help="only the first so many of each part")
    parser.add_argument("--keep", action="store_true", help="rows of earlier code will do")
    parser.add_argument("--from", dest="rendered", type=Path, metavar="FOLDER",
                        help="measure nothing: write the report from these rows")  # fmt: skip
    parser.add_argument("--into", type=Path, default=ROOT,
                        help="folder whose docs/ and kb/measured.json are written")  # fmt: skip
    return parser


def _measured(given: argparse.Namespace) -> None:
    settings = load_settings()
    run = Run(settings, given.shared, given.out, given.count, given.keep, note)
    with loaded(settings) as model:
        measure(run, given.parts, Metered(model))
    (given.out / "machine.json").write_text(json.dumps(machine()), encoding="utf-8")


def note(line: str) -> None:
    sys.stderr.write(line + "\n")


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "on": date.today().isoformat(),
    }


# -- from rows to the report ---------------------------------------------------------------------


def write(into: Path, rows: Path, questions: Path) -> None:
    """docs/evaluation.json, .md and the pictures, and kb/measured.json, under `into`."""
    figures = update(into, rows, questions)
    docs = into / "docs"
    pictures(figures["sections"], docs)
    lines = page(figures["machine"], figures["sections"])
    (docs / "evaluation.md").write_text("\n".join(lines), encoding="utf-8")


def update(into: Path, rows: Path, questions: Path) -> dict[str, Any]:
    """The figures alone: docs/evaluation.json, which it returns, and kb/measured.json."""
    path, there = into / "docs" / "evaluation.json", rows / "machine.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    by = json.loads(there.read_text(encoding="utf-8")) if there.is_file() else machine()
    sections = merged(known.get("sections", {}), summarise(rows, questions))
    figures = {"machine": by, "sections": sections}
    _store(path, figures)
    _store(into / "kb" / "measured.json", measured(sections))
    return figures


def merged(known: Sections, fresh: Sections) -> Sections:
    """The fresh sections in the place of the known ones; retrieval and refusals set by set."""
    both = {**known, **fresh}
    if "retrieval" in both:
        both["retrieval"] = {**known.get("retrieval", {}), **fresh.get("retrieval", {})}
    if "gate" in both:
        sets = [one.get("gate", {}).get("sets", {}) for one in (known, fresh)]
        both["gate"] = {**both["gate"], "sets": {**sets[0], **sets[1]}}
    return both


def page(by: Mapping[str, Any], sections: Sections) -> list[str]:
    lines = [
        "# Evaluation",
        "",
        f"Made by `python -m bench.report`, which `make eval` runs, on {by['on']}: {by['cores']} "
        f"cores ({by['processor']}), Python "
        f"{by['python']}, no GPU. The same figures for programs: [evaluation.json](evaluation.json)"
        ". `python -m bench.report --from build/eval` writes this page again from kept rows. "
        "Answers that were read by hand against their sources: [answers.md](answers.md). Each part "
        "says when its rows were made: what is older than this page's date tells of the product as "
        "it was then.",
        "",
        *pages.goals(sections),
    ]
    if "retrieval" in sections:
        lines += pages.retrieved(sections["retrieval"])
    if "follow_ups" in sections:
        lines += pages.follow_ups(sections["follow_ups"])
    if "answers" in sections:
        lines += pages.answers(sections["answers"])
    if "seen" in sections:
        lines += ["## Questions seen later", "", *pages.ours(pages.SEEN, sections["seen"])]
    if "held_out" in sections:
        lines += ["## Held-out questions", "", *pages.ours(pages.HELD_OUT, sections["held_out"])]
    if "fresh" in sections:
        lines += ["## Fresh questions", "", *pages.ours(pages.FRESH, sections["fresh"])]
    for name, one in sections.get("fields", {}).items():
        lines += [f"## Another field: {name}", "", *pages.ours(pages.field(name), one)]
    if "gate" in sections:
        lines += pages_checks.gate(sections["gate"])
    lines += pages_checks.verifier(sections) + pages_checks.public(sections)
    if "answers" in sections:
        lines += pages.failures(sections["answers"])
    return lines


def measured(sections: Sections) -> dict[str, Any]:
    """The error rates that the server tells of itself."""
    rates = ("precision", "recall", "caught", "made")
    verifier = {
        name: {rate: sections[name][rate] for rate in rates}
        for name in ("claims_made", "scifact", "claims_written")
        if name in sections
    }
    sets = sections.get("gate", {}).get("sets", {})
    gate = {name: {"alone": one["alone"], "whole": one["whole"], "auc": one["auc"]}
            for name, one in sets.items()}  # fmt: skip
    return {"gate": gate, "verifier": verifier}


def pictures(sections: Sections, docs: Path) -> None:
    for name, one in sections.get("retrieval", {}).items():
        stages = retrieval.from_json(one["stages"])
        retrieval.plot(f"Retrieval, {name} ({one['questions']})", stages,
                       docs / f"retrieval-{name}.png")  # fmt: skip
    if answers := sections.get("answers"):
        right = {name: one["right"] for name, one in answers["types"].items()}
        plots.shares(docs / "answers-by-type.png", "Answers right, by type",
                     right | {"all": answers["all"]["right"]})  # fmt: skip
        times = answers["times"]
        plots.waits(docs / "answers-seconds.png", "Waiting for an answer",
                    {"first checked sentence": times["each_first_sentence"],
                     "whole answer": times["each_whole"]})  # fmt: skip
    if gate := sections.get("gate"):
        _gate_pictures(gate["sets"], docs)
    if scifact := sections.get("scifact"):
        plots.curves(docs / "scifact-roc.png", "SciFact: support against contradiction",
                     scifact["roc"], ("contradicted pairs taken for supported",
                     "supported pairs found"), "chance")  # fmt: skip


def _gate_pictures(sets: Mapping[str, Any], docs: Path) -> None:
    said = {name: {"x": one["reliability"]["said"], "y": one["reliability"]["seen"]}
            for name, one in sets.items()}  # fmt: skip
    plots.curves(docs / "gate-reliability.png", "Confidence: what it says, and what is so", said,
                 ("said probability that the documents answer", "share that they answer"),
                 "perfectly calibrated")  # fmt: skip
    plots.curves(docs / "gate-roc.png", "Refusals",
                 {n: o["roc"] for n, o in sets.items()},
                 ("answerable ones refused", "unanswerable ones refused"), "chance")  # fmt: skip
    plots.curves(docs / "gate-precision-recall.png", "Refusals",
                 {n: o["precision_recall"] for n, o in sets.items()},
                 ("recall", "precision"))  # fmt: skip


def _store(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
