"""The command `kb` goes through a server that runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from commanding import QUESTION, Kb
from conftest import MakeKb
from shelf import first_passage
from stores import opened

from api.app import create_app
from cli.ingest import wire
from cli.remote import Server
from cli.serve import bound
from kb.errors import (
    EmptyQuestion,
    ServerUnreachable,
    StoreUnavailable,
    WeighbridgeError,
)
from kb.fakes import MemoryPassageStore
from kb.fakes_model import ScriptedModel
from kb.ownership import owned
from kb.types import Float32
from kb.wiring import KnowledgeBase

pytest_plugins = ["commanding_fixtures"]


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
    served(model=ScriptedModel(first_passage, probability=0.0))

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
