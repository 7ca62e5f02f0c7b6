"""The command `kb`: what it prints, how it ends, and that it goes through a server that runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from conftest import MakeKb
from stores import opened

from api.app import create_app
from cli.commands import run
from cli.ingest import wire
from cli.local import NoChatModel, clear_index
from cli.remote import Server
from cli.screen import printable
from cli.serve import bound, url_of
from cli.shown import answer_lines
from ingest.items import Failed
from ingest.pipeline import Report
from ingest.plan import Plan
from kb.errors import (
    EmptyQuestion,
    ModelNotReady,
    PortTaken,
    ServerUnreachable,
    SettingsInvalid,
    StoreError,
    StoreUnavailable,
    WeighbridgeError,
)
from kb.fakes import MemoryPassageStore
from kb.fakes_model import ScriptedModel
from kb.ownership import owned
from kb.settings import Settings, load_settings
from kb.types import Float32
from kb.weights_catalogue import CATALOGUE
from kb.wiring import KnowledgeBase

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "What does the Gemini API cost for a million input tokens?"


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


Kb = Callable[..., Ended]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Kb:
    """Runs `kb` in this process."""

    def run_it(*arguments: str | Path) -> Ended:
        status = run([str(argument) for argument in arguments])
        return Ended(status, *capsys.readouterr())

    return run_it


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty KB_HOME."""
    for key in os.environ:
        if key.startswith("KB_"):
            monkeypatch.delenv(key)
    monkeypatch.setenv("KB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


# -- how it ends ---------------------------------------------------------------------------------


def test_version_is_printed(home: Path, command: Kb) -> None:
    assert command("version").out.startswith("weighbridge ")


@pytest.mark.parametrize(
    "arguments", [("no-such-command",), ("ask",), ("search", "x", "--count=0")]
)
def test_wrong_usage_ends_with_2(home: Path, command: Kb, arguments: Sequence[str]) -> None:
    ended = command(*arguments)

    assert ended.status == 2
    assert "Usage" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "x"),
        ("ask", "x"),
        ("ingest", str(ROOT / "corpus")),
        ("models", "verify"),
        ("models", "pull", "no-such-model"),
    ],
)
def test_expected_failures_are_one_line_that_says_what_to_do(
    home: Path, command: Kb, arguments: Sequence[str]
) -> None:
    ended = command(*arguments)

    assert ended.status == 1
    assert ended.err.startswith("kb: ")
    assert ended.err.count("\n") == 1
    assert "kb models" in ended.err


def test_misspelt_setting_is_refused(
    home: Path, command: Kb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_MODLE", "x")

    ended = command("models", "list")

    assert ended.status == 1
    assert "KB_MODLE" in ended.err


# -- models --------------------------------------------------------------------------------------


def test_list_names_every_model_and_how_much_of_it_is_here(home: Path, command: Kb) -> None:
    entry = CATALOGUE[0]
    partial = home / "weights" / entry.name / f"{entry.files[0].name}.partial"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 1_000_000)

    lines = command("models", "list").out.splitlines()[1:]

    assert [line.split()[0] for line in lines] == [entry.name for entry in CATALOGUE]
    assert lines[0].endswith("1 % here")
    assert all(line.endswith("not here") for line in lines[1:])


def test_verify_names_the_wrong_file_and_ends_with_1(home: Path, command: Kb) -> None:
    entry = CATALOGUE[0]
    for file in entry.files:
        path = home / "weights" / entry.name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not the weights")

    ended = command("models", "verify")

    assert ended.status == 1
    assert entry.files[0].name in ended.err
    assert not (home / "weights" / entry.name / entry.files[0].name).exists()


# -- through a server ----------------------------------------------------------------------------


