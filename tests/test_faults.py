"""An ingest that is killed, or whose disk fails: the old answers or the new, and nothing lost."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import doomed
import pytest
from stores import Index, opened_on_disk

from kb.doctor import Comparison, compare, repair
from kb.errors import StoreUnavailable

QUESTIONS = (
    "what does the blue model cost",
    "licence of the green model",
    "who trained the red one",
)
FEWEST = 20  # kill points outside `slow`

# A server that has the heavy imports behind it and forks: a start is then milliseconds.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["chromadb", "sqlalchemy", "trafilatura", "httpx", "ftfy"])


def text(colour: str, price: int, sections: int = 3) -> str:
    return f"# The {colour} model\n\n" + "\n\n".join(
        f"## Part {n}\n\nThe {colour} model number {n} costs {price + n} cents for a million "
        f"tokens. Its licence allows everything but part {n}. A lab in town {n} trained it on "
        f"{colour} texts of the year {2000 + n}."
        for n in range(sections)
    )


@dataclass(frozen=True)
class Scene:
    """An index with two versions, a folder for the third, and what it says before and after."""

    home: Path
    corpus: Path
    old: object
    new: object
    steps: list[str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    root = tmp_path_factory.mktemp("faults")
    home, corpus, finished = root / "home", root / "corpus", root / "finished"
    home.mkdir()
    corpus.mkdir()
    for price in (10, 20):
        for colour in ("blue", "green", "red"):
            (corpus / f"{colour}.md").write_text(text(colour, price))
        (corpus / "steady.md").write_text(text("steady", 5))
        with opened_on_disk(home) as index:
            index.pipeline(keep=doomed.KEEP).run([corpus])
            old = said(index)
    (corpus / "red.md").unlink()
    (corpus / "green.md").write_text(text("green", 30))
    (corpus / "blue.md").write_text(text("blue", 20, sections=4))
    for colour in ("amber", "black", "mauve", "white"):
        (corpus / f"{colour}.md").write_text(text(colour, 70))
    shutil.copytree(home, finished)
    steps = doomed.steps_of(finished, corpus)
    with opened_on_disk(finished) as index:
        new = said(index)
    assert old != new
    return Scene(home, corpus, old, new, steps)


def said(index: Index, version: int | None = None) -> object:
    """All that a reader of that version, or of the current one, can see."""
    pinned = version or index.catalog.current_version()
    return (
        [one.source for one in index.catalog.documents(pinned)],
        [
            [(hit.stored.text, hit.stored.source, round(hit.score, 5)) for hit in found.hits]
            for found in (index.retriever.search(q, pinned, count=100) for q in QUESTIONS)
        ],
    )


def run(work: Callable[..., None], *given: object) -> int | None:
    """The exit code of a process that does the work."""
    process = _processes.Process(target=work, args=given)
    process.start()
    process.join(60)
    return process.exitcode


def check(scene: Scene, home: Path) -> None:
    """What must hold after a kill; and after the ingest that follows."""
    with opened_on_disk(home) as index:
        assert said(index) in (scene.old, scene.new), "a mix of the old and the new"
        assert differences(index).healthy

        index.pipeline(keep=doomed.KEEP).run([scene.corpus], prune=True)

        assert index.catalog.current_version() == 3
        assert said(index) == scene.new
        assert said(index, version=2) == scene.old
        assert differences(index).healthy
        stored = list(index.store.ids())
        assert sorted(stored) == sorted(index.catalog.passage_ids())
        assert set(stored) == {i for i, _ in index.lookup.vectors()}
    with sqlite3.connect(home / "catalog.sqlite3") as raw:
        raw.execute("INSERT INTO passages_text(passages_text) VALUES ('integrity-check')")
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


def differences(index: Index) -> Comparison:
    needed = (i for i, _ in index.lookup.vectors())
    return compare(needed, index.catalog.passage_ids(), index.store.ids())


def one_of_each_kind(steps: list[str]) -> list[int]:
    """Where each step first follows the one before it, and the very last: fewer, but every
    sequence of writes is cut at every place."""
    first: dict[tuple[str, str], int] = {}
    for number, pair in enumerate(zip(["the start", *steps], steps, strict=False)):
        first.setdefault(pair, number)
    return sorted({*first.values(), len(steps) - 1})


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

        assert run(doomed.ingest, home, scene.corpus, step) == -signal.SIGKILL

        check(scene, home)


@pytest.mark.slow
def test_ingest_killed_at_each_step_shows_the_old_or_the_new_and_is_finished_later(
    scene: Scene, tmp_path: Path
) -> None:
    for step in range(len(scene.steps)):
        home = tmp_path / str(step)
        shutil.copytree(scene.home, home)

        assert run(doomed.ingest, home, scene.corpus, step) == -signal.SIGKILL

        check(scene, home)


@pytest.mark.slow
def test_ingest_killed_at_any_moment_shows_the_old_or_the_new_and_is_finished_later(
    scene: Scene, tmp_path: Path
) -> None:
    chance = random.Random(5)
    for n in range(20):
        home = tmp_path / str(n)
        shutil.copytree(scene.home, home)

        run(doomed.ingest_for, home, scene.corpus, chance.uniform(0, 0.15))

        check(scene, home)


@pytest.mark.slow
def test_ingest_killed_again_and_again_is_finished_in_the_end(scene: Scene, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(scene.home, home)

    for step in (3, 9, 11, 14, 20, 2, 25, 30, 5):
        run(doomed.ingest, home, scene.corpus, step)

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

        codes.append(run(doomed.ingest_on_full_disk, home, scene.corpus, room))

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
