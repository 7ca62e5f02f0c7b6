"""Two API processes that share a PostgreSQL, a Chroma server and a chat server, while one part
after the other is killed and comes back: clear errors or weaker answers, and nothing lost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from chat_servers import LlamaCppProcess
from postgres import PostgresServer
from stores import ChromaServer, chroma_server

from kb.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.model]

ROOT = Path(__file__).resolve().parent.parent
KB = [sys.executable, "-c", "import sys; from cli.commands import run; sys.exit(run(sys.argv[1:]))"]
PATIENCE = 180.0  # seconds, for anything to start or to recover on a busy machine
REFUSED = (503, "store_unavailable")
QUESTION = {"question": "What does the Gemini API cost for a million input tokens?"}
DOCUMENTS = {
    "prices.md": "# Prices\n\nThe Gemini API costs 7 dollars for a million input tokens.\n",
    "licences.md": "# Licences\n\nDeepSeek R1 is published under the MIT licence.\n",
}


@dataclass
class Api:
    """`kb serve` on a port of its own, with a home of its own."""

    home: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['KB_PORT']}"

    def start(self) -> None:
        with (self.home / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*KB, "serve"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        eventually(self.ready, f"{self.home / 'log.txt'}")

    def ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.home / "log.txt").read_text()
        return httpx.get(f"{self.url}/readyz", timeout=20).status_code == 200

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)

    def reasons(self) -> set[str]:
        return {
            one["part"] for one in httpx.get(f"{self.url}/readyz", timeout=30).json()["reasons"]
        }

    def ask(self) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/ask", json=QUESTION, timeout=120)

    def search(self) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/search", json=QUESTION, timeout=60)

    def documents(self) -> list[str]:
        found = httpx.get(f"{self.url}/v1/documents", timeout=60).raise_for_status().json()
        return sorted(one["document_id"] for one in found["documents"])


@dataclass
class Topology:
    apis: list[Api]
    postgres: PostgresServer
    chroma: ChromaServer
    chat: LlamaCppProcess
    vectors: Path
    ingest: Callable[[Path], None]


@dataclass
class Asker:
    """Asks one API again and again; every status that it got, with the problem's code."""

    api: Api
    seen: set[tuple[int, str]] = field(default_factory=set)
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.done.is_set():
            for request in (self.api.search, self.api.ask):
                try:
                    response = request()
                except httpx.TransportError:
                    self.seen.add((0, "no answer"))
                    time.sleep(0.2)
                    continue
                code = response.json().get("code", response.json().get("outcome", "found"))
                self.seen.add((response.status_code, code))


def eventually(holds: Callable[[], bool], what: str) -> None:
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"not within {PATIENCE:g} s: {what}")


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.fixture(scope="module")
def topology(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Topology]:
    weights = load_settings().weights
    smollm = sorted((weights / "smollm2-135m").glob("*.gguf"))
    if not smollm:
        pytest.skip("SmolLM2's weights are not under KB_HOME; `kb models pull smollm2-135m`")
    root = tmp_path_factory.mktemp("topology")
    with ExitStack() as stack:
        chat = LlamaCppProcess(smollm[0])
        stack.callback(chat.stop)
        chroma = stack.enter_context(chroma_server(root / "vectors"))
        database = stack.enter_context(postgres_server.database())
        shared = {
            "KB_DATABASE_URL": database,
            "KB_CHROMA_URL": chroma.url,
            "KB_CHAT_URL": chat.url,
            "KB_MODEL": "smollm2-135m",
            "KB_STORE_SECONDS": "10",
            "KB_ANSWER_TOKENS": "32",
            "KB_THREADS": "1",
        }

        def environment(name: str) -> dict[str, str]:
            home = root / name
            home.mkdir()
            (home / "weights").symlink_to(weights)
            rest = {key: value for key, value in os.environ.items() if not key.startswith("KB_")}
            return rest | shared | {"KB_HOME": str(home), "KB_PORT": free_port()}

        alone = environment("ingest")

        def ingest(folder: Path) -> None:
            done = subprocess.run(
                [*KB, "ingest", str(folder)], cwd=ROOT, env=alone, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr

        corpus = root / "corpus"
        corpus.mkdir()
        for name, text in DOCUMENTS.items():
            (corpus / name).write_text(text)
        ingest(corpus)
        apis = [Api(root / name, environment(name)) for name in ("one", "two")]
        for api in apis:
            stack.callback(api.kill)
            api.start()
        yield Topology(apis, postgres_server, chroma, chat, root / "vectors", ingest)


@contextmanager
def asking(topology: Topology) -> Iterator[list[Asker]]:
    askers = [Asker(api) for api in topology.apis]
    threads = [threading.Thread(target=asker.run) for asker in askers]
    for thread in threads:
        thread.start()
    try:
        yield askers
    finally:
        for asker, thread in zip(askers, threads, strict=True):
            asker.done.set()
            thread.join()


def whole(topology: Topology) -> None:
    """Every API is ready, holds every document, and answers with the quote."""
    for api in topology.apis:
        eventually(api.ready, f"{api.home.name} is ready")
        assert set(DOCUMENTS) <= set(api.documents())
        answer = api.ask().raise_for_status().json()
        assert "7 dollars" in "".join(one["quote"] for one in answer["citations"])


def test_replicas_answer_alike_and_see_each_others_documents(
    topology: Topology, tmp_path: Path
) -> None:
    whole(topology)
    hits = [api.search().raise_for_status().json() for api in topology.apis]
    assert hits[0]["hits"] == hits[1]["hits"]

    (tmp_path / "more.md").write_text("# More\n\nMistral Large costs 2 dollars.\n")
    topology.ingest(tmp_path)

    for api in topology.apis:
        assert api.documents() == sorted([*DOCUMENTS, "more.md"])


@pytest.mark.parametrize("part", ["catalog", "vector_store"])
def test_store_that_goes_away_is_named_and_used_again_when_it_is_back(
    topology: Topology, part: str
) -> None:
    with asking(topology) as askers:
        if part == "catalog":
            topology.postgres.stop()
        else:
            topology.chroma.stop()
        for api in topology.apis:
            eventually(lambda api=api: part in api.reasons(), f"{part} is named")
        for asker in askers:
            eventually(lambda asker=asker: REFUSED in asker.seen, "a question is refused")
        if part == "catalog":
            topology.postgres.start()
        else:
            topology.chroma.start(topology.vectors)

        whole(topology)

    for asker in askers:
        assert {status for status, _ in asker.seen} == {200, 503}


def test_without_the_chat_server_there_are_quotes(topology: Topology) -> None:
    with asking(topology) as askers:
        topology.chat.stop()
        for api in topology.apis:
            eventually(lambda api=api: "model" in api.reasons(), "the model is named")
        quoted = topology.apis[0].ask().raise_for_status().json()
        topology.chat.start()

        whole(topology)

    assert quoted["outcome"] == "quoted"
    assert "7 dollars" in quoted["text"]
    for asker in askers:
        assert {status for status, _ in asker.seen} == {200}


def test_killed_replica_leaves_the_other_one_serving(topology: Topology) -> None:
    one, two = topology.apis
    one.kill()

    assert two.ask().status_code == 200
    one.start()

    whole(topology)