@pytest.fixture
def served(
    make_kb: MakeKb, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., KnowledgeBase]]:
    """Serves a knowledge base the way `kb serve` does, in a thread."""
    with ExitStack() as stack:

        def serve(**parts: Any) -> KnowledgeBase:
            kb = make_kb(**parts)
            listener = bound("127.0.0.1", 0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            stack.enter_context(owned(kb.settings.index, url))
            server = uvicorn.Server(uvicorn.Config(create_app(kb), log_config=None))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            stack.callback(thread.join)
            stack.callback(setattr, server, "should_exit", True)
            monkeypatch.setenv("KB_HOME", str(kb.settings.home))
            return kb

        yield serve


Served = Callable[..., KnowledgeBase]


def test_ask_prints_the_answer_and_each_source_with_its_quote(served: Served, command: Kb) -> None:
    served()

    ended = command("ask", QUESTION)

    assert ended.status == 0
    assert ended.out.startswith("The Gemini API costs $2.00 for a million input tokens")
    assert "[1] What proprietary APIs cost · api-prices.md" in ended.out
    assert "    > The Gemini API costs $2.00 for a million input tokens." in ended.out


def test_ask_as_json_is_what_the_server_returns(served: Served, command: Kb) -> None:
    served()

    answer = json.loads(command("ask", QUESTION, "--json").out)

    assert answer["outcome"] == "answered"
    assert answer["citations"][0]["quote"].startswith("The Gemini API")


def test_refusal_says_why_and_ends_with_3(served: Served, command: Kb) -> None:
    served(model=ScriptedModel(["x"], yes=lambda prompt: 0.0))

    ended = command("ask", QUESTION)

    assert ended.status == 3
    assert "Refused (" in ended.out
    assert "Nearest passages" in ended.out
    assert "Sources" not in ended.out


def test_search_prints_as_many_passages_as_asked_for(served: Served, command: Kb) -> None:
    served()

    ended = command("search", QUESTION, "--count", "2")

    assert ended.status == 0
    assert ended.out.startswith("1. What proprietary APIs cost")
    assert "\n2. " in ended.out
    assert "\n3. " not in ended.out


def test_wrong_input_found_by_the_server_ends_with_2(served: Served, command: Kb) -> None:
    served()

    ended = command("ask", "  ")

    assert ended.status == 2
    assert ended.err.startswith("kb: the question is empty")


def test_empty_index_is_said(served: Served, command: Kb) -> None:
    served(documents=())

    ended = command("ask", QUESTION)

    assert ended.status == 3
    assert "kb ingest" in ended.err


@pytest.mark.parametrize("arguments", [("ingest", "--rebuild", "corpus"), ("doctor",)])
def test_commands_that_need_the_index_alone_say_who_has_it(
    served: Served, command: Kb, arguments: Sequence[str]
) -> None:
    served()

    ended = command(*arguments)

    assert ended.status == 1
    assert "http://127.0.0.1:" in ended.err


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that can be read and one that can't."""
    inside = tmp_path / "folder"
    (inside / "deep").mkdir(parents=True)
    (inside / "good.md").write_text("# Good\n\nThe weighbridge at Alford weighs 40 tonnes.\n")
    (inside / "deep" / "too.txt").write_text("The scale at Bath is old.\n")
    (inside / "bad.md").write_bytes(b"%PDF-1.7\x00\x01\x02")
    return inside


def test_ingest_goes_through_the_server(served: Served, command: Kb, folder: Path) -> None:
    kb = served()

    ended = command("ingest", folder)

    assert ended.status == 1  # one was left out
    assert f"failed  {folder / 'bad.md'}: bad.md: is a PDF" in ended.out
    assert "2 added, 0 replaced, 0 unchanged, 0 removed, 1 failed" in ended.out
    assert "corpus version 2" in ended.out
    assert "40 tonnes" in json.loads(command("search", "Alford", "--json").out)["hits"][0]["text"]
    assert kb.catalog.current_version() == 2


def test_server_reports_what_this_process_would(
    served: Served, command: Kb, folder: Path, tmp_path: Path
) -> None:
    """The same folder into an index of its own, and through a server."""
    kb = served(documents=())
    (folder / "link.md").symlink_to(tmp_path / "nowhere.md")
    (folder / "format.pdf").write_bytes(b"%PDF")
    with opened() as index:
        expected = wire(index.pipeline().run([folder, tmp_path / "missing.md"]))

    ended = command("ingest", folder, tmp_path / "missing.md", "--json")

    report = json.loads(ended.out)
    assert {**report, "passages": 0, "embedded": 0} == json.loads(
        json.dumps({**expected, "passages": 0, "embedded": 0})
    )
    assert report["passages"] == report["embedded"] == expected["passages"]
    assert kb.catalog.current_version() == 1


def test_dry_run_and_prune_mean_the_same_through_the_server(
    served: Served, command: Kb, folder: Path
) -> None:
    kb = served()

    unsure = json.loads(command("ingest", folder, "--prune", "--dry-run", "--json").out)
    (folder / "bad.md").unlink()
    dry = command("ingest", folder, "--prune", "--dry-run")
    unchanged = kb.catalog.current_version()
    pruned = command("ingest", folder, "--prune")
    nothing = command("ingest", folder / "missing.md")

    assert unsure["remove"] == []
    assert "would be: 2 added, 0 replaced, 0 unchanged, 2 removed, 0 failed" in dry.out
    assert unchanged == 1
    assert "remove  api-prices" in pruned.out
    assert (dry.status, pruned.status, nothing.status) == (0, 0, 2)
    listed = kb.catalog.documents(kb.catalog.current_version())
    assert [one.source.uri for one in listed] == ["deep/too.txt", "good.md"]


def test_a_job_that_fails_on_the_server_fails_here(
    served: Served, command: Kb, folder: Path
) -> None:
    class FullStore(MemoryPassageStore):
        def put(self, ids: Sequence[str], vectors: Float32) -> None:
            raise StoreUnavailable("the disk is full; free some space")

    served(documents=(), store=FullStore())

    ended = command("ingest", folder)

    assert ended.status == 1
    assert ended.err.splitlines()[-1] == "kb: the disk is full; free some space"


def test_ingest_beside_another_command_says_that_the_index_is_in_use(
    home: Path, command: Kb, folder: Path
) -> None:
    with owned(home / "index"):
        ended = command("ingest", folder)

    assert ended.status == 1
    assert "in use by another command" in ended.err


def answering_with(response: httpx.Response | Exception) -> Server:
    def answer(request: httpx.Request) -> httpx.Response:
        if isinstance(response, Exception):
            raise response
        return response

    return Server("http://test", 1.0, httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("response", "raised"),
    [
        (
            httpx.Response(422, json={"code": "empty_question", "detail": "write one"}),
            EmptyQuestion,
        ),
        (httpx.Response(500, json={"code": "of a newer server", "title": "?"}), WeighbridgeError),
        (httpx.Response(502, text="<html>"), ServerUnreachable),
        (httpx.Response(500, json=["no", "problem"]), ServerUnreachable),
        (httpx.ConnectError("refused"), ServerUnreachable),
        (httpx.ReadTimeout(""), ServerUnreachable),
    ],
)
def test_what_a_server_reports_is_raised_as_what_it_was(
    response: httpx.Response | Exception, raised: type[WeighbridgeError]
) -> None:
    with answering_with(response) as server, pytest.raises(WeighbridgeError) as caught:
        server.ask("?")

    assert type(caught.value) is raised
    assert str(caught.value)


# -- serving -------------------------------------------------------------------------------------


def test_taken_port_is_told_with_the_setting_that_changes_it() -> None:
    with bound("127.0.0.1", 0) as other, pytest.raises(PortTaken, match="KB_PORT="):
        bound("127.0.0.1", other.getsockname()[1])


def test_host_that_is_not_of_this_machine_is_told() -> None:
    with pytest.raises(SettingsInvalid, match="KB_HOST"):
        bound("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("kb.test", "http://kb.test:8000"),
    ],
)
def test_url_is_one_that_this_machine_can_open(host: str, url: str) -> None:
    assert url_of(Settings(host=host)) == url


