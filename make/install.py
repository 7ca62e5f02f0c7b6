"""Makes the virtual environment and installs this project into it. Standard library only.

    python make/install.py VENV EXTRA[,EXTRA…]

Does nothing when the same files were installed there before. Takes torch as its CPU build, so that
nobody without a GPU downloads gigabytes of CUDA.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements.lock"
OLDEST_PYTHON = (3, 11)
OLDEST_PIP = 24  # looks at a package's metadata without fetching the package
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
ANSWER_SECONDS = 4.0
NEEDED_BYTES = 4_000_000_000  # the environment takes 2.2 GB, and pip unpacks beside it
CUDA_PREFIXES = ("nvidia-", "cuda-", "triton")


class CannotInstall(Exception):
    """What is wrong and what to do, in one line."""


# -- what was installed before -------------------------------------------------------------------


def fingerprint(root: Path = ROOT) -> str:
    """Changes when what is to be installed changes, or the Python that it is installed for."""
    digest = hashlib.sha256(platform.python_version().encode())
    for name in ("pyproject.toml", LOCK):
        digest.update(hashlib.sha256((root / name).read_bytes()).digest())
    return digest.hexdigest()


def installed(venv: Path, extras: Collection[str], root: Path = ROOT) -> bool:
    """Whether at least these extras were installed there, for this very checkout."""
    try:
        stamp = json.loads((venv / "installed.json").read_text())
        same = stamp["fingerprint"] == fingerprint(root) and stamp["root"] == str(root)
        return same and set(extras) <= set(stamp["extras"])
    except (OSError, ValueError, KeyError, TypeError):  # none, or not one of ours
        return False


def remember(venv: Path, extras: Collection[str], root: Path = ROOT) -> None:
    stamp = {"fingerprint": fingerprint(root), "root": str(root), "extras": sorted(extras)}
    (venv / "installed.json").write_text(json.dumps(stamp))


# -- torch ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resolved:
    """What pip would install for a requirement: names with their versions."""

    packages: tuple[tuple[str, str], ...]

    @property
    def cpu_only(self) -> bool:
        return not any(name.lower().startswith(CUDA_PREFIXES) for name, _ in self.packages)


def torch_requirement(root: Path = ROOT) -> str:
    """The line of the lock file that pins torch."""
    for line in (root / LOCK).read_text().splitlines():
        if line.startswith("torch=="):
            return line
    raise CannotInstall(f"{LOCK} does not pin torch; restore it from the repository")


def choose_torch(
    requirement: str,
    resolve: Callable[[str], Resolved | None],
    reachable: Callable[[str], bool],
) -> list[str]:
    """pip's arguments that install the CPU build: what pip is configured with, where that offers
    one, else PyTorch's own index. Raises CannotInstall where neither does."""
    nearest = resolve(requirement)
    if nearest is not None and nearest.cpu_only:
        return [requirement]
    if reachable(TORCH_CPU_INDEX):
        # Its dependencies come from the usual place, pinned, with everything else.
        return ["--no-deps", "--index-url", TORCH_CPU_INDEX, requirement]
    if nearest is None:
        raise CannotInstall(
            f"{requirement} can't be found: is the package registry in reach? Check the network "
            "and pip's settings (pip config list), then run this again"
        )
    raise CannotInstall(
        f"only the CUDA build of {requirement} is on offer, gigabytes that a machine without a GPU "
        f"has no use for, and {TORCH_CPU_INDEX} is out of reach. Make it reachable, or put the CPU "
        "wheel into a folder and name that in PIP_FIND_LINKS, then run this again"
    )


def answers(url: str) -> bool:
    """Whether anything at all answers there within seconds."""
    try:
        with urllib.request.urlopen(f"{url}/torch/", timeout=ANSWER_SECONDS):
            return True
    except (urllib.error.URLError, OSError, ValueError):
        return False


# -- the steps -----------------------------------------------------------------------------------


