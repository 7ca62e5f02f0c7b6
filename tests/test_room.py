"""What was removed gives its room back to the disk, and nobody notices."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from stores import document, opened

from kb.adapters.chroma import ChromaStore
from kb.types import Float32


def unit(count: int, seed: int) -> Float32:
    vectors = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def test_vector_store_gives_room_back_and_finds_the_same(tmp_path: Path) -> None:
    store = ChromaStore.embedded(tmp_path / "chroma")
    kept = {f"{n:032d}": vector for n, vector in enumerate(unit(200, seed=1))}
    store.put(list(kept), np.stack(list(kept.values())))
    for turn in range(4):
        ids = [f"{turn}-{n:030d}" for n in range(1200)]
        store.put(ids, unit(len(ids), seed=turn + 2))
        store.remove(ids)
    question = unit(1, seed=9)[0]
    before, grown = store.nearest(question, 5), size(tmp_path)

    assert store.tidy(lambda: iter(kept.items()))

    assert size(tmp_path) < grown / 2
    assert set(store.ids()) == set(kept)
    assert [i for i, _ in store.nearest(question, 5)] == [i for i, _ in before]
    assert not store.tidy(lambda: iter(kept.items()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chroma"]
    store.close()


def test_catalog_gives_room_back(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'catalog.sqlite3'}") as index:
        index.publish(document("long", *(f"line {n} {'x' * 400}" for n in range(800))))
        index.catalog.tidy()
        grown = size(tmp_path)

        index.upkeep().delete("long")

        assert size(tmp_path) < grown - 800 * 400


def test_readers_go_on_while_the_vector_store_is_made_anew(tmp_path: Path) -> None:
    store = ChromaStore.embedded(tmp_path / "chroma")
    kept = {f"{n:032d}": vector for n, vector in enumerate(unit(50, seed=1))}
    store.put(list(kept), np.stack(list(kept.values())))
    ids = [f"x{n:031d}" for n in range(2500)]
    store.put(ids, unit(len(ids), seed=2))
    store.remove(ids)
    wrong: list[object] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            found = [i for i, _ in store.nearest(kept[f"{7:032d}"], 1)]
            if found != [f"{7:032d}"]:
                wrong.append(found)

    reader = threading.Thread(target=read)
    reader.start()
    assert store.tidy(lambda: iter(kept.items()))
    done.set()
    reader.join()

    assert not wrong
    store.close()


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
