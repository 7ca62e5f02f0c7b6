"""Every part of a service of several processes is killed in turn while it is asked: clear errors or
weaker answers, recovery without a restart of the others, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres import PostgresServer
from topology import DOCUMENTS, PROXY, Asker, Topology, asking, eventually, running

from kb.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.model]

REFUSED = (503, "store_unavailable")
NOBODY = (503, "server_unavailable")


@pytest.fixture(scope="module")
def topology(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> Iterator[Topology]:
    if PROXY is None:
        pytest.skip("no proxy is installed here; Debian's package is `haproxy`")
    weights = load_settings().weights
    if not any((weights / "smollm2-135m").glob("*.gguf")):
        pytest.skip("SmolLM2's weights are not under KB_HOME; `kb models pull smollm2-135m`")
    with running(tmp_path_factory.mktemp("topology"), weights, postgres_server) as started:
        yield started


def whole(topology: Topology) -> None:
    """Every replica is ready, holds every document, and answers with the quote; the proxy hands
    questions on to both."""
    for replica in topology.replicas:
        eventually(replica.ready, f"{replica.name} is ready")
        assert set(DOCUMENTS) <= set(replica.documents())
        answer = replica.ask().raise_for_status().json()
        assert "7 dollars" in "".join(one["quote"] for one in answer["citations"])
    eventually(lambda: topology.proxy.replicas() == {"one", "two"}, "the proxy has both")


def nothing_lost(topology: Topology, askers: list[Asker]) -> None:
    """What was answered can be read again, from whichever replica."""
    for asker in askers:
        assert asker.answers
        assert asker.odd == []
        for number, answer_id in enumerate(asker.answers):
            assert topology.replicas[number % 2].has_answer(answer_id)


def test_replicas_answer_alike_and_see_each_others_documents(
    topology: Topology, tmp_path: Path
) -> None:
    whole(topology)
    hits = [replica.search().raise_for_status().json() for replica in topology.replicas]
    assert hits[0]["hits"] == hits[1]["hits"]

    (tmp_path / "more.md").write_text("# More\n\nMistral Large costs 2 dollars.\n")
    topology.ingest(tmp_path)

    for replica in topology.replicas:
        assert replica.documents() == sorted([*DOCUMENTS, "more.md"])


@pytest.mark.parametrize("part", ["catalog", "vector_store", "model"])
def test_part_that_goes_away_is_named_and_used_again_when_it_is_back(
    topology: Topology, part: str
) -> None:
    with asking(topology.proxy, topology.proxy) as askers:
        topology.stop(part)
        for replica in topology.replicas:
            eventually(lambda replica=replica: part in replica.reasons(), f"{part} is named")
        if part == "catalog":
            for asker in askers:
                eventually(lambda asker=asker: REFUSED in asker.seen, "a question is refused")
        else:
            answer = topology.proxy.ask().raise_for_status().json()
            found = topology.proxy.search().raise_for_status().json()
            # what the search alone is sure of, or was answered before, needs no model
            assert answer["outcome"] in ("answered", "quoted")
            assert "7 dollars" in "".join(one["quote"] for one in answer["citations"])
            assert found["hits"]
        topology.start(part)

        whole(topology)

    refused = {REFUSED} if part == "catalog" else set()
    for asker in askers:
        assert {said for said in asker.seen if said[0] != 200} == refused
    nothing_lost(topology, askers)


def test_killed_replica_leaves_the_other_one_serving(topology: Topology) -> None:
    one, two = topology.replicas
    with asking(topology.proxy, topology.proxy, two) as askers:
        one.kill()
        eventually(lambda: topology.proxy.replicas() == {"two"}, "the proxy goes round it")
        assert topology.proxy.ask().status_code == 200
        one.start()

        whole(topology)

    for asker in askers:
        # 503: its question was with the one that was killed
        assert asker.statuses <= {200, 503}
        assert {said for status, said in asker.seen if status == 503} <= {"server_unavailable"}
    assert askers[2].statuses == {200}
    nothing_lost(topology, askers)


def test_without_any_replica_the_proxy_says_so_until_one_is_back(topology: Topology) -> None:
    with asking(topology.proxy) as askers:
        for replica in topology.replicas:
            replica.kill()
        eventually(lambda: NOBODY in askers[0].seen, "the proxy says so")
        for replica in topology.replicas:
            replica.start()

        whole(topology)

    assert askers[0].statuses == {200, 503}
    nothing_lost(topology, askers)


def test_the_proxy_hands_on_streams_and_whose_they_are(topology: Topology) -> None:
    figures = topology.proxy.get("/metrics")
    told = topology.proxy.get("/v1/jobs", {"X-Forwarded-For": "127.0.0.1"})
    events = topology.proxy.stream()

    assert (figures.status_code, figures.json()["code"]) == (404, "route_not_found")
    # what comes through a proxy is no program of this machine, whatever it says of itself
    assert told.status_code == 401
    assert events[-2:] == ["answer", "done"]
    assert "evidence" in events
