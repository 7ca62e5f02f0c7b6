"""What `make bench` says of the widget: bytes as served, and waits as a client has them."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import MakeKb
from serving import serving

import api
from api.app import create_app
from bench.widget import evidence, head, size, table, waiting

STATIC = Path(api.__file__).parent / "static"
ANSWERED = "What does the Gemini API cost for a million input tokens?"
ASKED_BACK = "How much does it cost?"


@pytest.fixture
def client(make_kb: MakeKb) -> Iterator[httpx.Client]:
    with (
        serving(create_app(make_kb())) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client,
    ):
        yield client


def test_the_bytes_are_those_of_the_files_and_stay_below_the_goal(client: httpx.Client) -> None:
    *_, (what, whole) = size(client)

    plain, packed = (int(figure.replace(",", "")) for figure in whole.split(" / "))
    files = [(STATIC / name).read_bytes() for name in ("widget.js", "widget.css")]
    assert plain == sum(map(len, files))
    assert packed == sum(len(gzip.compress(file)) for file in files) < 30_000
    assert "30,000" in what


def test_waits_are_told_with_how_many_they_are_of(client: httpx.Client) -> None:
    rows = dict(waiting(client, [ANSWERED, ANSWERED], rounds=2, pause=0.0))

    told = {what.split(",")[0]: value for what, value in rows.items()}
    assert any("p50 / p95 of 4 " in what for what in rows)
    assert any(what.endswith("first checked sentence, p50 of 2") for what in rows)
    assert re.fullmatch(r"\d+ / \d+ ms", told["to `evidence`"])
    assert re.fullmatch(r"\d+\.\d s", told["to the first checked sentence"])


def test_a_question_without_evidence_is_not_counted_as_quick(client: httpx.Client) -> None:
    with pytest.raises(RuntimeError, match="no evidence"):
        evidence(client, ASKED_BACK)


def test_the_section_can_be_appended_to_the_results() -> None:
    lines = [*head("a-model"), *table([("something", "1 ms")])]

    assert lines[:2] == ["", "## Chat"]
    assert any("chat model a-model" in line for line in lines)
    assert lines[-1] == "| something | 1 ms |"
