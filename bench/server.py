"""A `kb serve` of one's own: the corpus in a fresh KB_HOME that borrows the weights of yours."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from kb.settings import PREFIX, Settings

START_SECONDS = 300.0  # until a server that is not ready counts as broken
STOP_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready."""

    url: str
    pid: int

    @property
    def resident_mb(self) -> float:
        """Physical memory that it holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kilobytes = next(x.split()[1] for x in status.splitlines() if x.startswith("VmRSS"))
        return int(kilobytes) * 1024 / 1e6


@contextmanager
def running(settings: Settings, **own: str) -> Iterator[Running]:
    """own: further settings, as KB_ names. Raises RuntimeError where it does not start."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        (Path(folder) / "weights").symlink_to(settings.weights.resolve())
        rest = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
        here = {"KB_HOME": folder, "KB_PORT": str(free_port()), "KB_MODEL": settings.model}
        environ = rest | here | own
        subprocess.run([kb(), "ingest", str(settings.corpus)], env=environ, check=True)
        with _served(environ) as server:
            yield server


@contextmanager
def _served(environ: Mapping[str, str]) -> Iterator[Running]:
    process = subprocess.Popen([kb(), "serve"], env=environ, stdout=subprocess.DEVNULL)
    try:
        server = Running(f"http://127.0.0.1:{environ['KB_PORT']}", process.pid)
        last = time.monotonic() + START_SECONDS
        while not _ready(server.url):
            if time.monotonic() > last or process.poll() is not None:
                raise RuntimeError("the server did not start; its log above says why")
            time.sleep(0.2)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=20).status_code == 200
    except httpx.TransportError:
        return False


def kb() -> str:
    """The command, of this very environment."""
    return str(Path(sys.executable).with_name("kb"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
