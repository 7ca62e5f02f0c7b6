"""The report is written from rows, says what they say, and loses no figure that it had."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import marks, pages, report
from bench.rates import auc, quantiles, reliability, share
from bench.retrieval import NAMES, Stage, as_json
from bench.summary import summarise

SIGNED = {"model": "small", "code": "abc", "on": "2026-01-01"}
# A scorer with the parts that are used of the real one.
SCORER = """
def units(items):
    for item in items:
        yield {**item, "key": item["id"], "must_include": item["must"], "abstain_ok": False}

def score_unit(unit, row, known):
    answered = not row["abstained"]
    missed = [m for m in unit["must"] if m not in row["answer"]]
    bad = [w for w in unit["wrong"] if w in row["answer"]]
    right = (answered and not missed and not bad) if unit["answerable"] else not answered
    return {"key": unit["key"], "type": unit["type"], "answerable": unit["answerable"],
            "abstain_ok": False, "abstained": not answered, "answered": answered, "ok": right,
            "missed": missed, "bad": bad, "coverage": 1.0 if not missed else 0.0,
            "support": answered, "full": answered and not missed}
"""


def asked(key: str, answer: str = "", **more: Any) -> dict[str, Any]:
    """A row as bench.asking makes it; without an answer a refusal."""
    return {
        "id": key, "answer": answer, "abstained": not answer, "question": "?", "citations": [],
        "outcome": "answered" if answer else "refused", "reason": None if answer else "not_stated",
        "sentences": 1 if answer else 0, "cited_sentences": 1 if answer else 0, "withheld": 0,
        "withheld_sentences": [], "unresolved": 0, "unsourced_figures": 0, "seconds": 5.0,
        "seconds_to_first_sentence": 3.0, "tokens_read": 200, "tokens_written": 20,
        "model_calls": 2, "probability": 0.8 if answer else 0.2,
    } | SIGNED | more  # fmt: skip


def question(key: str, answerable: bool, must: list[str], kind: str = "factoid") -> dict[str, Any]:
    return {"id": key, "type": kind, "question": "Secret text?", "answerable": answerable,
            "must": must, "wrong": ["$9"], "answer": " and ".join(must)}  # fmt: skip


def store(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "shared" / "questions.jsonl"
    store(path, [
        question("q1", True, ["$5"]), question("q2", True, ["$5", "MIT"], "table"),
        question("q3", False, []), question("q4", False, []), question("q5", True, ["$5"]),
    ])  # fmt: skip
    path.with_name("score.py").write_text(SCORER)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Rows of the answers, of SQuAD and of the checks."""
    rows = tmp_path / "rows"
    store(rows / "answers.jsonl", [
        asked("q1", "It costs $5."), asked("q2", "It costs | $9."), asked("q3"),
        asked("q4", "It is so."), asked("q5"),
    ])  # fmt: skip
    store(rows / "squad2.jsonl", [
        asked(f"s{n}", "x" if n % 3 else "", answerable=n % 2 == 0, right_in_text=n % 4 == 0,
              right_in_quotes=True, probability=n / 20) for n in range(20)
    ])  # fmt: skip
    store(rows / "scifact.jsonl", [
        {"id": f"c{n}", "claim": "A claim.", "kind": "SUPPORT" if n % 2 else "CONTRADICT",
         "holds": n % 2 == 1, "shown": n > 4, "failure": None, "support": n / 10, "yes": n / 10,
         "doubts": [["name", True]] if n == 1 else [], "asked": True, "overlap": 0.5, **SIGNED}
        for n in range(10)
    ])  # fmt: skip
    return rows


def test_the_report_says_what_the_rows_say(tmp_path: Path, folder: Path, questions: Path) -> None:
    report.write(tmp_path, folder, questions)

    page = (tmp_path / "docs" / "evaluation.md").read_text()
    assert "| answers right | 40.0 % (12–77), 2 of 5 | at least 85 % |" in page
    assert "| known-wrong values given | 1 | 0 |" in page
    assert "| q2 | table |" in page
    assert "2 of 2 facts missing; a known-wrong value | answered: It costs \\| $9. |" in page
    assert "should have been refused" in page
    assert "refused, though the documents answer it" in page
    assert "Secret text" not in page
    for picture in ("answers-by-type", "answers-seconds", "gate-reliability", "gate-roc",
                    "gate-precision-recall", "scifact-roc"):  # fmt: skip
        assert (tmp_path / "docs" / f"{picture}.png").stat().st_size > 1000
        assert f"({picture}.png)" in page


def test_written_again_from_the_same_rows_it_is_the_same(
    tmp_path: Path, folder: Path, questions: Path
) -> None:
    report.write(tmp_path, folder, questions)
    first = {p.name: p.read_bytes() for p in (tmp_path / "docs").iterdir()}

    report.write(tmp_path, folder, questions)

    assert {p.name: p.read_bytes() for p in (tmp_path / "docs").iterdir()} == first


