"""Vectors on a Chroma server that is slow, goes away, or comes back with other data."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from stores import ChromaServer, chroma_server

from kb.adapters.chroma import ChromaStore
from kb.breaker import FAILURES
from kb.errors import StoreUnavailable

AXES = np.eye(8, dtype=np.float32)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServer]:
    try:
        with chroma_server(tmp_path / "data") as running:
            yield running
    except OSError as error:
        pytest.skip(f"`chroma run` doesn't start here: {error}")


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of something that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_server_that_goes_and_comes_back_is_used_again(
    server: ChromaServer, tmp_path: Path
) -> None:
    with closing(server.open("passages")) as store:
        store.put(["a", "b"], AXES[:2])
        server.stop()

        for attempt in (lambda: store.nearest(AXES[0], 1), lambda: store.put(["c"], AXES[2:3])):
            with pytest.raises(StoreUnavailable, match="kb doctor"):
                attempt()

        server.start(tmp_path / "data")

        assert [i for i, _ in store.nearest(AXES[0], 2)] == ["a", "b"]
        store.put(["c"], AXES[2:3])
        assert sorted(store.ids()) == ["a", "b", "c"]


def test_server_that_comes_back_empty_is_not_taken_for_an_empty_index(
    server: ChromaServer, tmp_path: Path
) -> None:
    with closing(server.open("passages")) as store:
        store.put(["a"], AXES[:1])
        server.stop()
        server.start(tmp_path / "other data")

        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="kb doctor --repair"):
                store.nearest(AXES[0], 1)

        with closing(server.open("passages")) as repaired:  # as `kb doctor --repair` does
            repaired.put(["a"], AXES[:1])
        with pytest.raises(StoreUnavailable):  # it looks the collection up, for the next
            store.nearest(AXES[0], 1)
        assert [i for i, _ in store.nearest(AXES[0], 1)] == ["a"]


def test_server_that_never_answers_is_given_up(silent: str) -> None:
    began = time.monotonic()

    with pytest.raises(StoreUnavailable, match="timed out"):
        ChromaStore.server(silent, 0.5)

    assert time.monotonic() - began < 10


def test_server_that_stops_answering_is_given_up(server: ChromaServer) -> None:
    with closing(ChromaStore.server(server.url, 2.0)) as store:
        store.put(["a"], AXES[:1])
        with server.paused(), pytest.raises(StoreUnavailable, match="timed out"):
            store.nearest(AXES[0], 1)

        assert [i for i, _ in store.nearest(AXES[0], 1)] == ["a"]


def test_server_that_hangs_is_not_waited_for_by_every_search(server: ChromaServer) -> None:
    with closing(ChromaStore.server(server.url, 1.0)) as store:
        store.put(["a"], AXES[:1])
        with server.paused():
            for _ in range(FAILURES):
                with pytest.raises(StoreUnavailable, match="timed out"):
                    store.nearest(AXES[0], 1)
            began = time.monotonic()
            with pytest.raises(StoreUnavailable, match="tried again in"):
                store.nearest(AXES[0], 1)
            took = time.monotonic() - began

    assert took < 0.5
