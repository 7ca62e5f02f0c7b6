"""What is shipped, pinned and said in files that are not code."""

from __future__ import annotations

import re
import subprocess
import tomllib
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

from house import ROOMS, ROOT, relative
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# -- packaging -------------------------------------------------------------------------------------


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def direct() -> list[Requirement]:
    found = project()["project"]
    lines = list(found["dependencies"])
    for extra in found["optional-dependencies"].values():
        lines += extra
    return [Requirement(line) for line in lines]


def test_every_dependency_is_pinned_and_the_lock_agrees() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = (line.partition("==") for line in lines if not line.startswith("#"))
    locked = {canonicalize_name(package): version for package, _, version in pins}

    for requirement in direct():
        assert str(requirement.specifier) == f"=={locked[canonicalize_name(requirement.name)]}"


def test_every_package_and_every_data_file_is_shipped() -> None:
    """But what bench measures with: that is used in a checkout only."""
    shipped = project()["tool"]["setuptools"]
    data = shipped["package-data"]
    missing = []

    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            owner = path.parent
            while not (owner / "__init__.py").exists():  # data may lie deeper
                owner = owner.parent
            package = ".".join(owner.relative_to(ROOT).parts)
            inside = path.relative_to(owner).as_posix()
            if package not in shipped["packages"]:
                missing.append(f"package {package}")
            told = room == "bench" or any(fnmatch(inside, p) for p in data.get(package, ()))
            if path.suffix != ".py" and not told:
                missing.append(relative(path))

    assert not missing


# -- what a stranger must not meet -----------------------------------------------------------------


REGISTRY = re.compile(r'https?://[^ )"]*(?:pypi|npm|debian)')


MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.~-])/(?:work|farm|root)/", re.MULTILINE)


def tracked_files() -> list[Path]:
    """What git has, or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / found for found in done.stdout.split("\0") if found and (ROOT / found).is_file()]


def test_no_file_names_a_registry_or_a_path_of_some_machine() -> None:
    wrong = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for pattern in (REGISTRY, MACHINE_PATH):
            wrong += [f"{relative(path)}: {hit.group()}" for hit in pattern.finditer(text)]

    assert not wrong
