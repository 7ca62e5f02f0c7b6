"""The command `kb` in this process, and a home of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


QUESTION = "What does the Gemini API cost for a million input tokens?"


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


Kb = Callable[..., Ended]


def kb_process(
    env: dict[str, str], *arguments: str | Path, said: str = ""
) -> subprocess.CompletedProcess[str]:
    code = "from cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, input=said,
    )  # fmt: skip
