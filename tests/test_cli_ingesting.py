"""The command `kb`: where it serves, and what ingesting ends with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from commanding import ROOT, Kb, kb_process

from cli.local import NoChatModel, clear_index
from cli.serve import bound, url_of
from ingest.items import Failed
from ingest.pipeline import Report
from ingest.plan import Plan
from kb.errors import (
    ModelNotReady,
    PortTaken,
    SettingsInvalid,
    StoreError,
)
from kb.ownership import owned
from kb.settings import Settings

pytest_plugins = ["commanding_fixtures"]


# -- serving ---------------------------------------------------------------------------------------


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


# -- ingesting -------------------------------------------------------------------------------------


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
