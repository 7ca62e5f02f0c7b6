"""Nothing leaves the machine: shown where there is no other machine to be reached."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kb.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = [sys.executable, str(ROOT / "make" / "offline.py")]
NO_NAMESPACE = 3
SEEN = re.compile(r"interfaces: (?P<up>.+); seen by Python: (\d+); without a route: (\d+)$")

# A name to look up, an address to connect to, and one that no audit of Python's sees.
CALLS_OUT = """
import ctypes, socket, struct
for attempt in (
    lambda: socket.getaddrinfo("example.invalid", 80),
    lambda: socket.create_connection(("192.0.2.1", 80), 2),
):
    try:
        attempt()
    except OSError:
        pass
libc = ctypes.CDLL(None)
native = libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0)
address = struct.pack("<H", socket.AF_INET) + struct.pack(">H4s8x", 80, bytes([192, 0, 2, 1]))
libc.connect(native, address, len(address))
"""
STAYS_HERE = """
import socket
with socket.create_server(("127.0.0.1", 0)) as server:
    with socket.create_connection(("localhost", server.getsockname()[1]), 5):
        pass
"""


def offline(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Skips where the machine does not allow it."""
    done = subprocess.run(
        [*OFFLINE, *command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    if done.returncode == NO_NAMESPACE:
        pytest.skip("no network namespace can be made here; `unshare --net` needs the right to")
    return done


def attempts(done: subprocess.CompletedProcess[str]) -> tuple[str, int, int]:
    """The interfaces that were up, the attempts that Python saw, the packets without a route."""
    found = SEEN.search(done.stderr.strip())
    assert found, done.stderr
    return found["up"], int(found[2]), int(found[3])


def test_a_call_out_is_seen_whoever_makes_it() -> None:
    done = offline(sys.executable, "-c", CALLS_OUT)

    up, by_python, without_route = attempts(done)
    assert up == "lo"
    assert by_python == 3  # two names looked up, one connection
    assert without_route >= 2
    assert "192.0.2.1" in done.stderr
    assert "example.invalid" in done.stderr


def test_loopback_is_no_call_out() -> None:
    done = offline(sys.executable, "-c", STAYS_HERE)

    assert done.returncode == 0, done.stderr
    assert attempts(done) == ("lo", 0, 0)


@pytest.mark.slow
@pytest.mark.model
def test_ingest_serve_search_and_ask_need_no_network_and_try_none(tmp_path: Path) -> None:
    weights = load_settings().weights
    for name in ("all-minilm-l6-v2", "smollm2-135m"):
        if not (weights / name).is_dir():
            pytest.skip(f"{name} is not under KB_HOME; run `kb models pull {name}`")
    folder, home = tmp_path / "folder", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    (home / "weights").symlink_to(weights.resolve())
    (folder / "amber.md").write_text("# Amber 3\n\nAmber 3 costs $7 for a million tokens.\n")
    (folder / "birch.html").write_text("<h1>Birch</h1><p>Birch 2 can be downloaded.</p>")

    done = offline(
        sys.executable,
        "tests/offline_walk.py",
        str(folder),
        KB_HOME=str(home),
        KB_MODEL="smollm2-135m",
    )

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["hits"] >= 1
    assert told["widget"] > 1000
    assert "$7" in "".join(one["quote"] for one in told["answer"]["citations"])
    assert attempts(done) == ("lo", 0, 0), done.stderr
