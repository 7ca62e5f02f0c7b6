"""Mutation testing: which small changes to the code that must not err would no test notice?

    python make/mutation.py [FOLDER]

Works in a copy of the checkout, made in FOLDER or a temporary one, so that nothing here is touched.
Prints how many mutants there were of each kind, and every survivor as a diff.
docs/mutation.md explains those that are left.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp

ROOT = Path(__file__).resolve().parent.parent
MUTATED = ("kb/verify.py", "kb/citations.py", "kb/ranking.py", "ingest/plan.py")
TESTS = tuple(
    f"tests/test_{name}.py"
    for name in ("verify", "verify_doubts", "citations", "ranking", "plan", "checking")
)
CHILDREN = 2
KILLED = {"killed", "timeout", "caught by type check"}


def copy_of_the_checkout(folder: Path) -> None:
    """What git has, or would take; with mutmut told what to do."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, done.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    top = sorted(path.name for path in folder.iterdir() if path.name not in {"tests", ".git"})
    rooms = ["kb", "ingest"]
    (folder / "pyproject.toml").write_text(
        (ROOT / "pyproject.toml").read_text()
        + "\n[tool.mutmut]\n"
        + f"source_paths = {rooms}\n"
        + f"only_mutate = {list(MUTATED)}\n"
        + f"also_copy = {[name for name in top if name not in rooms]}\n"
        + f"pytest_add_cli_args_test_selection = {list(TESTS)}\n"
        # The same examples each time: what a test finds in one run of several isn't found.
        + 'pytest_add_cli_args = ["--hypothesis-profile=mutation"]\n'
        + "use_git_change_detection = false\n"
    )
    conftest = folder / "tests" / "conftest.py"
    conftest.write_text(
        conftest.read_text()
        + "\nfrom hypothesis import HealthCheck\n"
        + "hypothesis_settings.register_profile(\n"
        + '    "mutation", deadline=None, derandomize=True, database=None, max_examples=60,\n'
        + "    suppress_health_check=list(HealthCheck),\n)\n"
        + 'hypothesis_settings.load_profile("mutation")\n'
    )


def mutmut(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    environment = {**os.environ, "PYTHONPATH": ""}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def main(arguments: Sequence[str]) -> int:
    folder = Path(arguments[0]) if arguments else Path(mkdtemp(prefix="mutation-"))
    folder.mkdir(parents=True, exist_ok=True)
    copy_of_the_checkout(folder)
    ran = mutmut(folder, "run", "--max-children", str(CHILDREN))
    if ran.returncode:
        sys.stderr.write(ran.stdout[-2000:] + ran.stderr[-2000:])
        return ran.returncode
    listed = mutmut(folder, "results", "--all", "true").stdout.splitlines()
    states = dict(line.strip().split(": ", 1) for line in listed if ": " in line)
    counts = Counter(states.values())
    print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))  # noqa: T201
    for name, state in states.items():
        if state not in KILLED:
            print(f"\n{name}: {state}\n{mutmut(folder, 'show', name).stdout}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
