"""Requests made up from the server's own description of itself, right ones and wrong ones: no
answer breaks it, and every answer has a status, a content type and a shape that are described."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MakeKb
from serving import serving
from shelf import PRICES, publish

from api.app import create_app
from kb.keys import KeyBook, Scope

pytest.importorskip("schemathesis", reason="needs the extra dev")

ROOT = Path(__file__).parent.parent
SECONDS, LONG_SECONDS = 25, 240
ENDING_SECONDS = 60  # after its time is up it ends what it is at
NOTHING_WRONG = 0


def fuzzed(port: int, seconds: int, *options: str) -> tuple[int, str]:
    """Exit status, and what it found wrong."""
    run = [sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/schema_fuzz.toml"]
    run += ["run", f"http://127.0.0.1:{port}/openapi.json", "--no-color", "--continue-on-failure"]
    done = subprocess.run(
        [*run, f"--max-time={seconds}", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds + ENDING_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def corpus(folder: Path) -> None:
    folder.mkdir()
    (folder / "alpha.md").write_text("# Alpha\n\nAlpha costs 3 dollars.\n")


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(SECONDS, marks=pytest.mark.slow),
        pytest.param(LONG_SECONDS, marks=pytest.mark.exhaustive),
    ],
)
@pytest.mark.parametrize("keyed", [False, True], ids=["open", "with keys"])
def test_server_answers_as_its_description_says(
    make_kb: MakeKb, tmp_path: Path, keyed: bool, seconds: int
) -> None:
    kb = make_kb()
    corpus(kb.settings.corpus)
    header = []
    if keyed:
        _, key = KeyBook(kb.database).create("fuzzing", set(Scope))
        header = [f"--header=Authorization: Bearer {key}"]

    with serving(create_app(kb)) as port:
        status, told = fuzzed(port, seconds, *header)

    assert status == NOTHING_WRONG, told
    assert "Fuzzing" in told
    publish(kb, [PRICES])  # deleting and pruning were among the requests
    assert kb.search("What does the Gemini API cost?").hits
