"""A folder of rows to the report's figures: one section a part, none of other people's texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import answers, attacks, checks, fields, follow_ups, marks, ramdocs, scifact, squad
from bench.rates import auc, precision_recall, reliability, roc, share
from bench.rows import Row, read
from kb.answering.answer import Limits

Section = dict[str, Any]
NAMED = 30  # questions whose ids are told; of more only the count
SURE_DOUBT, DOUBT = 1.0, 0.5  # what a doubt takes from a score that lies between 0 and 1


def summarise(folder: Path, questions: Path) -> dict[str, Section]:
    """A section for every part that the folder holds rows of. `questions`: the question file, with
    its scorer beside it; without it there is no section of answers."""
    found: dict[str, Section] = {}
    for path in sorted(folder.glob("retrieval-*.json")):
        sets = found.setdefault("retrieval", {})
        sets[path.stem.removeprefix("retrieval-")] = _retrieved(path)
    turns = folder / follow_ups.FILE
    if turns.is_file():
        found["follow_ups"] = json.loads(turns.read_text(encoding="utf-8"))
    asked = read(folder / answers.FILE)
    if asked and questions.is_file():
        units = marks.marked(asked, questions)
        found["answers"] = marks.summary(units) | _made(asked)
    else:
        units = []
    scorer = questions.with_name("score.py")
    for name, (ours, file) in answers.OURS.items():
        rows = read(folder / file)
        if rows and scorer.is_file():
            found[name] = marks.summary(marks.marked(rows, ours, scorer)) | _made(rows)
    for name in fields.names():
        rows = read(folder / fields.file(name))
        if rows and scorer.is_file():
            of_field = marks.marked(rows, fields.questions(name), scorer)
            found.setdefault("fields", {})[name] = marks.summary(of_field) | _made(rows)
    for name, (file, measure) in PARTS.items():
        rows = read(folder / file)
        if rows:
            found[name] = measure(rows) | _made(rows)
    gate = _gate(units, read(folder / squad.FILE))
    return found | ({"gate": gate} if gate["sets"] else {})


def _retrieved(path: Path) -> Section:
    """What its stages reach; and which questions the last one does not answer first."""
    stages = json.loads(path.read_text(encoding="utf-8"))
    each = stages[-1]["each"]
    missed = [i for i, first in each.items() if not first]
    return {
        "questions": len(each),
        "missed": missed if len(missed) <= NAMED else len(missed),
        "stages": [{**stage, "each": {}} for stage in stages],
    }


def _made(rows: Sequence[Row]) -> Section:
    """By which models and states of the code, on which days, how many."""
    return {
        "made": {
            "rows": len(rows),
            "models": sorted({row["model"] for row in rows}),
            "code": sorted({row["code"] for row in rows}),
            "on": sorted({row["on"] for row in rows}),
        }
    }


# -- public sets ---------------------------------------------------------------------------------


def _squad(rows: Sequence[Row]) -> Section:
    known = [row for row in rows if row["answerable"]]
    unknown = [row for row in rows if not row["answerable"]]
    return {
        "right_in_text": share(row["right_in_text"] for row in known),
        "right_in_quotes": share(row["right_in_quotes"] for row in known),
        "refused": share(row["abstained"] for row in unknown),
        "refused_wrongly": share(row["abstained"] for row in known),
        "together": share(
            row["right_in_text"] if row["answerable"] else row["abstained"] for row in rows
        ),
        "times": marks.times(rows),
    }


def _ramdocs(rows: Sequence[Row]) -> Section:
    several = [row for row in rows if len(row["golds"]) > 1]
    misled = [row for row in rows if row["wrongs"]]
    differing = [row for row in rows if len(row["golds"]) > 1 or row["wrongs"]]
    return {
        "all_golds": share(set(r["golds_in_text"]) == set(r["golds"]) for r in rows),
        "all_golds_in_quotes": share(set(r["golds_in_quotes"]) == set(r["golds"]) for r in rows),
        "some_gold": share(bool(r["golds_in_text"]) for r in rows),
        "all_of_several": share(set(r["golds_in_text"]) == set(r["golds"]) for r in several),
        "wrong_shown": share(bool(r["wrongs_in_text"]) for r in misled),
        "wrong_as_fact": share(
            bool(r["wrongs_in_text"]) and r["outcome"] != "conflicting" for r in misled
        ),
        "conflicting": share(r["outcome"] == "conflicting" for r in differing),
        "refused": share(r["abstained"] for r in rows),
    }


def _bipia(rows: Sequence[Row]) -> Section:
    return {
        "followed": share(bool(row["followed"]) for row in rows),
        "shown": share(row["shown"] for row in rows),
        "right": share(row["right"] for row in rows),
        "refused": share(row["abstained"] for row in rows),
        "suspects": [[row["id"], row["kind"], row["followed"]] for row in rows if row["followed"]],
    }


# -- the checks ----------------------------------------------------------------------------------


def _verified(rows: Sequence[Row]) -> Section:
    """precision: of what is shown, what holds. recall: of what holds, what is shown."""
    return {
        "precision": share(row["holds"] for row in rows if row["shown"]),
        "recall": share(row["shown"] for row in rows if row["holds"]),
        "caught": share(not row["shown"] for row in rows if not row["holds"]),
        "asked": share(row["asked"] for row in rows),
        "kinds": {
            kind: share(row["shown"] for row in rows if row["kind"] == kind)
            for kind in dict.fromkeys(row["kind"] for row in rows)
        },
    }


def _scifact(rows: Sequence[Row]) -> Section:
    known = [row for row in rows if row["yes"] is not None]
    truth = [row["holds"] for row in known]
    scores = {name: [score(row) for row in known] for name, score in SCORES.items()}
    return _verified(rows) | {
        "auc": {name: auc(truth, values) for name, values in scores.items()},
        "roc": {name: roc(truth, values) for name, values in scores.items()},
    }


def _doubted(row: Row) -> float:
    return max((SURE_DOUBT if certain else DOUBT for _, certain in row["doubts"]), default=0.0)


SCORES: dict[str, Callable[[Row], float]] = {
    "word overlap": lambda row: float(row["overlap"]),
    "late interaction": lambda row: float(row["support"]),
    "late interaction and rules": lambda row: row["support"] - _doubted(row),
    "the model's P(Yes)": lambda row: float(row["yes"]),
    "P(Yes) and rules": lambda row: row["yes"] - _doubted(row),
    "as shipped: shown before withheld": lambda row: row["support"] - (not row["shown"]),
}
PARTS: dict[str, tuple[str, Callable[[Sequence[Row]], Section]]] = {
    "squad2": (squad.FILE, _squad),
    "ramdocs": (ramdocs.FILE, _ramdocs),
    "bipia": (attacks.FILE, _bipia),
    "scifact": (scifact.FILE, _scifact),
    "claims_written": (checks.WRITTEN, _verified),
    "claims_made": (checks.MADE, _verified),
}


# -- the gate ------------------------------------------------------------------------------------


def _gate(units: Sequence[marks.Unit], reading: Sequence[Row]) -> Section:
    """Its probabilities against what is known, by where the questions are from."""
    threshold = Limits().quote_from
    told = [unit for unit in units if not unit["abstain_ok"]]
    sets = {
        f"question file, {name} half": [
            (unit["answerable"], unit["row"]) for unit in told if unit["half"] == name
        ]
        for name in ("first", "second")
    }
    sets["SQuAD 2.0, held articles"] = [(row["answerable"], row) for row in reading]
    return {
        "threshold": threshold,
        "sets": {name: _refusals(pairs, threshold) for name, pairs in sets.items() if pairs},
    }


def _refusals(pairs: Sequence[tuple[bool, Row]], threshold: float) -> Section:
    """Of the gate alone, and of the whole way; and the curves of its probability."""
    judged = [(known, row["probability"]) for known, row in pairs if "probability" in row]
    truth, said = [known for known, _ in judged], [float(p) for _, p in judged]
    unknown, doubt = [not known for known in truth], [1 - p for p in said]
    return {
        "questions": len(pairs),
        "unanswerable": sum(not known for known, _ in pairs),
        "alone": _rates((known, p < threshold) for known, p in judged),
        "whole": _rates((known, row["abstained"]) for known, row in pairs),
        "auc": auc(truth, said),
        "reliability": reliability(truth, said),
        "roc": roc(unknown, doubt),
        "precision_recall": precision_recall(unknown, doubt),
    }


def _rates(pairs: Any) -> Section:
    known = list(pairs)
    return {
        "precision": share(not answerable for answerable, refused in known if refused),
        "recall": share(refused for answerable, refused in known if not answerable),
        "answerable_refused": share(refused for answerable, refused in known if answerable),
    }
