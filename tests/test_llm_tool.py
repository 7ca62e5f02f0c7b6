"""The command-line tool `llm` works unchanged against a running server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import MakeKb
from serving import serving

from api.app import create_app

QUESTION = "What does the Gemini API cost for a million input tokens?"

Llm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def llm(make_kb: MakeKb, tmp_path: Path) -> Iterator[Llm]:
    """Runs `llm` with a user folder whose one extra model is our server."""
    folder = tmp_path / "llm"
    folder.mkdir()
    with serving(create_app(make_kb())) as port:
        models = "".join(
            f"- {{model_id: {name}, model_name: {real}, api_base: 'http://127.0.0.1:{port}/v1'}}\n"
            for name, real in (("weighbridge", "weighbridge"), ("another", "gpt-4o"))
        )
        (folder / "extra-openai-models.yaml").write_text(models, encoding="utf-8")
        environment = {**os.environ, "LLM_USER_PATH": str(folder)}

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "llm", *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True)

        yield run


@pytest.mark.slow
def test_llm_prints_the_same_answer_streamed_and_whole(llm: Llm) -> None:
    streamed = llm("-m", "weighbridge", QUESTION)
    whole = llm("-m", "weighbridge", "--no-stream", QUESTION)

    assert streamed.returncode == 0, streamed.stderr
    assert "$2.00 for a million input tokens. [1]" in streamed.stdout
    assert "\nSources:\n- [1] What proprietary APIs cost" in streamed.stdout
    assert whole.stdout == streamed.stdout


@pytest.mark.slow
def test_llm_continues_a_conversation_and_passes_options_and_a_system_prompt(llm: Llm) -> None:
    options = ["-s", "Answer in French.", "-o", "temperature", "0.5", "-o", "max_tokens", "9"]
    first = llm("-m", "weighbridge", *options, QUESTION)

    second = llm("-c", "Can its vendor withdraw it?")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    logged = json.loads(llm("logs", "--json", "-c", "-n", "0").stdout)
    assert len(logged) == 2
    assert "A proprietary vendor can withdraw a model" in second.stdout


@pytest.mark.slow
def test_llm_tells_what_the_server_refuses(llm: Llm) -> None:
    done = llm("-m", "another", QUESTION)

    assert done.returncode != 0
    assert "no model is called 'gpt-4o'; the one to ask is 'weighbridge'" in done.stderr
