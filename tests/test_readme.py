"""The README's commands do what it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from api.app import create_app
from kb.settings import load_settings
from kb.wiring import KnowledgeBase

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()

# Commands that no test here runs, and why.
NOT_RUN = {
    "make test": "it runs this file",
    "docker compose up": "it needs a container engine",
}
START_SECONDS = 120  # for make up, with everything installed and fetched


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    return [
        line
        for block in blocks("sh")
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip()
    ]


def of_kb() -> list[str]:
    return [command for command in commands() if command.startswith("kb ")]


def test_every_command_is_run_or_says_why_not() -> None:
    rest = [c for c in commands() if c not in NOT_RUN and c not in of_kb()]

    assert [shlex.split(command)[0] for command in rest] == ["make", "curl"]
    assert set(NOT_RUN) <= set(commands())


def test_every_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"`?make ([a-z]+)`?", README + (ROOT / "CONTRIBUTING.md").read_text()))

    assert {target for target in named if not re.search(rf"^{target}:", makefile, re.M)} == set()


def test_every_command_of_kb_is_in_the_table() -> None:
    from typer.main import get_command

    from cli.commands import app

    told = set(re.findall(r"^\| `kb ([a-z]+)", README, re.MULTILINE))

    assert told == set(get_command(app).commands)  # type: ignore[attr-defined]  # it is a group


def test_every_route_is_in_the_table(kb: KnowledgeBase) -> None:
    routes = {
        f"{method.upper()} {path}"
        for path, methods in create_app(kb).openapi()["paths"].items()
        for method in methods
    }

    told = set(re.findall(r"`((?:GET|POST|PUT|DELETE) [^`]+)`", README))

    assert routes <= told
    pages = {"GET /", "GET /docs", "GET /openapi.json", "GET /widget.js", "GET /widget.css"}
    others = {"GET /source/{document_id}/{revision}#START-END", "GET /metrics"}
    assert told - routes <= pages | others


# -- with real weights ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A home with the real weights and no index, and the smallest chat model."""
    weights = load_settings().weights
    for name in ("all-minilm-l6-v2", "smollm2-135m"):
        if not (weights / name).is_dir():
            pytest.skip(f"{name} is not under KB_HOME; run make test")
    home = tmp_path_factory.mktemp("home")
    (home / "weights").symlink_to(weights.resolve())
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "KB_HOME": str(home), "KB_MODEL": "smollm2-135m", "PATH": path}


@pytest.fixture(scope="module")
def made_by_make() -> None:
    if not (Path(sys.prefix) / "installed.json").exists():
        pytest.skip("this environment was not made by make, so make up would begin to install")


@pytest.mark.model
@pytest.mark.slow
def test_commands_of_kb_work_in_their_order(
    environment: dict[str, str], made_by_make: None
) -> None:
    for command in of_kb():
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True
        )

        assert done.returncode == 0, f"{command}: {done.stderr}"
        assert done.stdout.strip(), command


@pytest.fixture(scope="module")
def served(environment: dict[str, str], made_by_make: None) -> Iterator[str]:
    """What `make up` serves, and where."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**environment, "KB_PORT": str(port), "VENV": sys.prefix}
    process = subprocess.Popen(["make", "up"], cwd=ROOT, env=env, start_new_session=True)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(process, url)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "make up ended"
        try:
            with urlopen(f"{url}/readyz", timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"make up was not ready within {START_SECONDS} s")


@pytest.mark.model
@pytest.mark.slow
def test_curl_gets_an_answer_whose_citations_can_be_checked(served: str) -> None:
    (curl,) = (command for command in commands() if command.startswith("curl"))

    done = subprocess.run(
        shlex.split(curl.replace("http://127.0.0.1:8000", served)), capture_output=True, check=True
    )

    answer = json.loads(done.stdout)
    assert answer["outcome"] in {"answered", "quoted", "conflicting"}
    assert "MIT" in "".join(citation["quote"] for citation in answer["citations"])


@pytest.mark.model
@pytest.mark.slow
def test_python_in_the_readme_finds_every_quote_in_its_source(served: str) -> None:
    (check,) = blocks("python")
    counting = "\nassert answer['citations']\n"

    done = subprocess.run(
        [sys.executable, "-c", check.replace("http://127.0.0.1:8000", served) + counting],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.model
@pytest.mark.slow
def test_second_make_up_does_nothing_and_says_that_it_is_served(
    served: str, environment: dict[str, str]
) -> None:
    env = {**environment, "KB_PORT": served.rpartition(":")[2], "VENV": sys.prefix}
    started = time.monotonic()

    done = subprocess.run(["make", "up"], cwd=ROOT, env=env, capture_output=True, text=True)

    assert done.returncode == 0
    assert f"already served at {served}" in done.stderr
    assert time.monotonic() - started < 10
