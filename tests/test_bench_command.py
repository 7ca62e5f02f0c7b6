"""`kb eval` says what is missing instead of measuring nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_bench_report import SCORER, asked, question, store

from bench.asking import Metered
from bench.parts import BY_DEFAULT, Run, measure
from cli import evals
from cli.commands import run
from kb.fakes_model import ScriptedModel
from kb.settings import Settings


@pytest.mark.parametrize("command", [["answers"], ["public"], ["checks"]])
def test_without_question_files_it_says_where_they_are_looked_for(
    command: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    status = run(["eval", *command, "--shared", str(tmp_path)])

    assert status == 2
    assert "questions.jsonl is not there" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["public", "checks"])
def test_an_unknown_part_is_answered_with_the_known_ones(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    status = run(["eval", command, "trivia"])

    assert status == 2
    assert "trivia is not known" in capfd.readouterr().err


def test_every_part_can_be_called_by_itself() -> None:
    assert {"retrieval", "follow_ups", *evals.ANSWERS, *evals.PUBLIC, *evals.CLAIMS} == set(
        BY_DEFAULT
    )


def test_a_part_whose_questions_are_missing_is_left_out_and_named(tmp_path: Path) -> None:
    told: list[str] = []
    settings = Settings(home=tmp_path)

    measure(
        Run(settings, tmp_path / "shared", tmp_path / "rows", note=told.append),
        ["answers", "bipia", "claims_made"],
        Metered(ScriptedModel([""])),
    )

    assert [line.partition(":")[0] for line in told] == [
        "answers is left out", "bipia is left out", "claims_made is left out",
    ]  # fmt: skip


def test_rows_that_are_all_there_are_told_without_a_model_being_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps(question("q1", True, ["$5"])) + "\n")
    questions.with_name("score.py").write_text(SCORER)
    store(tmp_path / "rows" / "answers.jsonl", [asked("q1", "It costs $5.")])

    evals._tell(["answers"], tmp_path / "rows", questions)

    said = capfd.readouterr().out
    assert "100.0 %" in said
    assert "![" not in said
