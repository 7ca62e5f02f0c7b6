"""`kb versions`, through a server that owns the index, and without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MakeKb
from serving import serving
from shelf import PRICES, publish

from api.app import create_app
from cli.commands import run
from kb.ownership import owned
from kb.settings import load_settings
from kb.wiring import KnowledgeBase

DEARER = replace(PRICES, text=PRICES.text.replace("$2.00", "$7.00"))


@pytest.fixture
def served(make_kb: MakeKb, monkeypatch: pytest.MonkeyPatch) -> Iterator[KnowledgeBase]:
    """Two versions, behind a server that KB_HOME leads to."""
    kb = make_kb()
    publish(kb, [DEARER], remove=["open-weights"])
    monkeypatch.setenv("KB_HOME", str(kb.settings.home))
    with serving(create_app(kb)) as port, owned(kb.settings.index, f"http://127.0.0.1:{port}"):
        yield kb


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    status = run(["versions", *arguments])
    told = capsys.readouterr()
    return status, told.out + told.err


def test_versions_are_listed_compared_and_gone_back_to(
    served: KnowledgeBase, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = said(capsys, "list")
    as_json = said(capsys, "list", "--json")
    compared = said(capsys, "diff", "1", "2")
    back = said(capsys, "rollback", "1")
    same = said(capsys, "diff", "1", "3")

    lines = listed[1].splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"]
    assert "2 documents" in lines[0]
    assert lines[1].endswith("current")
    assert json.loads(as_json[1])["current"] == 2
    assert compared[1].splitlines() == ["replaced  api-prices", "removed   open-weights"]
    assert back == (0, "corpus version 3 holds what version 1 held\n")
    assert same == (0, "both hold the same\n")
    assert served.catalog.live_revisions(3) == served.catalog.live_revisions(1)


def test_version_that_is_not_kept_is_told_in_one_line(
    served: KnowledgeBase, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = said(capsys, "rollback", "9")

    assert status == 1
    assert told.startswith("kb: corpus version 9 is not kept")
    assert told.count("\n") == 1
    assert served.catalog.current_version() == 2


@pytest.mark.model
def test_without_a_server_the_command_opens_the_index_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "weights").symlink_to(load_settings().weights)
    monkeypatch.setenv("KB_HOME", str(tmp_path / "home"))
    (tmp_path / "a.md").write_text("# A\n\nThe weighbridge at Alford weighs 40 tonnes.\n")
    assert run(["ingest", str(tmp_path / "a.md")]) == 0
    (tmp_path / "a.md").write_text("# A\n\nThe weighbridge at Alford weighs 60 tonnes.\n")
    assert run(["ingest", str(tmp_path / "a.md")]) == 0
    capsys.readouterr()

    assert said(capsys, "rollback", "1") == (0, "corpus version 3 holds what version 1 held\n")
    assert said(capsys, "diff", "1", "3") == (0, "both hold the same\n")
    assert run(["search", "alford"]) == 0
    assert "40 tonnes" in capsys.readouterr().out
