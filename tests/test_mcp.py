"""`kb mcp`, as the official client drives it: a process that speaks the protocol on its pipes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from conftest import MakeKb
from mcp import Client, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, TextContent
from serving import serving
from shelf import PRICES, WEIGHTS, first_passage

from api.app import create_app
from cli.mcp_tools import PAGE, server
from cli.reading import Here, Library, Reader
from kb.fakes_model import ScriptedModel
from kb.ownership import owned
from kb.settings import Settings, load_settings
from kb.types import Document
from kb.wiring import KnowledgeBase

ROOT = Path(__file__).resolve().parent.parent
QUESTION = "What does the Gemini API cost for a million input tokens?"
KB = [sys.executable, "-c", "from cli.main import main; main()"]  # what the script `kb` holds
START_SECONDS = 60  # of a process on a busy machine


@pytest.fixture
def served(make_kb: MakeKb) -> Iterator[KnowledgeBase]:
    """A knowledge base that is served as `kb serve` does, so that other processes find it."""
    kb = make_kb()
    with serving(create_app(kb)) as port, owned(kb.settings.index, f"http://127.0.0.1:{port}"):
        yield kb


def command(home: Path, **more: str) -> StdioServerParameters:
    """`kb mcp`, as an assistant's configuration starts it."""
    return StdioServerParameters(
        command=KB[0],
        args=[*KB[1:], "mcp"],
        env={"KB_HOME": str(home), "PYTHONPATH": str(ROOT), **more},
        cwd=ROOT,
    )


def through(parameters: StdioServerParameters, ask: Callable[[Client], Awaitable[Any]]) -> Any:
    """What `ask` gives, of a client of a new process."""

    async def run() -> Any:
        async with Client(stdio_client(parameters)) as client:
            return await ask(client)

    return anyio.run(run)


