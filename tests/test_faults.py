"""A change that is killed, or whose disk fails: the old answers or the new, and nothing lost."""

from __future__ import annotations

import random
import shutil
import signal
from pathlib import Path

import doomed
import pytest
from killing import (
    QUESTIONS,
    Scene,
    assert_clean,
    assert_whole,
    differences,
    made,
    one_of_each_kind,
    run,
    said,
)
from stores import opened_on_disk

from kb.doctor import repair
from kb.errors import StoreUnavailable

FEWEST = 20  # kill points outside `exhaustive`


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return made(tmp_path_factory.mktemp("faults"))


def check(scene: Scene, home: Path) -> None:
    """What must hold after a kill; and after the ingest that follows."""
    with opened_on_disk(home) as index:
        assert said(index) in (scene.old, scene.new), "a mix of the old and the new"
        assert_clean(index)

        index.pipeline(keep=doomed.KEEP).run([scene.corpus], prune=True)

        assert index.catalog.current_version() == 3
        assert said(index) == scene.new
        assert said(index, version=2) == scene.old
        assert_clean(index)
        stored = list(index.store.ids())
        assert sorted(stored) == sorted(index.catalog.passage_ids())
        assert set(stored) == {i for i, _ in index.lookup.vectors()}
    assert_whole(home)


def test_every_kind_of_write_is_a_kill_point(scene: Scene) -> None:
    kinds = set(scene.steps)

    assert {"COMMIT", "put", "put done", "remove", "remove done", "the end"} <= kinds
    for table in ("revisions", "passages", "memberships", "versions"):
        assert {f"INSERT INTO {table}", f"DELETE FROM {table}"} & kinds
    assert len(scene.steps) >= 60


def test_ingest_killed_at_any_step_shows_the_old_or_the_new_and_is_finished_later(
    scene: Scene, tmp_path: Path
) -> None:
    chosen = one_of_each_kind(scene.steps)
    assert len(chosen) >= FEWEST
    for step in chosen:
        home = tmp_path / str(step)
        shutil.copytree(scene.home, home)

        assert run(doomed.killed, scene.change, home, step) == -signal.SIGKILL

        check(scene, home)


@pytest.mark.exhaustive
def test_ingest_killed_at_each_step_shows_the_old_or_the_new_and_is_finished_later(
    scene: Scene, tmp_path: Path
) -> None:
    for step in range(len(scene.steps)):
        home = tmp_path / str(step)
        shutil.copytree(scene.home, home)

        assert run(doomed.killed, scene.change, home, step) == -signal.SIGKILL

        check(scene, home)


@pytest.mark.exhaustive
def test_ingest_killed_at_any_moment_shows_the_old_or_the_new_and_is_finished_later(
    scene: Scene, tmp_path: Path
) -> None:
    chance = random.Random(5)
    for n in range(20):
        home = tmp_path / str(n)
        shutil.copytree(scene.home, home)

        run(doomed.killed_after, scene.change, home, chance.uniform(0, 0.15))

        check(scene, home)


@pytest.mark.exhaustive
def test_ingest_killed_again_and_again_is_finished_in_the_end(scene: Scene, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(scene.home, home)

    for step in (3, 9, 11, 14, 20, 2, 25, 30, 5):
        run(doomed.killed, scene.change, home, step)

    check(scene, home)


# -- disks ---------------------------------------------------------------------------------------


def test_disk_that_is_full_is_told_and_the_old_version_goes_on(
    scene: Scene, tmp_path: Path
) -> None:
    largest_file = max(path.stat().st_size for path in scene.home.rglob("*") if path.is_file())
    codes = []
    for room in (0, 16_384, largest_file // 2, largest_file, largest_file + 40_000):
        home = tmp_path / str(room)
        shutil.copytree(scene.home, home)

        codes.append(run(doomed.on_full_disk, scene.change, home, room))

        check(scene, home)
    assert set(codes) <= {0, doomed.REFUSED}
    assert codes.count(doomed.REFUSED) >= 3


def test_vectors_that_were_removed_are_missed_and_made_again_from_the_catalog(
    scene: Scene, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(scene.home, home)
    shutil.rmtree(home / "chroma")

    with opened_on_disk(home) as index:
        found = differences(index)
        assert set(found.missing) == index.catalog.passage_ids()
        assert (found.orphaned, found.duplicated) == ((), ())

        repair(found, index.lookup.vectors(), index.store)

        assert differences(index).healthy
        assert said(index) == scene.old
    check(scene, home)


def test_vectors_that_are_removed_under_a_running_process_are_unavailable(
    scene: Scene, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(scene.home, home)
    with opened_on_disk(home) as index:
        shutil.rmtree(home / "chroma")

        with pytest.raises(StoreUnavailable, match="kb doctor"):
            index.pipeline(keep=doomed.KEEP).run([scene.corpus], prune=True)

        assert index.catalog.current_version() == 2


def test_catalog_that_was_removed_is_never_answered_from_the_vectors_alone(
    scene: Scene, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(scene.home, home)
    (home / "catalog.sqlite3").unlink()

    with opened_on_disk(home) as index:
        assert index.retriever.search(QUESTIONS[0], index.catalog.current_version()).hits == ()
        assert len(differences(index).orphaned) == len(list(index.store.ids())) > 0
