"""A service of several processes: two API replicas behind HAProxy, on PostgreSQL, a Chroma server
and llama.cpp's server, as docker-compose.yml has them; and readers who ask it all the time."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from chat_servers import LlamaCppProcess
from postgres import PostgresServer
from stores import ChromaServer, chroma_server

ROOT = Path(__file__).resolve().parent.parent
KB = [sys.executable, "-c", "import sys; from cli.commands import run; sys.exit(run(sys.argv[1:]))"]
PROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
PATIENCE = 180.0  # seconds, for anything to start or to recover on a busy machine
QUESTION = {"question": "What does the Gemini API cost for a million input tokens?"}
DOCUMENTS = {
    "prices.md": "# Prices\n\nThe Gemini API costs 7 dollars for a million input tokens.\n",
    "licences.md": "# Licences\n\nDeepSeek R1 is published under the MIT licence.\n",
}


@dataclass
class Door:
    """What can be asked over HTTP: a replica, or the proxy before them."""

    url: str

    def ask(self) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/ask", json=QUESTION, timeout=120)

    def search(self) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/search", json=QUESTION, timeout=60)

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=headers, timeout=60)

    def stream(self) -> list[str]:
        """The events' names."""
        accept = {"Accept": "text/event-stream"}
        text = httpx.post(f"{self.url}/v1/ask", json=QUESTION, headers=accept, timeout=120).text
        return [line.removeprefix("event: ") for line in text.split("\n") if line[:6] == "event:"]

    def documents(self) -> list[str]:
        found = self.get("/v1/documents").raise_for_status().json()
        return sorted(one["document_id"] for one in found["documents"])

    def has_answer(self, answer_id: str) -> bool:
        return self.get(f"/v1/answers/{answer_id}").status_code == 200


class Replica(Door):
    """`kb serve` on a port of its own, with a home of its own."""

    def __init__(self, home: Path, environment: dict[str, str]) -> None:
        super().__init__(f"http://127.0.0.1:{environment['KB_PORT']}")
        self.name = home.name
        self._log = home / "log.txt"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*KB, "serve"], cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        eventually(self.ready, f"{self._log}")

    def ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        return httpx.get(f"{self.url}/readyz", timeout=20).status_code == 200

    def reasons(self) -> set[str]:
        found = httpx.get(f"{self.url}/readyz", timeout=30).json()["reasons"]
        return {one["part"] for one in found}

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)


class Proxy(Door):
    """HAProxy with the configuration that is deployed."""

    def __init__(self, replicas: list[Replica]) -> None:
        assert PROXY is not None
        address = f"127.0.0.1:{free_port()}"
        super().__init__(f"http://{address}")
        one, two = (replica.url.removeprefix("http://") for replica in replicas)
        own = {"PROXY_BIND": address, "REPLICA_ONE": one, "REPLICA_TWO": two}
        command = [PROXY, "-db", "-f", str(ROOT / "deploy" / "haproxy.cfg")]
        self._process = subprocess.Popen(
            command, env={**os.environ, **own}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        eventually(lambda: self.search().status_code == 200, "the proxy hands questions on")

    def replicas(self) -> set[str]:
        """Those that answer through it."""
        replies = [httpx.get(f"{self.url}/livez", timeout=20) for _ in range(4)]
        return {one.headers["x-replica"] for one in replies if one.status_code == 200}

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(20)


@dataclass
class Topology:
    proxy: Proxy
    replicas: list[Replica]
    postgres: PostgresServer
    chroma: ChromaServer
    chat: LlamaCppProcess
    vectors: Path
    ingest: Callable[[Path], None]

    def stop(self, part: str) -> None:
        {"catalog": self.postgres, "vector_store": self.chroma, "model": self.chat}[part].stop()

    def start(self, part: str) -> None:
        match part:
            case "catalog":
                self.postgres.start()
            case "vector_store":
                self.chroma.start(self.vectors)
            case _:
                self.chat.start()


@dataclass
class Asker:
    """Searches and asks again and again; every status that it got, with what was said."""

    door: Door
    seen: set[tuple[int, str]] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)  # the ids of those that it was given
    odd: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def statuses(self) -> set[int]:
        return {status for status, _ in self.seen}

    def run(self) -> None:
        while not self.done.is_set():
            for request in (self.door.search, self.door.ask):
                try:
                    self._saw(request())
                except httpx.TransportError as error:
                    self.seen.add((0, type(error).__name__))
                    time.sleep(0.2)

    def _saw(self, response: httpx.Response) -> None:
        body: dict[str, Any] = response.json()
        self.seen.add((response.status_code, body.get("code", body.get("outcome", "found"))))
        if "outcome" in body:
            self.answers.append(body["id"])
        if response.status_code != 200:
            if "retry-after" not in response.headers or not body.get("detail"):
                self.odd.append(response.text)
            time.sleep(0.1)


@contextmanager
def asking(*doors: Door) -> Iterator[list[Asker]]:
    askers = [Asker(door) for door in doors]
    threads = [threading.Thread(target=asker.run) for asker in askers]
    for thread in threads:
        thread.start()
    try:
        yield askers
    finally:
        for asker, thread in zip(askers, threads, strict=True):
            asker.done.set()
            thread.join()


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


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def running(root: Path, weights: Path, postgres: PostgresServer) -> Iterator[Topology]:
    """weights: of the encoder and of SmolLM2. The documents are ingested."""
    with ExitStack() as stack:
        chat = LlamaCppProcess(next((weights / "smollm2-135m").glob("*.gguf")))
        stack.callback(chat.stop)
        chroma = stack.enter_context(chroma_server(root / "vectors"))
        shared = {
            "KB_DATABASE_URL": stack.enter_context(postgres.database()),
            "KB_CHROMA_URL": chroma.url,
            "KB_CHAT_URL": chat.url,
            "KB_MODEL": "smollm2-135m",
            "KB_STORE_SECONDS": "10",
            "KB_ANSWER_CACHE": "0",  # each question is to need every part
            "KB_THREADS": "1",
        }

        def environment(name: str) -> dict[str, str]:
            home = root / name
            home.mkdir()
            (home / "weights").symlink_to(weights)
            rest = {key: value for key, value in os.environ.items() if not key.startswith("KB_")}
            return rest | shared | {"KB_HOME": str(home), "KB_PORT": str(free_port())}

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
        replicas = [Replica(root / name, environment(name)) for name in ("one", "two")]
        for replica in replicas:
            stack.callback(replica.kill)
            replica.start()
        proxy = Proxy(replicas)
        stack.callback(proxy.stop)
        yield Topology(proxy, replicas, postgres, chroma, chat, root / "vectors", ingest)
