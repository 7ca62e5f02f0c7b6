"""What is said about packages, weights and threats is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from kb.weights_catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
LICENCES = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
SHOWN_BY = sorted(set(re.findall(r"`(test_\w+)`", SECURITY)))
TESTS = "\n".join(path.read_text() for path in sorted((ROOT / "tests").glob("test_*.py")))


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (line.partition("==") for line in lines if "==" in line)
    return {canonicalize_name(name): version for name, _, version in pins}


def listed() -> dict[str, str]:
    """The rows below the second heading: name to version."""
    packages = LICENCES.partition("## Packages")[2].partition("|---|")[2]
    return dict(re.findall(r"^\| ([a-z0-9-]+) \| ([^ |]+) \| [^|]+ \|$", packages, re.MULTILINE))


def test_the_list_of_licences_has_every_locked_package_and_no_other() -> None:
    assert listed() == locked(), "run `make licences`"


def test_every_package_has_a_licence() -> None:
    assert not re.findall(r"^\| ([a-z0-9-]+) \| [^|]+ \| (?:UNKNOWN|) *\|$", LICENCES, re.MULTILINE)


def test_the_list_of_licences_has_every_file_of_weights() -> None:
    for entry in CATALOGUE:
        for file in entry.files:
            row = f"| {entry.name} | {file.name} | {entry.licence} | `{file.sha256}` |"
            assert row in LICENCES


@pytest.mark.parametrize("test", SHOWN_BY)
def test_every_test_that_shows_a_threat_answered_exists(test: str) -> None:
    assert re.search(rf"^ *(?:async )?def {test}\(", TESTS, re.MULTILINE)


def test_every_threat_names_what_shows_its_answer() -> None:
    table = SECURITY.partition("## Threats")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]

    assert len(rows) >= 15
    assert [row for row in rows if "`test_" not in row] == []
