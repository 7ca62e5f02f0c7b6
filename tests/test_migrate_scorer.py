"""`kb migrate --questions` runs a scorer, which is a program: only the one that was named."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commanding import ROOT

from cli.comparing import Asked
from cli.migrate import migrate
from kb.errors import InputError


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("")
    return path


def test_no_scorer_is_found_beside_the_working_directory(tmp_path: Path, questions: Path) -> None:
    """It is refused before the index is opened, and what lies there is not run."""
    work, planted = tmp_path / "work", tmp_path / "shared" / "eval"
    work.mkdir()
    planted.mkdir(parents=True)
    (planted / "score.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    code = "from cli.main import main; main()"

    done = subprocess.run(
        [sys.executable, "-c", code, "migrate", "--questions", str(questions)],
        cwd=work,
        env={**os.environ, "KB_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert "--scorer" in done.stderr
    assert not (tmp_path / "ran").exists()
    assert inspect.signature(migrate).parameters["scorer"].default is None


def test_questions_come_with_a_scorer_that_is_named(questions: Path) -> None:
    with pytest.raises(InputError, match="--scorer"):
        Asked(questions, None)


def test_a_file_that_is_not_there_is_told_before_anything_is_built(questions: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        Asked(questions, questions.with_name("nonesuch.py"))