def structured(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


# -- a process on its pipes ----------------------------------------------------------------------


def test_an_assistant_searches_asks_and_reads(served: KnowledgeBase) -> None:
    async def session(client: Client) -> list[dict[str, Any]]:
        found = structured(await client.call_tool("search", {"question": QUESTION, "count": 2}))
        answer = structured(await client.call_tool("ask", {"question": QUESTION}))
        cited = answer["citations"][0]
        named = {key: cited[key] for key in ("document_id", "revision")}
        text = structured(await client.call_tool("read_document", named))
        newest = structured(
            await client.call_tool("read_document", {"document_id": cited["document_id"]})
        )
        return [found, answer, text, newest]

    found, answer, text, newest = through(command(served.settings.home), session)

    assert len(found["hits"]) == 2
    assert answer["outcome"] == "answered"
    for citation in answer["citations"]:
        assert text["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert newest == text
    assert (text["start"], text["end"], text["characters"]) == (0, *[len(PRICES.text)] * 2)


def test_nothing_but_the_protocol_is_on_stdout(served: KnowledgeBase) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "0"},
        },
    }
    calls = [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "ask", "arguments": {"question": " "}},
        },
    ]
    started = subprocess.Popen(
        [*KB, "mcp"],
        cwd=ROOT,
        env={**os.environ, "KB_HOME": str(served.settings.home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with started as process:
        assert process.stdin is not None
        assert process.stdout is not None
        lines = []
        for message, answered in ((hello, True), (calls[0], False), (calls[1], True)):
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            lines += [process.stdout.readline()] if answered else []
        process.stdin.close()
        lines += process.stdout.readlines()
        status = process.wait(START_SECONDS)

    answers = [json.loads(line) for line in lines]
    assert [one["id"] for one in answers] == [1, 2]
    assert answers[1]["result"]["isError"] is True
    assert "the question is empty" in answers[1]["result"]["content"][0]["text"]
    assert status == 0


@pytest.mark.model
@pytest.mark.slow
def test_without_a_server_it_opens_the_index_itself(tmp_path: Path) -> None:
    weights = load_settings().weights
    for name in ("all-minilm-l6-v2", "smollm2-135m"):
        if not (weights / name).is_dir():
            pytest.skip(f"{name} is not under KB_HOME; run make test")
    home = tmp_path / "home"
    home.mkdir()
    (home / "weights").symlink_to(weights.resolve())
    (tmp_path / "guide.md").write_text(PRICES.text, encoding="utf-8")
    environment = {**os.environ, "KB_HOME": str(home)}
    ingest = [*KB, "ingest", str(tmp_path / "guide.md")]
    subprocess.run(ingest, cwd=ROOT, env=environment, check=True, capture_output=True)

    async def session(client: Client) -> list[dict[str, Any]]:
        found = structured(await client.call_tool("search", {"question": QUESTION}))
        return [found, structured(await client.call_tool("ask", {"question": QUESTION}))]

    found, answer = through(command(home, KB_MODEL="smollm2-135m"), session)

    assert "$2.00" in found["hits"][0]["text"]
    assert answer["model"] == "smollm2-135m"


# -- over HTTP -----------------------------------------------------------------------------------


def test_streamable_http_serves_the_same_tools(served: KnowledgeBase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [*KB, "mcp", "--http", str(port)]
    environment = {**os.environ, "KB_HOME": str(served.settings.home)}

    async def session() -> dict[str, Any]:
        async with Client(f"http://127.0.0.1:{port}/mcp") as client:
            return structured(await client.call_tool("search", {"question": QUESTION}))

    process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        found = anyio.run(session)
    finally:
        process.terminate()
        process.wait(START_SECONDS)

    assert "$2.00" in found["hits"][0]["text"]


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, "kb mcp ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"kb mcp did not listen within {START_SECONDS} s")


# -- the tools, in this process --------------------------------------------------------------------


class Opened(Library):
    """A library around a knowledge base that is open already."""

    def __init__(self, kb: KnowledgeBase) -> None:
        super().__init__(kb.settings, ExitStack())
        self._here: Reader | None = Here(kb)


def called(kb: KnowledgeBase, tool: str, **arguments: Any) -> CallToolResult:
    async def run() -> CallToolResult:
        async with Client(server(Opened(kb))) as client:
            return await client.call_tool(tool, arguments)

    return anyio.run(run)


def test_every_tool_says_that_it_only_reads_and_what_it_returns(kb: KnowledgeBase) -> None:
    async def run() -> Any:
        async with Client(server(Opened(kb))) as client:
            return (await client.list_tools()).tools

    tools = anyio.run(run)

    assert [tool.name for tool in tools] == ["search", "ask", "read_document"]
    for tool in tools:
        assert tool.title
        assert tool.description
        assert tool.annotations.read_only_hint
        assert tool.output_schema["properties"]
        for argument in tool.input_schema["properties"].values():
            assert argument["description"]


def test_a_refusal_is_an_answer_and_no_error(make_kb: MakeKb) -> None:
    kb = make_kb(ScriptedModel(first_passage, probability=0.0))

    answer = structured(called(kb, "ask", question=QUESTION))

    assert (answer["outcome"], answer["reason"]) == ("refused", "not_stated")


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("ask", {"question": " "}, "empty_question"),
        ("search", {"question": "x" * 2001}, "question_too_long"),
        ("read_document", {"document_id": "no-such"}, "document_not_found"),
        ("read_document", {"document_id": WEIGHTS.id, "revision": "x"}, "revision_not_found"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_code(
    kb: KnowledgeBase, tool: str, arguments: dict[str, Any], told: str
) -> None:
    result = called(kb, tool, **arguments)

    assert result.is_error
    assert isinstance(result.content[0], TextContent)
    assert f"(code: {told})" in result.content[0].text


def test_a_long_document_is_read_in_parts(make_kb: MakeKb) -> None:
    text = "".join(f"Sentence {n} of a long report.\n" for n in range(1500))
    kb = make_kb(documents=[Document("long", "Long", None, "long.md", None, text)])

    parts: list[str] = []
    while not parts or len("".join(parts)) < len(text):
        part = structured(
            called(kb, "read_document", document_id="long", start=len("".join(parts)))
        )
        assert part["characters"] == len(text)
        assert len(part["text"]) <= PAGE
        parts.append(part["text"])

    assert "".join(parts) == text
    assert len(parts) == 3


def test_an_index_that_another_command_has_open_is_told(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with owned(settings.index), ExitStack() as opened:

        async def run() -> CallToolResult:
            async with Client(server(Library(settings, opened))) as client:
                return await client.call_tool("search", {"question": QUESTION})

        result = anyio.run(run)

    assert result.is_error
    assert isinstance(result.content[0], TextContent)
    assert "(code: store_in_use)" in result.content[0].text
