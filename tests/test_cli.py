"""The command `kb`: how it ends, and what it says of models and of itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from commanding import ROOT, Kb

from cli.screen import printable
from cli.shown import answer_lines
from kb.weights_catalogue import CATALOGUE

pytest_plugins = ["commanding_fixtures"]


# -- how it ends -----------------------------------------------------------------------------------


def test_version_is_printed(home: Path, command: Kb) -> None:
    assert command("version").out.startswith("weighbridge ")


@pytest.mark.parametrize(
    "arguments", [("no-such-command",), ("ask",), ("search", "x", "--count=0")]
)
def test_wrong_usage_ends_with_2(home: Path, command: Kb, arguments: Sequence[str]) -> None:
    ended = command(*arguments)

    assert ended.status == 2
    assert "Usage" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "x"),
        ("ask", "x"),
        ("ingest", str(ROOT / "corpus")),
        ("models", "verify"),
        ("models", "pull", "no-such-model"),
    ],
)
def test_expected_failures_are_one_line_that_says_what_to_do(
    home: Path, command: Kb, arguments: Sequence[str]
) -> None:
    ended = command(*arguments)

    assert ended.status == 1
    assert ended.err.startswith("kb: ")
    assert ended.err.count("\n") == 1
    assert "kb models" in ended.err


def test_misspelt_setting_is_refused(
    home: Path, command: Kb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_MODLE", "x")

    ended = command("models", "list")

    assert ended.status == 1
    assert "KB_MODLE" in ended.err


# -- models ----------------------------------------------------------------------------------------


def test_list_names_every_model_and_how_much_of_it_is_here(home: Path, command: Kb) -> None:
    entry = CATALOGUE[0]
    partial = home / "weights" / entry.name / f"{entry.files[0].name}.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 1_000_000)

    lines = command("models", "list").out.splitlines()[1:]

    assert [line.split()[0] for line in lines] == [entry.name for entry in CATALOGUE]
    assert lines[0].endswith("1 % here")
    assert all(line.endswith("not here") for line in lines[1:])


def test_verify_names_the_wrong_file_and_ends_with_1(home: Path, command: Kb) -> None:
    entry = CATALOGUE[0]
    for file in entry.files:
        path = home / "weights" / entry.name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not the weights")

    ended = command("models", "verify")

    assert ended.status == 1
    assert entry.files[0].name in ended.err
    assert not (home / "weights" / entry.name / entry.files[0].name).exists()


# -- what is shown ---------------------------------------------------------------------------------


def test_documents_cannot_drive_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07\x9bc\r") == "a�[2Jb��c�"
    assert printable("tab\tline\nend €") == "tab\tline\nend €"


def test_both_sides_of_a_conflict_are_shown_with_their_markers() -> None:
    answer = {
        "text": "They disagree.",
        "outcome": "conflicting",
        "conflicts": [
            {
                "about": "the price",
                "positions": [
                    {"statement": "It is $2.", "citations": [1]},
                    {"statement": "It is $3.", "citations": [2, 3]},
                ],
            }
        ],
        "withheld": 2,
        "citations": [],
        "nearest": [],
        "suggestions": ["What is the price?"],
    }

    lines = list(answer_lines(answer))

    assert "  - It is $2. [1]" in lines
    assert "  - It is $3. [2][3]" in lines
    assert any(line.endswith(": 2") for line in lines)
    assert lines[-1] == "You could ask: What is the price?"
