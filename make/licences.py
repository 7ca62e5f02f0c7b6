"""Prints docs/licences.md: what this project is run and tested with, and under which terms.

python make/licences.py > docs/licences.md

Of each package in requirements.lock what its own metadata say, as pip-licenses reads them in this
environment; of the weights what kb/weights_catalogue.py pins.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kb.weights_catalogue import CATALOGUE  # noqa: E402  # this file is run as a script

LONGEST = 70  # some packages put a whole licence's text where its name belongs

# Metadata that name no licence, and where the package itself says it.
SAID_ELSEWHERE: Mapping[str, str] = {"axe-playwright-python": "MIT"}  # its LICENSE file

HEAD = """\
# Licences

Made by `make licences` from `requirements.lock` and `kb/weights_catalogue.py`. Weighbridge itself
is Apache-2.0: [LICENSE](../LICENSE).

## Weights

None are in this repository or in its packages: they are fetched, and a file is accepted only with
this sha256.

| weights | file | licence | sha256 |
|---|---|---|---|
"""
PACKAGES = """
## Packages

Each at the version that is locked, of all extras together; what serves is a part of them
(`dependencies` in `pyproject.toml`, and what those need). The licence is what the package's own
metadata name.

| package | version | licence |
|---|---|---|
"""


def locked(text: str) -> dict[str, str]:
    """Name to version."""
    lines = (line.partition("==") for line in text.splitlines() if "==" in line)
    return {canonicalize_name(name): version for name, _, version in lines}


def licences() -> dict[str, str]:
    """Of every package in this environment."""
    command = [sys.executable, "-m", "piplicenses", "--with-system", "--format=json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {canonicalize_name(one["Name"]): one["License"] for one in json.loads(done.stdout)}


def rows(packages: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for name, version in sorted(packages.items()):
        if name not in found:
            sys.exit(f"{name} is not installed here; run make test first")
        said = SAID_ELSEWHERE.get(name, found[name])
        first = " ".join((said.splitlines() or [""])[0].split())[:LONGEST]
        yield f"| {name} | {version} | {first.replace('|', '/')} |"


def weights() -> Iterator[str]:
    for entry in CATALOGUE:
        for file in entry.files:
            yield f"| {entry.name} | {file.name} | {entry.licence} | `{file.sha256}` |"


if __name__ == "__main__":
    packages = locked((ROOT / "requirements.lock").read_text())
    body = [*rows(packages, licences())]
    sys.stdout.write(HEAD + "\n".join(weights()) + "\n" + PACKAGES + "\n".join(body) + "\n")