class Environment:
    """A virtual environment and its pip."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.python = venv / "bin" / "python"

    def create(self) -> None:
        """Raises CannotInstall."""
        if self._works():
            return
        say(f"making {self.venv}")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(self.venv)])
        if made.returncode:
            raise CannotInstall(
                f"{sys.executable} can't make virtual environments: install its venv module "
                "(on Debian and Ubuntu: apt install python3-venv), then run this again"
            )
        if self._pip_major() < OLDEST_PIP:
            self.pip("install", "--quiet", "--upgrade", f"pip>={OLDEST_PIP}")

    def pip(self, *arguments: str) -> None:
        """pip's own output goes to the terminal. Raises CannotInstall."""
        done = subprocess.run([*self._pip(), *arguments])
        if done.returncode:
            raise CannotInstall(
                "pip could not install the packages; its lines above say why. Where they speak of "
                "connections, the package registry is out of reach: check the network and pip's "
                "settings (pip config list), then run this again: it goes on where it stopped"
            )

    def resolve(self, requirement: str) -> Resolved | None:
        """What pip would install, without installing it; None where it finds nothing."""
        arguments = ["install", "--dry-run", "--ignore-installed", "--quiet", "--report", "-"]
        done = subprocess.run(
            [*self._pip(), *arguments, "-c", str(ROOT / LOCK), requirement],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            return None
        report = json.loads(done.stdout)
        found = [entry["metadata"] for entry in report["install"]]
        return Resolved(tuple((package["name"], package["version"]) for package in found))

    def require_runtime(self) -> None:
        """The chat model's runtime uses a library of the system's. Raises CannotInstall."""
        command = [str(self.python), "-c", "import xllamacpp"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise CannotInstall(
                f"the chat model's runtime can't be loaded ({reason}): install the OpenMP runtime "
                "(on Debian and Ubuntu: apt install libgomp1), then run this again"
            )

    def _pip(self) -> list[str]:
        return [str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input"]

    def _pip_major(self) -> int:
        done = subprocess.run([*self._pip(), "--version"], capture_output=True, text=True)
        return int(done.stdout.split()[1].split(".")[0])

    def _works(self) -> bool:
        """Whether it is there, whole, and of the Python that runs this."""
        if not self.python.exists():
            return False
        code = "import pip, sys; print(sys.version)"
        done = subprocess.run([str(self.python), "-c", code], capture_output=True, text=True)
        return done.returncode == 0 and done.stdout.strip() == sys.version


def require_room(folder: Path, free: Callable[[Path], int]) -> None:
    """Raises CannotInstall."""
    there = free(folder)
    if there < NEEDED_BYTES:
        raise CannotInstall(
            f"{folder} has {there / 1e9:.1f} GB of free disk and {NEEDED_BYTES / 1e9:.0f} GB are "
            "needed: make room, then run this again"
        )


def install(venv: Path, extras: Sequence[str]) -> None:
    """Raises CannotInstall."""
    if installed(venv, extras):
        return
    near = next(folder for folder in venv.parents if folder.exists())
    require_room(near, lambda folder: shutil.disk_usage(folder).free)
    started = time.monotonic()
    environment = Environment(venv)
    environment.create()
    say("looking for torch's CPU build")
    environment.pip("install", *choose_torch(torch_requirement(), environment.resolve, answers))
    say(f"installing weighbridge [{', '.join(extras)}]")
    environment.pip("install", "-c", str(ROOT / LOCK), "-e", f"{ROOT}[{','.join(extras)}]")
    environment.require_runtime()
    remember(venv, extras)
    say(f"installed in {time.monotonic() - started:.0f} s")


def say(line: str) -> None:
    sys.stderr.write(f"==> {line}\n")


def main(arguments: Sequence[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        say("Python 3.11 or later is needed: install one, then run this again")
        return 1
    venv, extras = arguments
    try:
        install(Path(venv).absolute(), extras.split(","))
    except CannotInstall as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
