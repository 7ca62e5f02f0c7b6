"""`make bench`: start, memory, ingest rate and answering, measured on this machine.

Every figure comes from real processes: `kb ingest` and `kb serve` in a fresh KB_HOME that borrows
the weights of yours. Writes bench/RESULTS.md.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from bench.index import pipeline
from kb.adapters.chroma import ChromaStore
from kb.fakes_model import ScriptedModel
from kb.settings import Settings, load_settings
from kb.wiring import compose, load_encoder

RESULTS = Path(__file__).parent / "RESULTS.md"
STARTS = 5
SEARCHES = 200
PATIENCE = 120.0  # seconds until a server that does not answer counts as broken
QUESTIONS = (
    "Under which licence is DeepSeek-R1 released?",
    "What is Gemini 3 Flash's pricing?",
    "Who builds the Falcon models and where are they based?",
    "How much does it cost to rent an A100 80GB per hour?",
    "What does QLoRA add to LoRA?",
)


def main() -> None:
    settings = load_settings()
    lines = [*_head(), "", "## Serving", ""]
    with _home(settings) as environ:
        lines += _table(("what", "measured"), _serving(environ))
    lines += ["", "## Ingest", "", *_table(("what", "measured"), _ingest(settings))]
    text = "\n".join(lines) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _head() -> list[str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        "# Results",
        "",
        f"Measured on {date.today().isoformat()} by `make bench`: {os.cpu_count()} cores "
        f"({platform.machine()}), {memory:.0f} GiB, Python {platform.python_version()}, no GPU. "
        "Absolute times drift on shared machines; ratios are of one run.",
    ]


# -- the server ----------------------------------------------------------------------------------


@contextmanager
def _home(settings: Settings) -> Iterator[dict[str, str]]:
    """A KB_HOME of its own with the corpus ingested, as an environment for `kb`."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        (Path(folder) / "weights").symlink_to(settings.weights.resolve())
        own = {"KB_HOME": folder, "KB_PORT": str(_free_port()), "KB_ANSWER_CACHE": "0"}
        environ = {**os.environ, **own}
        subprocess.run([_kb(), "ingest", str(settings.corpus)], env=environ, check=True)
        yield environ


def _serving(environ: dict[str, str]) -> Iterator[tuple[str, str]]:
    starts, without = [], 0
    no_model = {**environ, "KB_MODEL": environ["KB_HOME"] + "/none.gguf"}
    for _ in range(STARTS):
        with _served(no_model) as (client, process, seconds):
            starts.append(seconds)
            without = _resident(process.pid)
            times = sorted(_search(client, QUESTIONS[i % 5]) for i in range(SEARCHES))
            evidence = sorted(_evidence(client, QUESTIONS[i % 5]) for i in range(SEARCHES))
    yield "`kb serve` to the first served search", f"{statistics.median(starts):.1f} s (median)"
    yield "memory then, without a chat model", f"{without} MB"
    yield "search over HTTP, p50 / p95", f"{_ms(times, 0.5)} / {_ms(times, 0.95)} ms"
    shown = f"{_ms(evidence, 0.5)} / {_ms(evidence, 0.95)} ms"
    yield "a stream's `evidence`, p50 / p95 (goal: 150 ms)", shown
    with _served(environ) as (client, process, _):
        _until_ready(client)
        answers = [_ask(client, question) for question in QUESTIONS]
        loaded = _resident(process.pid)
    first = statistics.median(a["timings_ms"]["first_sentence"] for a in answers) / 1000
    whole = statistics.median(a["timings_ms"]["total"] for a in answers) / 1000
    yield "memory with the default chat model", f"{loaded} MB"
    yield "first checked sentence / whole answer, p50 of 5", f"{first:.1f} / {whole:.1f} s"