def test_probe_tells_a_free_port_from_a_taken_one(
    home: Path, command: Kb, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bound("127.0.0.1", 0) as other:
        monkeypatch.setenv("KB_PORT", str(other.getsockname()[1]))
        taken = command("serve", "--probe")
    free = command("serve", "--probe")

    assert (taken.status, free.status) == (1, 3)
    assert "KB_PORT" in taken.err


# -- ingesting -----------------------------------------------------------------------------------

ADDED = Plan(add=("a.md",), replace=(), keep=(), remove=())
NOTHING = Plan(add=(), replace=(), keep=(), remove=())
BROKEN = Failed("b.md", "file_is_binary", "b.md is a PDF")


@pytest.mark.parametrize(
    ("report", "status"),
    [
        (Report(1, ADDED, (), 3, 3), 0),
        (Report(1, ADDED, (BROKEN,), 3, 3), 1),
        (Report(0, NOTHING, (BROKEN,), 0, 0), 2),
        (Report(0, NOTHING, (), 0, 0), 2),
    ],
)
def test_exit_status_tells_what_became_of_the_files(report: Report, status: int) -> None:
    from cli.ingest import exit_status

    assert exit_status(report) == status


def test_rebuild_deletes_nothing_for_a_path_that_holds_nothing(
    home: Path, command: Kb, tmp_path: Path
) -> None:
    kept = home / "index" / "catalog.sqlite3"
    kept.parent.mkdir(parents=True)
    kept.touch()

    ended = command("ingest", "--rebuild", "--yes", tmp_path / "missing")

    assert ended.status == 2
    assert "the index was left alone" in ended.err
    assert kept.exists()


@pytest.mark.parametrize("said", ["n\n", ""])
def test_rebuild_deletes_nothing_without_a_yes(home: Path, said: str) -> None:
    kept = home / "index" / "catalog.sqlite3"
    kept.parent.mkdir(parents=True)
    kept.touch()

    ended = kb_process(dict(os.environ), "ingest", "--rebuild", ROOT / "corpus", said=said)

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert kept.exists()


def test_cleared_index_keeps_only_its_lock(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with owned(settings.index):
        (settings.index / "catalog.sqlite3").touch()
        (settings.index / "chroma").mkdir()

        clear_index(settings)

        assert [path.name for path in settings.index.iterdir()] == ["owner.json"]


def test_catalog_that_is_elsewhere_is_not_cleared(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="KB_DATABASE_URL"):
        clear_index(Settings(home=tmp_path, database_url="sqlite:////tmp/elsewhere"))


def test_commands_without_a_chat_model_can_write_nothing() -> None:
    model = NoChatModel("some-model")

    with pytest.raises(ModelNotReady):
        next(iter(model.write([], 1, lambda: False)))
    with pytest.raises(ModelNotReady):
        model.probability_of_yes([], lambda: False)


# -- what is shown -------------------------------------------------------------------------------


def test_documents_cannot_drive_the_terminal() -> None:
    assert printable("a\x1b[2Jb\x07\x9bc\r") == "a�[2Jb��c�"
    assert printable("tab\tline\nend €") == "tab\tline\nend €"


def test_both_sides_of_a_conflict_are_shown_with_their_markers() -> None:
    answer = {
        "text": "They disagree.",
        "outcome": "conflicting",
        "conflicts": [
            {
                "about": "the price",
                "positions": [
                    {"statement": "It is $2.", "citations": [1]},
                    {"statement": "It is $3.", "citations": [2, 3]},
                ],
            }
        ],
        "withheld": 2,
        "citations": [],
        "nearest": [],
        "suggestions": ["What is the price?"],
    }

    lines = list(answer_lines(answer))

    assert "  - It is $2. [1]" in lines
    assert "  - It is $3. [2][3]" in lines
    assert any(line.endswith(": 2") for line in lines)
    assert lines[-1] == "You could ask: What is the price?"


# -- for real ------------------------------------------------------------------------------------


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


def kb_process(
    env: dict[str, str], *arguments: str | Path, said: str = ""
) -> subprocess.CompletedProcess[str]:
    code = "from cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, input=said,
    )  # fmt: skip


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
