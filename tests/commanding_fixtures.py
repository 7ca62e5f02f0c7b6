"""Fixtures: the command `kb` in this process, and a home of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commanding import Ended, Kb

from cli.commands import run


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs `kb` in this process."""

    def run_it(*arguments: str | Path) -> Ended:
        status = run([str(argument) for argument in arguments])
        return Ended(status, *capsys.readouterr())

    return run_it


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty KB_HOME."""
    for key in os.environ:
        if key.startswith("KB_"):
            monkeypatch.delenv(key)
    monkeypatch.setenv("KB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that can be read and one that can't."""
    inside = tmp_path / "folder"
    (inside / "deep").mkdir(parents=True)
    (inside / "good.md").write_text("# Good\n\nThe weighbridge at Alford weighs 40 tonnes.\n")
    (inside / "deep" / "too.txt").write_text("The scale at Bath is old.\n")
    (inside / "bad.md").write_bytes(b"%PDF-1.7\x00\x01\x02")
    return inside
