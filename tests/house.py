"""The project's own files."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


ROOMS = ("kb", "ingest", "api", "cli", "bench")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
