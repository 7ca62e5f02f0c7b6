"""The rows of a question file, marked by the scorer that came with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.questions import half, load, load_scorer
from bench.rates import quantiles, share
from bench.rows import Row, read

Unit = dict[str, Any]


def marked(rows: Sequence[Row], questions: Path, scorer: Path | None = None) -> list[Unit]:
    """A unit a row: what the scorer says of it, joined with the row and the half that it is of.
    scorer: where it doesn't lie beside the questions."""
    scorer_of = load_scorer(scorer or questions.with_name("score.py"))
    items = load(questions)
    halves = {item["id"]: half(item) for item in items}
    known = {row["id"]: row for row in rows}
    return [
        {
            **_score(scorer_of, unit, known[unit["key"]]),
            "half": halves[unit["key"].partition("#")[0]],
            "row": known[unit["key"]],
            "facts": len(unit["must_include"]),
            "asked": unit,
        }
        for unit in scorer_of.units(items)
        if unit["key"] in known
    ]


def _score(scorer: ModuleType, unit: Unit, row: Row) -> Unit:
    scored: Unit = scorer.score_unit(unit, row, {})
    return scored


def summary(units: Sequence[Unit]) -> dict[str, Any]:
    """Everything that the report says of answers, without a question's text."""
    return {
        "all": figures(units),
        "halves": {
            name: figures(_of(units, "half", name)) for name in sorted(_names(units, "half"))
        },
        "types": {
            name: {"right": right, "covered": covered}
            for name in _names(units, "type")
            for right, covered in [_right(_of(units, "type", name))]
        },
        "outcomes": _counts(unit["row"]["outcome"] for unit in units),
        "reasons": _counts(reason for unit in units if (reason := unit["row"]["reason"])),
        "withheld_because": _counts(
            failure.partition(":")[0]
            for unit in units
            for _, failure in unit["row"]["withheld_sentences"]
        ),
        "times": times([unit["row"] for unit in units]),
        "failures": [failure(unit) for unit in units if not unit["ok"]],
    }


def figures(units: Sequence[Unit]) -> dict[str, Any]:
    """What the goals name. Refusals: units that may be answered either way are left out."""
    told = [unit for unit in units if not unit["abstain_ok"]]
    answered = [unit for unit in units if unit["answerable"] and unit["answered"]]
    rows = [unit["row"] for unit in units]
    shown, withheld = sum(r["sentences"] for r in rows), sum(r["withheld"] for r in rows)
    return {
        "right": share(unit["ok"] for unit in units),
        "refusal_precision": share(not u["answerable"] for u in told if u["abstained"]),
        "refusal_recall": share(u["abstained"] for u in told if not u["answerable"]),
        "wrong_values": sum(bool(u["bad"]) for u in answered),
        "quote_support": share(bool(u["support"]) for u in answered),
        "quote_full": share(bool(u["full"]) for u in answered),
        "both_positions": share(
            u["coverage"] == 1 and u["answered"] for u in units if u["type"] == "conflict"
        ),
        "unresolved": sum(r["unresolved"] for r in rows),
        "unsourced_figures": sum(r["unsourced_figures"] for r in rows),
        "sentences": shown,
        "verified": share(i < r["cited_sentences"] for r in rows for i in range(r["sentences"])),
        "passed": share([*[True] * shown, *[False] * withheld]),
    }


def times(rows: Sequence[Row]) -> dict[str, Any]:
    """Seconds and tokens, p50 and p90; and the seconds themselves, for the picture."""
    first = [r["seconds_to_first_sentence"] for r in rows if "seconds_to_first_sentence" in r]
    end = [r["seconds"] for r in rows]
    written = [r for r in rows if r["tokens_written"]]
    return {
        "first_sentence": quantiles(first),
        "whole": quantiles(end),
        "tokens_read": quantiles([r["tokens_read"] for r in rows if r["tokens_read"]]),
        "tokens_written": quantiles([r["tokens_written"] for r in written]),
        "model_calls": quantiles([r["model_calls"] for r in rows]),
        "each_first_sentence": [round(s, 1) for s in sorted(first)],
        "each_whole": [round(s, 1) for s in sorted(end)],
    }


def failure(unit: Unit) -> dict[str, str]:
    """What was said and why it counts as wrong. The question and what a right answer must hold are
    in the question file, by the id."""
    row = unit["row"]
    said = row["reason"] if row["outcome"] == "refused" else row["answer"]
    return {
        "id": unit["key"],
        "type": unit["type"],
        "half": unit["half"],
        "outcome": row["outcome"],
        "said": said,
        "why": "; ".join(why(unit)),
    }


def write_out(rows: Path, questions: Path) -> Path:
    """Every failure in full, with the question, what is known of the answer, and the quotes: for a
    person, beside the rows. It holds the question file's texts."""
    parts = ["# Failures in full\n"]
    for unit in marked(read(rows), questions):
        if not unit["ok"]:
            row, asked = unit["row"], unit["asked"]
            parts += [
                f"## {unit['key']}, {unit['type']}, {unit['half']}: {'; '.join(why(unit))}\n",
                f"- asked: {row['question']}\n- known: {asked['answer']}",
                f"- {row['outcome']} ({row['reason'] or 'no reason'}): {row['answer']}",
                *(f"- quote: {citation['quote']}" for citation in row["citations"]),
                *(f"- withheld, {failed}: {text}" for text, failed in row["withheld_sentences"]),
                f"- lacks: {unit['missed']}\n- has: {unit['bad']}\n",
            ]
    page = rows.with_name("failures.md")
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def why(unit: Unit) -> list[str]:
    """In the scorer's terms."""
    if not unit["answerable"]:
        return ["should have been refused"]
    if unit["abstained"]:
        return ["refused, though the documents answer it"]
    told = []
    if unit["missed"]:
        told.append(f"{len(unit['missed'])} of {unit['facts']} facts missing")
    if unit["bad"]:
        told.append("a known-wrong value")
    return told


def _right(units: Sequence[Unit]) -> tuple[Any, float | None]:
    covered = [unit["coverage"] for unit in units if unit["coverage"] is not None]
    return share(u["ok"] for u in units), round(sum(covered) / len(covered), 3) if covered else None


def _of(units: Sequence[Unit], field: str, name: str) -> list[Unit]:
    return [unit for unit in units if unit[field] == name]


def _names(units: Sequence[Unit], field: str) -> list[str]:
    return list(dict.fromkeys(unit[field] for unit in units))


def _counts(names: Iterable[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for name in names:
        found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))
