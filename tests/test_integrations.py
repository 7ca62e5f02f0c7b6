"""What docs/integrations.md shows, runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import javascript
import pytest
from conftest import MakeKb
from serving import serving

from api.app import create_app
from kb.settings import load_settings
from kb.types import Document

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
SHOWN_URL = "http://127.0.0.1:8000"
LICENCES = Document(
    "licences",
    "Licences of open-weights models",
    None,
    "licences.md",
    "2026-05-01",
    "# Licences of open-weights models\n\nDeepSeek-R1 is released under the MIT license.\n",
)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def commands(name: str) -> list[list[str]]:
    lines = "\n".join(blocks("sh")).replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line)) and words[0] == name]


@pytest.fixture
def url(make_kb: MakeKb) -> Iterator[str]:
    with serving(create_app(make_kb(documents=[LICENCES]))) as port:
        yield f"http://127.0.0.1:{port}"


def test_every_command_is_one_that_is_run_here() -> None:
    names = {line.split()[0] for block in blocks("sh") for line in block.splitlines()}

    assert names - {"-d"} == {"curl", "llm"}


def test_curl_gets_an_answer(url: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (command,) = commands("curl")

    done = subprocess.run(
        [word.replace(SHOWN_URL, url) for word in command], capture_output=True, check=True
    )

    assert "MIT license. [1]" in json.loads(done.stdout)["choices"][0]["message"]["content"]


@pytest.mark.slow
def test_python_prints_the_answer_its_quotes_and_the_stream(url: str) -> None:
    script = blocks("python")[0].replace(SHOWN_URL, url)

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count("DeepSeek-R1 is released under the MIT license. [1]") == 2
    assert f"1 {LICENCES.title} DeepSeek-R1 is released" in done.stdout


@pytest.mark.slow
def test_javascript_prints_the_answer(url: str, tmp_path: Path) -> None:
    script = blocks("js")[0].replace(SHOWN_URL, url)

    printed = javascript.run(javascript.with_sdk(tmp_path), script)

    assert printed.startswith("DeepSeek-R1 is released under the MIT license. [1]")


@pytest.mark.slow
def test_llm_answers_and_continues(url: str, tmp_path: Path) -> None:
    (settings,) = blocks("yaml")
    shown = settings.replace(SHOWN_URL, url)
    (tmp_path / "extra-openai-models.yaml").write_text(shown, encoding="utf-8")
    environment = {**os.environ, "LLM_USER_PATH": str(tmp_path)}

    for command in commands("llm"):
        done = subprocess.run(
            [sys.executable, "-m", *command], env=environment, capture_output=True, text=True
        )

        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


def test_the_assistant_s_configuration_starts_a_command_that_exists() -> None:
    from typer.main import get_command

    from cli.commands import app

    (block,) = blocks("json")
    (server,) = json.loads(block)["mcpServers"].values()

    assert Path(server["command"]).name == "kb"
    assert set(server["args"]) <= set(get_command(app).commands)  # type: ignore[attr-defined]  # it is a group


@pytest.mark.model
@pytest.mark.slow
def test_llamaindex_retrieves_and_answers(tmp_path: Path) -> None:
    weights = load_settings().weights
    for name in ("all-minilm-l6-v2", "smollm2-135m"):
        if not (weights / name).is_dir():
            pytest.skip(f"{name} is not under KB_HOME; run make test")
    home = tmp_path / "home"
    home.mkdir()
    (home / "weights").symlink_to(weights.resolve())
    (tmp_path / LICENCES.uri).write_text(LICENCES.text, encoding="utf-8")
    environment = {**os.environ, "KB_HOME": str(home), "KB_MODEL": "smollm2-135m"}
    kb = [sys.executable, "-c", "from cli.main import main; main()"]
    ingest = [*kb, "ingest", str(tmp_path / LICENCES.uri)]
    subprocess.run(ingest, env=environment, cwd=ROOT, check=True, capture_output=True)

    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[1]],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "MIT license" in done.stdout
