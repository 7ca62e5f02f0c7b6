"""The command `kb` as a process of its own, with real weights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from commanding import QUESTION, ROOT, kb_process

from kb.settings import load_settings

pytest_plugins = ["commanding_fixtures"]


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with real weights, the smallest chat model, and an index of the corpus."""
    weights = load_settings().weights
    for name in ("all-minilm-l6-v2", "smollm2-135m"):
        if not (weights / name).is_dir():
            pytest.skip(f"{name} is not under KB_HOME; run make test")
    home = tmp_path_factory.mktemp("home")
    (home / "weights").symlink_to(weights.resolve())
    env = {**os.environ, "KB_HOME": str(home), "KB_MODEL": "smollm2-135m", "PYTHONPATH": str(ROOT)}
    ingested = kb_process(env, "ingest", "corpus", "--json")
    assert ingested.returncode == 0, ingested.stderr
    assert len(json.loads(ingested.stdout)["add"]) == 5
    return env


@pytest.mark.model
def test_second_ingest_embeds_nothing(real: dict[str, str]) -> None:
    report = json.loads(kb_process(real, "ingest", "corpus", "--json").stdout)

    assert len(report["keep"]) == 5
    assert report["embedded"] == 0


@pytest.mark.model
def test_unreadable_file_is_named_and_the_rest_ingested(
    real: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "good.md").write_text("# Good\n\nThe weighbridge at Alford weighs 40 tonnes.\n")
    (folder / "bad.md").write_bytes(b"%PDF-1.7\x00\x01\x02")
    env = {**real, "KB_HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "weights").symlink_to(Path(real["KB_HOME"]) / "weights")

    some = kb_process(env, "ingest", folder)
    none = kb_process(env, "ingest", folder / "bad.md")
    found = kb_process(env, "search", "How much does it weigh at Alford?", "--json")

    assert some.returncode == 1
    assert "bad.md" in some.stdout
    assert none.returncode == 2
    assert "40 tonnes" in json.loads(found.stdout)["hits"][0]["text"]


@pytest.mark.model
def test_search_and_ask_work_without_a_server_and_without_torch(real: dict[str, str]) -> None:
    for arguments in (["search", QUESTION], ["ask", QUESTION]):
        code = (
            "import sys; from cli.commands import run; status = run(sys.argv[1:]); "
            "print(sorted({'torch', 'llama_index', 'sentence_transformers'} & set(sys.modules))); "
            "sys.exit(status)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT, env=real, capture_output=True, text=True,
        )  # fmt: skip

        assert done.returncode in {0, 3}, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.model
def test_doctor_finds_and_repairs_lost_vectors(real: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(Path(real["KB_HOME"]) / "index", home / "index")
    (home / "weights").symlink_to(Path(real["KB_HOME"]) / "weights")
    env = {**real, "KB_HOME": str(home)}
    shutil.rmtree(home / "index" / "chroma")

    sick = kb_process(env, "doctor")
    mended = kb_process(env, "doctor", "--repair")
    sound = kb_process(env, "doctor")

    assert sick.returncode == 1
    assert "have no vector" in sick.stdout
    assert (mended.returncode, sound.returncode) == (0, 0), mended.stdout + sound.stdout


@pytest.mark.model
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_server_stops_quietly_and_leaves_the_index_free(
    real: dict[str, str], stop: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**real, "KB_PORT": str(port)}
    code = "from cli.main import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "serve"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/livez")
        asked = kb_process(env, "search", QUESTION)
        ingested = kb_process(env, "ingest", "corpus", "--prune", "--json")
        again = kb_process(env, "serve")
    finally:
        process.send_signal(stop)
        _, log = process.communicate(timeout=60)
    afterwards = kb_process(env, "search", QUESTION)

    assert process.returncode == 0
    assert "Traceback" not in log
    assert asked.stdout == afterwards.stdout
    assert len(json.loads(ingested.stdout)["keep"]) == 5
    assert (again.returncode, "already served" in again.stderr) == (0, True)


def wait_for(url: str) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            httpx.get(url, timeout=30, trust_env=False).raise_for_status()
            return
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer")
