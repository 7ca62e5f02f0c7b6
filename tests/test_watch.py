"""Folders that are watched: what is whole goes in, what is being written waits, nothing is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from conftest import ClientOf
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from working import until

from ingest.watch import PATIENCE, Changes, watch
from kb.errors import StoreUnavailable
from kb.wiring import KnowledgeBase

SETTLE = 0.3
TEXT = "# Alford\n\nThe weighbridge at Alford weighs 40 tonnes.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "corpus"
    inside.mkdir()
    return inside


# -- when it is time -----------------------------------------------------------------------------


@dataclass
class Clock:
    at: float = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_change_is_due_once_it_has_been_left_alone(folder: Path) -> None:
    clock, path = Clock(), folder / "a.md"
    changes = Changes(2.0, clock)
    path.write_text("half")
    changes.note([path])
    clock.at += 1.9
    early = changes.due()
    path.write_text("half and the rest")
    clock.at += 0.2
    written_meanwhile = changes.due()
    clock.at += 1.9
    not_yet = changes.due()
    clock.at += 0.2

    assert (early, written_meanwhile, not_yet, changes.due(), changes.due()) == (
        False, False, False, True, False,
    )  # fmt: skip


def test_a_file_that_is_written_without_end_does_not_keep_the_others_out(folder: Path) -> None:
    clock, log, done = Clock(), folder / "log.md", folder / "done.md"
    changes = Changes(1.0, clock)
    done.write_text(TEXT)
    changes.note([done])
    due_at: list[float] = []
    for n in range(3 * PATIENCE):
        log.write_text("x" * n)
        changes.note([log])
        clock.at += 0.5
        if changes.due():
            due_at.append(clock.at)

    assert len(due_at) == 1
    assert due_at[0] - 100 >= PATIENCE


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 5)), max_size=20))
def test_every_change_is_followed_by_a_time_that_is_due(told: list[tuple[str, float]]) -> None:
    clock = Clock()
    changes = Changes(1.0, clock)
    for name, pause in told:
        changes.note([Path("/nowhere") / name])
        clock.at += pause
        changes.due()

    clock.at += 1.0

    changes.due()
    changes.note([])
    assert not changes.due()
    changes.note([Path("/nowhere/a")])
    clock.at += 1.0
    assert changes.due()


# -- the loop, on real files ---------------------------------------------------------------------


@dataclass
class Acts:
    """Counts, and is told what to raise."""

    count: int = 0
    raises: list[Exception] = field(default_factory=list)

    def __call__(self) -> None:
        self.count += 1
        if self.raises:
            raise self.raises.pop()


@contextmanager
def watched(folder: Path, act: Callable[[], None], polling: bool = False) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=([folder], act, SETTLE, stop, polling))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def reaches(acts: Acts, count: int) -> None:
    until(lambda: acts.count, lambda found: found >= count)


@pytest.mark.parametrize("polling", [False, True])
def test_it_acts_at_the_start_and_once_for_changes_that_come_together(
    folder: Path, polling: bool
) -> None:
    acts = Acts()
    with watched(folder, acts, polling):
        reaches(acts, 1)
        for n in range(5):
            (folder / f"{n}.md").write_text(TEXT)
        reaches(acts, 2)
        time.sleep(2 * SETTLE)

        assert acts.count == 2


def test_what_is_hidden_is_not_looked_at(folder: Path) -> None:
    acts = Acts()
    with watched(folder, acts):
        reaches(acts, 1)
        (folder / ".git").mkdir()
        (folder / ".git" / "x.md").write_text(TEXT)
        (folder / ".swp").write_text(TEXT)
        time.sleep(3 * SETTLE)

        assert acts.count == 1


def test_a_folder_that_goes_and_comes_back_is_watched_again(folder: Path) -> None:
    acts = Acts()
    with watched(folder, acts):
        reaches(acts, 1)
        folder.rename(folder.with_name("elsewhere"))
        time.sleep(0.5)
        folder.mkdir()
        (folder / "a.md").write_text(TEXT)
        reaches(acts, 2)
        time.sleep(1.0)
        before = acts.count
        (folder / "b.md").write_text(TEXT)

        reaches(acts, before + 1)


def test_an_error_is_logged_and_watching_goes_on(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    acts = Acts(raises=[StoreUnavailable("the disk is full; free some space")])
    with watched(folder, acts):
        reaches(acts, 1)
        until(lambda: caplog.text, lambda text: "the disk is full" in text)
        (folder / "a.md").write_text(TEXT)

        reaches(acts, 2)


def test_what_failed_is_tried_again_without_another_change() -> None:
    clock = Clock()
    changes = Changes(1.0, clock)
    changes.again_in(30.0)
    early = changes.due()
    clock.at += 30.0

    assert (early, changes.due(), changes.due()) == (False, True, False)


# -- a server that watches its corpus ------------------------------------------------------------


@pytest.fixture
def watching(kb: KnowledgeBase, client_of: ClientOf, folder: Path) -> Callable[[bool], TestClient]:
    def serve(prune: bool = False) -> TestClient:
        with_it = {"watch": True, "watch_prune": prune, "watch_seconds": SETTLE, "corpus": folder}
        return client_of(replace(kb, settings=kb.settings.model_copy(update=with_it)))

    return serve


def uris(client: TestClient) -> set[str]:
    return {one["uri"] for one in client.get("/v1/documents").json()["documents"]}


BEFORE = {"guides/open-weights.md", "api-prices.md"}


def test_a_server_takes_in_what_is_put_into_its_folder_and_removes_nothing(
    watching: Callable[..., TestClient], folder: Path
) -> None:
    (folder / "first.md").write_text(TEXT)
    client = watching()
    until(lambda: uris(client), lambda found: found == {*BEFORE, "first.md"})

    (folder / "renamed.tmp").write_text(TEXT)
    (folder / "renamed.tmp").rename(folder / "second.md")
    (folder / "first.md").unlink()
    until(lambda: uris(client), lambda found: "second.md" in found)

    assert uris(client) == {*BEFORE, "first.md", "second.md"}
    states = {job["state"] for job in client.get("/v1/jobs").json()["jobs"]}
    assert states <= {"finished", "queued", "running"}


def test_a_server_removes_what_has_gone_only_where_it_was_told_to(
    watching: Callable[..., TestClient], folder: Path
) -> None:
    (folder / "first.md").write_text(TEXT)
    (folder / "second.md").write_text(TEXT)
    client = watching(prune=True)
    until(lambda: uris(client), lambda found: found == {"first.md", "second.md"})

    (folder / "first.md").unlink()

    until(lambda: uris(client), lambda found: found == {"second.md"})


def test_half_a_file_never_becomes_current(
    watching: Callable[..., TestClient], folder: Path
) -> None:
    """Written in pieces, while others come and go around it: only its whole text is ever stored."""
    client = watching()
    whole = "".join(f"# Part {n}\n\nThe scale number {n} is old.\n\n" for n in range(12))
    seen: set[int] = set()
    with (folder / "slow.md").open("w") as file:
        for at in range(0, len(whole), 60):
            file.write(whole[at : at + 60])
            file.flush()
            (folder / f"quick{at}.md").write_text(TEXT)
            time.sleep(SETTLE / 3)
            seen |= {o["characters"] for o in _listed(client) if o["uri"] == "slow.md"}
    until(lambda: uris(client), lambda found: "slow.md" in found)

    (characters,) = {o["characters"] for o in _listed(client) if o["uri"] == "slow.md"}
    assert seen <= {characters}
    assert abs(characters - len(whole)) < 5  # but for the line breaks at its end


def _listed(client: TestClient) -> list[dict[str, object]]:
    return list(client.get("/v1/documents").json()["documents"])
