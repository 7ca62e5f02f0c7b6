"""Prints requirements.lock: every package that this project needs, as this environment has it.

python make/lock.py > requirements.lock
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
HEADER = "# Every package, direct or not, at one version. Made by: make lock"


def wanted(requirements: Iterable[str], extras: Iterable[str] = ()) -> list[Requirement]:
    """Those that apply on this machine."""
    found = [Requirement(line) for line in requirements]
    return [
        r
        for r in found
        if r.marker is None or any(r.marker.evaluate({"extra": e}) for e in ("", *extras))
    ]


def pinned(roots: Iterable[Requirement]) -> dict[str, str]:
    """Name to installed version of everything that the roots need, and of them."""
    waiting = list(roots)
    seen: set[tuple[str, frozenset[str]]] = set()
    versions: dict[str, str] = {}
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            versions[name] = version(name).partition("+")[0]  # torch's CPU build is 2.13.0+cpu
        except PackageNotFoundError:
            sys.exit(f"{requirement} is not installed here; run make test first")
        waiting += wanted(requires(name) or (), extras)
    return versions


def lock() -> dict[str, str]:
    """All that pyproject.toml asks for, extras included."""
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    direct = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        direct += extra
    return pinned(wanted(direct))


if __name__ == "__main__":
    lines = (f"{name}=={version}" for name, version in sorted(lock().items()))
    sys.stdout.write("\n".join([HEADER, *lines]) + "\n")