def test_a_part_that_was_not_run_again_keeps_its_figures(
    tmp_path: Path, folder: Path, questions: Path
) -> None:
    report.update(tmp_path, folder, questions)
    before = json.loads((tmp_path / "docs" / "evaluation.json").read_text())["sections"]
    only = tmp_path / "only"
    store(only / "squad2.jsonl", [asked("s0", answerable=False, right_in_text=False,
                                        right_in_quotes=False)])  # fmt: skip

    report.update(tmp_path, only, questions)

    after = json.loads((tmp_path / "docs" / "evaluation.json").read_text())["sections"]
    assert after["answers"] == before["answers"]
    assert after["scifact"] == before["scifact"]
    assert after["squad2"]["refused"]["of"] == 1
    assert "| answers right |" in "\n".join(report.page({**report.machine()}, after))


def test_the_gate_keeps_the_sets_of_questions_that_were_not_asked_again(
    tmp_path: Path, folder: Path, questions: Path
) -> None:
    report.update(tmp_path, folder, questions)
    (folder / "answers.jsonl").unlink()

    report.update(tmp_path, folder, questions)

    sections = json.loads((tmp_path / "docs" / "evaluation.json").read_text())["sections"]
    assert "SQuAD 2.0, held articles" in sections["gate"]["sets"]
    assert any(name.startswith("question file") for name in sections["gate"]["sets"])


def test_measured_error_rates_are_what_the_server_reads(
    tmp_path: Path, folder: Path, questions: Path
) -> None:
    report.update(tmp_path, folder, questions)

    rates = json.loads((tmp_path / "kb" / "measured.json").read_text())
    assert set(rates) == {"gate", "verifier"}
    scifact = rates["verifier"]["scifact"]
    assert (scifact["precision"]["hits"], scifact["precision"]["of"]) == (3, 5)
    assert (scifact["recall"]["hits"], scifact["recall"]["of"]) == (3, 5)
    assert rates["gate"]["SQuAD 2.0, held articles"]["whole"]["recall"]["of"] == 10


def test_retrieval_names_the_questions_that_it_misses(tmp_path: Path, questions: Path) -> None:
    stages = [
        Stage(name, dict.fromkeys(NAMES, 0.5), dict.fromkeys(NAMES, (0.0, 1.0)), {"q1": 1, "q2": 0})
        for name in ("dense", "re-ranked")
    ]
    (tmp_path / "retrieval-corpus.json").write_text(as_json(stages))

    sections = report.update(tmp_path, tmp_path, questions)["sections"]

    lines = pages.retrieved(sections["retrieval"])
    assert "### Development questions over `corpus/` (2)" in lines
    assert "Not first after re-ranking: q2." in lines
    assert any("| dense | 0.500 (0.00–1.00) |" in line for line in lines)


def test_failures_in_full_stand_beside_the_rows(folder: Path, questions: Path) -> None:
    page = marks.write_out(folder / "answers.jsonl", questions)

    text = page.read_text()
    assert page.parent == folder
    assert [line.split(",")[0] for line in text.splitlines() if line.startswith("## ")] == [
        "## q2", "## q4", "## q5",
    ]  # fmt: skip
    assert "- known: $5 and MIT" in text


def test_rows_of_two_states_of_the_code_are_named(tmp_path: Path, questions: Path) -> None:
    rows = tmp_path / "mixed"
    store(rows / "answers.jsonl", [asked("q1", "$5"), asked("q3", code="def")])

    section = summarise(rows, questions)["answers"]

    assert "The code changed" in pages.made(section)[0]
    assert len(section["made"]["code"]) == 2


def test_rules_take_a_refuted_claim_behind_every_other(folder: Path, questions: Path) -> None:
    areas = summarise(folder, questions)["scifact"]["auc"]

    assert areas["late interaction"]["auc"] == pytest.approx(0.6)
    assert areas["late interaction and rules"]["auc"] == pytest.approx(0.56)
    assert areas["word overlap"]["auc"] == 0.5


# -- figures -------------------------------------------------------------------------------------


def test_a_share_has_wilsons_interval() -> None:
    assert share([True] * 8 + [False] * 2) == {
        "hits": 8, "of": 10, "share": 0.8, "low": 0.4902, "high": 0.9433,
    }  # fmt: skip
    assert share([])["share"] is None
    assert pages.told(share([])) == "–"


@settings(max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=30))
def test_an_area_lies_within_its_interval(pairs: list[tuple[bool, float]]) -> None:
    found = auc([known for known, _ in pairs], [score for _, score in pairs])

    if len({known for known, _ in pairs}) == 1:
        assert found["auc"] is None
    else:
        assert found["low"] - 0.001 <= found["high"]
        assert 0 <= found["auc"] <= 1


def test_quantiles_and_reliability_of_nothing_are_nothing() -> None:
    assert quantiles([]) == {"p50": None, "p90": None}
    assert reliability([], [])["brier"] is None


def test_a_perfect_forecast_lies_on_the_diagonal() -> None:
    truth = [False] * 8 + [True] * 8

    found = reliability(truth, [float(t) for t in truth])

    assert found["said"] == found["seen"] == [0.0, 1.0]
    assert found["brier"] == 0.0