@contextmanager
def _served(
    environ: dict[str, str],
) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes], float]]:
    """A running server, a client for it, and the seconds from its start to a served search."""
    started = time.monotonic()
    process = subprocess.Popen([_kb(), "serve"], env=environ, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{environ['KB_PORT']}"
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            while not _answers(client):
                if time.monotonic() - started > PATIENCE or process.poll() is not None:
                    raise RuntimeError("the server did not start")
                time.sleep(0.02)
            yield client, process, time.monotonic() - started
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _answers(client: httpx.Client) -> bool:
    try:
        return client.post("/v1/search", json={"question": QUESTIONS[0]}).status_code == 200
    except httpx.TransportError:
        return False


def _until_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + PATIENCE
    while client.get("/readyz").status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.2)


def _search(client: httpx.Client, question: str) -> float:
    started = time.perf_counter()
    client.post("/v1/search", json={"question": question}).raise_for_status()
    return time.perf_counter() - started


def _evidence(client: httpx.Client, question: str) -> float:
    """Until that event is here; the rest isn't waited for."""
    started = time.perf_counter()
    accept = {"Accept": "text/event-stream"}
    with client.stream("POST", "/v1/ask", json={"question": question}, headers=accept) as response:
        for line in response.raise_for_status().iter_lines():
            if line == "event: evidence":
                return time.perf_counter() - started
    raise RuntimeError(f"no evidence came for: {question}")


def _ask(client: httpx.Client, question: str) -> dict[str, Any]:
    response = client.post("/v1/ask", json={"question": question}).raise_for_status()
    found: dict[str, Any] = json.loads(response.content)
    found["timings_ms"].setdefault("first_sentence", found["timings_ms"]["total"])
    return found


def _resident(pid: int) -> int:
    """MB of physical memory that a process and its children hold."""
    total = 0
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    for each in (str(pid), *children.stdout.split()):
        status = Path(f"/proc/{each}/status").read_text()
        total += next(int(x.split()[1]) for x in status.splitlines() if x.startswith("VmRSS"))
    return total // 1000


# -- ingest --------------------------------------------------------------------------------------


def _ingest(settings: Settings) -> Iterator[tuple[str, str]]:
    """The whole pipeline against the encoder alone, over the same passages, in one run."""
    encoder = load_encoder(settings)
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        documents = Path(folder) / "documents"
        for copy in range(5):  # enough passages that start-up costs don't show
            shutil.copytree(settings.corpus, documents / str(copy))
        here = settings.model_copy(update={"database_url": f"sqlite:///{folder}/catalog.sqlite3"})
        store = ChromaStore.embedded(Path(folder) / "chroma")
        kb = compose(here, encoder, store, ScriptedModel([""]), "bench")
        started = time.perf_counter()
        report = pipeline(kb, encoder.token_count).run([documents])
        whole = time.perf_counter() - started
        bodies = list(dict.fromkeys(body for (body,) in _bodies(kb)))
        started = time.perf_counter()
        encoder.embed_passages(bodies)
        alone = time.perf_counter() - started
        kb.close()
        disk = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
    rate, limit = report.embedded / whole, len(bodies) / alone
    yield "passages embedded a second, whole ingest", f"{rate:.0f}"
    yield "the same, encoder alone", f"{limit:.0f}"
    yield "ratio (goal: 0.9)", f"{rate / limit:.2f}"
    yield "disk a passage", f"{disk / report.passages / 1000:.1f} kB"


def _bodies(kb: Any) -> list[tuple[str]]:
    from sqlalchemy import select

    from kb.schema import passages

    with kb.database.reading() as connection:
        return [(row.body,) for row in connection.execute(select(passages.c.body))]


# -- small things --------------------------------------------------------------------------------


def _table(head: tuple[str, str], rows: Iterator[tuple[str, str]]) -> list[str]:
    return [f"| {head[0]} | {head[1]} |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]


def _ms(times: list[float], share: float) -> str:
    return f"{1000 * times[min(int(share * len(times)), len(times) - 1)]:.0f}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _kb() -> str:
    return str(Path(sys.executable).with_name("kb"))


if __name__ == "__main__":
    main()
