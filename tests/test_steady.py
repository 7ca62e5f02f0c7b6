"""Files that are being written are not read."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.items import found_in
from ingest.steady import Steady
from kb.errors import FileChanging
from kb.types import Document

TEXT = "# Alford\n\nThe weighbridge at Alford weighs 40 tonnes.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "corpus"
    inside.mkdir()
    return inside


def test_a_file_that_changed_just_now_is_not_read(folder: Path) -> None:
    (folder / "a.md").write_text(TEXT)
    (folder / "old.md").write_text(TEXT)
    (folder / "ahead.md").write_text(TEXT)
    os.utime(folder / "old.md", (1, 1))
    os.utime(folder / "ahead.md", (time.time() + 1e6,) * 2)

    items, failed = Steady(60.0).found(found_in([folder]))

    assert failed == []
    read = {}
    for item in items:
        try:
            read[Path(item.name).name] = item.read(10_000).uri
        except FileChanging as error:
            read[Path(item.name).name] = error.code
    assert read == {"a.md": "file_changing", "old.md": "old.md", "ahead.md": "ahead.md"}


def test_a_file_that_changes_while_it_is_read_is_not_taken(folder: Path) -> None:
    path = folder / "a.md"
    path.write_text(TEXT)
    os.utime(path, (1, 1))
    (item,), _ = found_in([folder])

    def reading(max_bytes: int) -> Document:
        document = item.read(max_bytes)
        path.write_text(TEXT + "More.\n")
        return document

    (steady,), _ = Steady(1.0).found(([replace(item, read=reading)], []))

    with pytest.raises(FileChanging, match=r"a\.md"):
        steady.read(10_000)
