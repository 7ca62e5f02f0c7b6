"""`python -m bench.load --askers 1 4 16 64 --seconds 180`: a server of one's own under Locust's
askers, and with `--memory-minutes 30` the memory that it holds while it is asked at leisure.

The answer cache is off: each question is answered as if it were the first. Writes its sections of
bench/RESULTS.md anew. Exit status 1: something else came back than an answer, 429 or 503.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bench import counted, memory
from bench.counted import FAULT, Counted
from bench.memory import Memory, watched
from bench.server import Running, running
from kb.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parent.parent
ENDING = 90  # seconds for questions that are under way when the time is up, and for Locust itself
MEMORY_PAUSE = 6.0  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    settings, found = load_settings(), list[Counted]()
    if given.askers:
        with running(settings, KB_ANSWER_CACHE="0") as server:
            found = [asked(server, number, given.seconds) for number in given.askers]
        _write(given.into, "Load", _loads(settings, given.seconds, found))
    if given.memory_minutes:
        seen, load = held(settings, given.memory_minutes)
        found.append(load)
        _write(given.into, "Memory under load", _held(settings, given.memory_minutes, load, seen))
    return 1 if any(one.count(FAULT) for one in found) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--askers", type=int, nargs="*", default=[1, 4, 16, 64])
    parser.add_argument("--seconds", type=int, default=180, help="for each number of askers")
    parser.add_argument("--memory-minutes", type=float, default=0)
    parser.add_argument("--into", type=Path, default=ROOT / "bench" / "RESULTS.md")
    return parser


def held(settings: Settings, minutes: float) -> tuple[Memory, Counted]:
    """Little is asked at a time, for long: what is kept for good shows."""
    with (
        running(settings, KB_ANSWER_CACHE="0") as server,
        watched(lambda: server.resident_mb) as seen,
    ):
        return seen, asked(server, 1, round(60 * minutes), MEMORY_PAUSE)


def asked(server: Running, askers: int, seconds: int, pause: float = 0.0) -> Counted:
    """One run of Locust. Raises CalledProcessError, TimeoutExpired where Locust itself fails."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        command = [sys.executable, "-m", "locust", "-f", str(ROOT / "bench" / "askers.py")]
        command += ["--headless", "--host", server.url, "--only-summary", "--loglevel", "WARNING"]
        everyone = str(askers + 1)  # one searches
        command += ["--users", everyone, "--spawn-rate", everyone]
        command += ["--run-time", f"{seconds}s", "--stop-timeout", str(ENDING)]
        command += ["--json-file", f"{folder}/stats", "--exit-code-on-error", "0"]
        command += ["--pause", str(pause)]
        quiet, most = subprocess.DEVNULL, seconds + 2 * ENDING
        subprocess.run(command, cwd=ROOT, check=True, stdout=quiet, timeout=most)
        return Counted.read(askers, json.loads(Path(f"{folder}/stats.json").read_text()))


# -- telling -------------------------------------------------------------------------------------


def _loads(settings: Settings, seconds: int, found: Sequence[Counted]) -> list[str]:
    return [
        f"{_when(settings)}: {seconds} s for each number of askers, who ask anew once they are "
        "answered; each has an address of its own, and one more searches every second. Times are "
        "p50 / p95 in seconds, rounded to two digits. A 503 is a question that found no place in "
        "the line (`KB_QUEUE`); it is asked again after its `Retry-After`.",
        "",
        *table(counted.HEAD, [one.row() for one in found]),
    ]


def _held(settings: Settings, minutes: float, load: Counted, seen: Memory) -> list[str]:
    return [
        f"{_when(settings)}: one asker for {minutes:g} minutes, {MEMORY_PAUSE:g} s "
        f"between two questions. What came back: {load.told(counted.OUTCOME)}; faults: "
        f"{load.told(FAULT) or 'none'}. The first minutes fill the model's prompt cache (128 MiB).",
        "",
        *table(memory.HEAD, [seen.row()]),
    ]


def _when(settings: Settings) -> str:
    return (
        f"`python -m bench.load` on {date.today().isoformat()}, {settings.model}, no answer cache"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def section(text: str, title: str, lines: Sequence[str]) -> str:
    """The text with this second-level section made anew, at its end where there was none."""
    fresh = "\n".join([f"## {title}", "", *lines]) + "\n"
    past = re.compile(rf"^## {re.escape(title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if past.search(text):
        return past.sub(lambda _: fresh + "\n", text, count=1).rstrip("\n") + "\n"
    return f"{text.rstrip()}\n\n{fresh}" if text.strip() else fresh


def _write(into: Path, title: str, lines: Sequence[str]) -> None:
    before = into.read_text(encoding="utf-8") if into.exists() else ""
    into.write_text(section(before, title, lines), encoding="utf-8")
    sys.stdout.write("\n".join(["", f"## {title}", "", *lines, ""]))


if __name__ == "__main__":
    sys.exit(main())
