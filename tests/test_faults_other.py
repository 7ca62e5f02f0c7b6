"""Deleting and going back, killed at any step; and stores that fail while they are in use."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import doomed
import pytest
from killing import Scene, assert_clean, assert_whole, made, one_of_each_kind, run, said
from stores import Index, opened_on_disk

from kb.database import Database
from kb.errors import DocumentNotFound, StoreUnavailable
from kb.ownership import owned

DELETED = "steady.md"
DELETING = partial(doomed.deleting, DELETED)
GOING_BACK = partial(doomed.rolling_back, 1)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return made(tmp_path_factory.mktemp("faults"))


def steps(change: doomed.Change, scene: Scene, folder: Path) -> list[str]:
    home = folder / "finished"
    shutil.copytree(scene.home, home)
    return doomed.steps_of(change, home)


def killed(change: doomed.Change, scene: Scene, home: Path, step: int) -> None:
    shutil.copytree(scene.home, home)
    assert run(doomed.killed, change, home, step) == -signal.SIGKILL


def ids(index: Index, version: int) -> set[str]:
    return {one.source.document_id for one in index.catalog.documents(version)}


# -- kills ---------------------------------------------------------------------------------------


def check_deletion(scene: Scene, home: Path) -> None:
    """What must hold at the next start; and after the deletion is asked for again."""
    with opened_on_disk(home) as index:
        kept = [one.number for one in index.catalog.versions()]
        gone = DELETED not in ids(index, kept[-1])
        assert gone or said(index) == scene.old

        index.upkeep(keep=doomed.KEEP).mend()

        assert {DELETED in ids(index, number) for number in kept} == {not gone}
        assert_clean(index)
        if not gone:
            assert index.upkeep(keep=doomed.KEEP).delete(DELETED).left.nothing
        with pytest.raises(DocumentNotFound):
            index.catalog.known(DELETED)
        assert ids(index, 2) == {"blue.md", "green.md", "red.md"}
        assert "steady model" not in str(said(index, 2))
        assert_clean(index)
        assert set(index.store.ids()) == index.catalog.passage_ids()
    assert_whole(home)


def check_going_back(scene: Scene, home: Path, before: object) -> None:
    """before: what version 1 says."""
    with opened_on_disk(home) as index:
        version = index.catalog.current_version()
        assert said(index) == (scene.old if version == 2 else before), "a mix"
        assert_clean(index)
        if version == 2:
            index.upkeep(keep=doomed.KEEP).roll_back(1)
        index.upkeep(keep=doomed.KEEP).sweep()

        assert said(index) == before
        assert said(index, version=2) == scene.old
        assert_clean(index)
        assert set(index.store.ids()) == index.catalog.passage_ids()
    assert_whole(home)


@pytest.fixture(scope="module")
def version_1(scene: Scene) -> object:
    with opened_on_disk(scene.home) as index:
        return said(index, version=1)


def test_deletion_killed_at_some_step_is_as_if_never_begun_or_finished_at_the_next_start(
    scene: Scene, tmp_path: Path
) -> None:
    for step in one_of_each_kind(steps(DELETING, scene, tmp_path))[::3]:
        killed(DELETING, scene, tmp_path / str(step), step)

        check_deletion(scene, tmp_path / str(step))


def test_going_back_killed_at_some_step_shows_the_one_or_the_other(
    scene: Scene, tmp_path: Path, version_1: object
) -> None:
    for step in one_of_each_kind(steps(GOING_BACK, scene, tmp_path))[::3]:
        killed(GOING_BACK, scene, tmp_path / str(step), step)

        check_going_back(scene, tmp_path / str(step), version_1)


@pytest.mark.exhaustive
def test_every_kind_of_step_of_deleting_and_going_back_can_be_the_last(
    scene: Scene, tmp_path: Path, version_1: object
) -> None:
    for step in one_of_each_kind(steps(DELETING, scene, tmp_path / "delete")):
        killed(DELETING, scene, tmp_path / f"delete{step}", step)
        check_deletion(scene, tmp_path / f"delete{step}")
    for step in one_of_each_kind(steps(GOING_BACK, scene, tmp_path / "back")):
        killed(GOING_BACK, scene, tmp_path / f"back{step}", step)
        check_going_back(scene, tmp_path / f"back{step}", version_1)


# -- stores that fail ----------------------------------------------------------------------------


@pytest.fixture
def home(scene: Scene, tmp_path: Path) -> Path:
    shutil.copytree(scene.home, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def small_disk(scene: Scene, tmp_path: Path) -> Iterator[Path]:
    """A file system with the index on it, and next to no room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    needed = sum(p.stat().st_size for p in scene.home.rglob("*") if p.is_file())
    size = f"size={(needed + 600_000) // 1024}k"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only who may mount can make a small disk")
    try:
        shutil.copytree(scene.home, folder / "home")
        yield folder / "home"
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_disk_that_fills_up_is_told_and_what_there_is_is_served_on(
    scene: Scene, small_disk: Path
) -> None:
    (small_disk / "ballast").write_bytes(b"x" * 300_000)
    with opened_on_disk(small_disk) as index:
        with pytest.raises(StoreUnavailable, match="full"):
            doomed.ingesting(scene.corpus, index)

        assert said(index) == scene.old
        (small_disk / "ballast").unlink()
        assert index.upkeep(keep=doomed.KEEP).mend() is not None
        assert said(index) == scene.old


def test_catalog_that_is_locked_is_told_and_what_there_is_is_served_on(
    scene: Scene, home: Path
) -> None:
    other = sqlite3.connect(home / "catalog.sqlite3")
    with opened_on_disk(home) as index:
        other.execute("BEGIN EXCLUSIVE")

        for change in (DELETING, GOING_BACK, partial(doomed.ingesting, scene.corpus)):
            with pytest.raises(StoreUnavailable, match="locked"):
                change(index)
        assert said(index) == scene.old

        other.rollback()
        other.close()
        assert_clean(index)
        doomed.ingesting(scene.corpus, index)
        assert said(index) == scene.new


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_is_read_only_is_told(home: Path) -> None:
    home.chmod(0o500)
    try:
        with pytest.raises(StoreUnavailable, match="permissions"), owned(home / "index"):
            pass
    finally:
        home.chmod(0o700)


def test_index_on_a_read_only_file_system_is_told(scene: Scene, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk.parent)], check=True)
    try:
        with pytest.raises(StoreUnavailable, match="permissions"), owned(small_disk / "index"):
            pass
        with pytest.raises(StoreUnavailable, match="permissions"):
            Database(f"sqlite:///{small_disk}/other/catalog.sqlite3")
        with pytest.raises(StoreUnavailable, match="catalog"):
            Database(f"sqlite:///{small_disk}/catalog.sqlite3")
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk.parent)], check=True)


def test_vectors_that_were_removed_are_back_after_a_start(scene: Scene, home: Path) -> None:
    shutil.rmtree(home / "chroma")

    with opened_on_disk(home) as index:
        found = index.upkeep(keep=doomed.KEEP).mend()

        assert set(found.missing) == index.catalog.passage_ids()
        assert said(index) == scene.old
        assert_clean(index)
