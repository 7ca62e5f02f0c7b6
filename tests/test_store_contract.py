"""What every passage store promises: in memory, embedded Chroma, and a Chroma server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from stores import ChromaServer, chroma_server

from kb.adapters.chroma import ChromaStore
from kb.errors import IndexMismatch, StoreUnavailable
from kb.fakes import MemoryPassageStore
from kb.ports import PassageStore

Open = Callable[[], PassageStore]

DIMENSION = 8
KINDS = ("memory", "chroma-embedded", "chroma-server")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    try:
        with chroma_server(tmp_path_factory.mktemp("server")) as running:
            yield running
    except OSError as error:
        pytest.skip(f"`chroma run` doesn't start here: {error}")


@pytest.fixture(params=KINDS)
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the same store each time it is called."""
    if request.param == "memory":
        yield MemoryPassageStore
        return
    opened: list[ChromaStore] = []
    if request.param == "chroma-server":
        connect = partial(request.getfixturevalue("server").open, f"c{uuid4().hex}")
    else:
        connect = partial(ChromaStore.embedded, tmp_path / "chroma")

    def open_() -> ChromaStore:
        opened.append(connect())
        return opened[-1]

    yield open_
    for store in opened:
        with suppress(StoreUnavailable):  # closed already
            store.close()


@pytest.fixture
def store(open_store: Open) -> PassageStore:
    return open_store()


def units(count: int, seed: int = 1) -> np.ndarray:
    """(count, DIMENSION) random unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def axis(number: int) -> np.ndarray:
    return np.eye(DIMENSION, dtype=np.float32)[number]


def test_nearest_come_best_first_with_their_cosine(store) -> None:
    vectors = units(120)
    ids = [f"p{i}" for i in range(120)]
    store.put(ids, vectors)
    question = units(1, seed=2)[0]

    found = store.nearest(question, 20)

    cosines = dict(zip(ids, (vectors @ question).tolist(), strict=True))
    assert [i for i, _ in found] == sorted(ids, key=lambda i: -cosines[i])[:20]
    assert [s for _, s in found] == pytest.approx([cosines[i] for i, _ in found], abs=1e-5)


def test_vectors_need_not_be_of_unit_length(store) -> None:
    store.put(["long", "short"], np.stack([axis(0) * 9, axis(1) * 0.1]))

    [(first, cosine), _] = store.nearest(axis(0) * 0.2, 2)

    assert first == "long"
    assert cosine == pytest.approx(1, abs=1e-5)


def test_equally_near_come_by_id_whenever_they_were_put(store) -> None:
    store.put(["b", "d"], np.stack([axis(0), axis(0)]))
    store.put(["c", "a"], np.stack([axis(0), axis(0)]))

    assert [i for i, _ in store.nearest(axis(0), 4)] == ["a", "b", "c", "d"]


def test_put_overwrites_what_has_the_same_id(store) -> None:
    store.put(["a", "b"], np.stack([axis(0), axis(1)]))

    store.put(["a"], axis(2)[np.newaxis])

    assert sorted(store.ids()) == ["a", "b"]
    assert store.nearest(axis(2), 1)[0][0] == "a"
    assert dict(store.nearest(axis(0), 2))["a"] == pytest.approx(0, abs=1e-5)


def test_writing_the_same_again_changes_nothing(store) -> None:
    ids, vectors = [f"p{i}" for i in range(10)], units(10)
    store.put(ids, vectors)
    before = store.nearest(axis(0), 10)

    store.put(ids, vectors)

    assert store.nearest(axis(0), 10) == before
    assert sorted(store.ids()) == sorted(ids)


def test_fewer_than_asked_for_come_where_the_store_holds_fewer(store) -> None:
    store.put(["a", "b"], units(2))

    assert len(store.nearest(axis(0), 60)) == 2


def test_empty_store_is_near_to_nothing_and_has_no_ids(store) -> None:
    assert store.nearest(axis(0), 5) == []
    assert list(store.ids()) == []


def test_putting_and_removing_nothing_is_harmless(store) -> None:
    store.put([], np.empty((0, DIMENSION), np.float32))
    store.remove([])

    assert list(store.ids()) == []


def test_removed_are_gone_and_unknown_ids_are_ignored(store) -> None:
    store.put(["a", "b", "c"], units(3))

    store.remove(["b", "never there", "a"])
    store.remove(["a"])

    assert list(store.ids()) == ["c"]
    assert [i for i, _ in store.nearest(axis(0), 3)] == ["c"]


def test_removed_can_be_put_again(store) -> None:
    store.put(["a", "b"], units(2))
    store.remove(["a"])

    store.put(["a"], axis(3)[np.newaxis])

    assert store.nearest(axis(3), 1) == [("a", pytest.approx(1, abs=1e-5))]


@pytest.mark.parametrize("length", [DIMENSION - 1, DIMENSION + 1])
def test_vector_of_another_length_is_refused_and_nothing_is_written(store, length: int) -> None:
    store.put(["a"], units(1))

    with pytest.raises(IndexMismatch):
        store.put(["b"], np.ones((1, length), np.float32))
    with pytest.raises(IndexMismatch):
        store.nearest(np.ones(length, np.float32), 1)

    assert list(store.ids()) == ["a"]


def test_ids_are_complete_over_pages(store) -> None:
    ids = [f"p{i:05}" for i in range(10_100)]  # Chroma takes and gives about 5,000 at once
    store.put(ids, units(len(ids)))

    assert sorted(store.ids()) == ids
    store.remove(ids[50:])
    assert sorted(store.ids()) == ids[:50]


def test_reopened_store_holds_what_was_put(open_store: Open, request) -> None:
    if "memory" in request.node.name:
        pytest.skip("a dictionary ends with its process")
    first = open_store()
    first.put(["a", "b", "c"], units(3))
    first.remove(["b"])
    first.close()

    again = open_store()

    assert sorted(again.ids()) == ["a", "c"]
    assert again.nearest(units(3)[2], 1) == [("c", pytest.approx(1, abs=1e-5))]


# -- what can go wrong with Chroma alone ---------------------------------------------------------


def test_server_that_is_not_there_is_named_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="kb doctor"):
        ChromaStore.server("http://127.0.0.1:1", 5.0)


def test_server_that_ends_while_it_is_in_use_is_unavailable(tmp_path: Path) -> None:
    try:
        with chroma_server(tmp_path) as running:
            store = running.open("passages")
            store.put(["a"], units(1))
    except OSError as error:
        pytest.skip(f"`chroma run` doesn't start here: {error}")

    with pytest.raises(StoreUnavailable):
        store.nearest(axis(0), 1)
    with pytest.raises(StoreUnavailable):
        store.put(["b"], units(1))
    with pytest.raises(StoreUnavailable):
        list(store.ids())


def test_folder_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreUnavailable):
        ChromaStore.embedded(tmp_path / "file" / "chroma")


def test_folder_that_holds_something_else_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_text("no database " * 1000)

    with pytest.raises(StoreUnavailable):
        ChromaStore.embedded(tmp_path)
