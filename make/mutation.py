"""Mutation testing: which small changes to the code that must not err would no test notice?

    python make/mutation.py [MODULE ...]

Works in a copy of the checkout, so that nothing here is touched. mutmut makes the changes; each is
then tried by itself, in a process of its own, and counts as noticed only where pytest says that a
test failed. Prints the counts, and every survivor as a diff; docs/mutation.md explains those.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
TESTS = {
    "kb/verify.py": ("verify_doubts", "verify", "checking"),
    "kb/citations.py": ("citations",),
    "kb/ranking.py": ("ranking",),
    "ingest/plan.py": ("plan",),
}
CHILDREN = 2
SLOW_S = 120.0  # the tests of an unchanged module take 3 to 10 s
ALL_PASSED, SOME_FAILED = 0, 1  # pytest's exit statuses; all others mean that nothing was tried


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
        + f"only_mutate = {list(TESTS)}\n"
        + f"also_copy = {[name for name in top if name not in rooms]}\n"
    )
    conftest = folder / "tests" / "conftest.py"
    conftest.write_text(
        conftest.read_text()
        + "\nfrom hypothesis import HealthCheck\n"
        + "hypothesis_settings.register_profile(\n"
        # The same examples each time: what a test finds in one run of several isn't found.
        + '    "mutation", deadline=None, derandomize=True, database=None, max_examples=60,\n'
        + "    suppress_health_check=list(HealthCheck),\n)\n"
        + 'hypothesis_settings.load_profile("mutation")\n'
    )


def in_python(code: str, folder: Path, *arguments: str) -> str:
    """What it printed. Raises subprocess.CalledProcessError where it fails."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def make_changes(folder: Path) -> None:
    """Into FOLDER/mutants: the changed functions beside the true one; the environment picks one."""
    in_python(
        "from mutmut import __main__ as m; from mutmut.utils import file_utils as f\n"
        "f.copy_src_dir(); f.copy_also_copy_files(); f.setup_source_paths(); m.create_mutants(1)",
        folder,
    )


def changes(folder: Path, module: str) -> list[str]:
    """Names of the changes to a module, in the order in which they stand there."""
    text = (folder / "mutants" / module).read_text()
    prefix = module.removesuffix(".py").replace("/", ".")
    found = re.findall(r"^ *def (x\w+__mutmut_\d+)\(", text, re.M)
    return [f"{prefix}.{name}" for name in dict.fromkeys(found)]


def tried(folder: Path, module: str, change: str) -> str:
    """ "noticed", "left" or "too slow"; the empty change is the code as it is. Raises RuntimeError
    where pytest couldn't run the tests: a change must never count as noticed for that."""
    command = [sys.executable, "-W", "ignore", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += ["--hypothesis-profile=mutation"]
    command += [f"tests/test_{name}.py" for name in TESTS[module]]
    environment = {**os.environ, "PYTHONPATH": "", "MUTANT_UNDER_TEST": change}
    place = folder / "mutants"
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, env=environment, timeout=SLOW_S
        )
    except subprocess.TimeoutExpired:
        return "too slow"
    if done.returncode not in (ALL_PASSED, SOME_FAILED):
        raise RuntimeError(
            f"{change or module}: pytest ended with {done.returncode}: {done.stdout}"
        )
    return "noticed" if done.returncode == SOME_FAILED else "left"


def outcomes(folder: Path, module: str) -> Iterator[tuple[str, str]]:
    """(change, its outcome), for every change to the module."""
    if tried(folder, module, "") != "left":
        raise RuntimeError(f"the tests of {module} don't pass on the code as it is")
    names = changes(folder, module)
    with ThreadPoolExecutor(CHILDREN) as pool:
        yield from zip(
            names, pool.map(lambda name: tried(folder, module, name), names), strict=True
        )


def difference(folder: Path, module: str, change: str) -> str:
    return in_python(
        "import sys; from pathlib import Path; from mutmut.mutation import diff_apply\n"
        "print(diff_apply.get_diff_for_mutant(sys.argv[1], path=Path(sys.argv[2])))",
        folder,
        change,
        module,
    )


def report(folder: Path, module: str) -> None:
    start = time.monotonic()
    states = dict(outcomes(folder, module))
    counts = ", ".join(f"{n} {state}" for state, n in sorted(Counter(states.values()).items()))
    minutes = (time.monotonic() - start) / 60
    print(f"{module}: {len(states)} changes, {counts} ({minutes:.0f} min)", flush=True)  # noqa: T201
    for change, state in states.items():
        if state != "noticed":
            print(f"\n{change}: {state}\n{difference(folder, module, change)}", flush=True)  # noqa: T201


def main(arguments: Sequence[str]) -> int:
    if unknown := set(arguments) - set(TESTS):
        sys.stderr.write(f"not among {', '.join(TESTS)}: {', '.join(sorted(unknown))}\n")
        return 2
    with TemporaryDirectory(prefix="mutation-") as name:
        copy_of_the_checkout(Path(name))
        make_changes(Path(name))
        for module in arguments or TESTS:
            report(Path(name), module)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
