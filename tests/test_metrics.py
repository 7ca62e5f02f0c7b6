"""What Prometheus reads, and whether the server says that it is ready."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ClientOf, MakeKb
from prometheus_client.parser import text_string_to_metric_families
from shelf import first_passage, replaying
from starlette.testclient import TestClient
from talk import QUESTION, STEPS, STREAM

from api.app import create_app
from kb.errors import StoreUnavailable, leaves
from kb.fakes import MemoryPassageStore, WordEmbedder
from kb.fakes_model import ScriptedModel
from kb.wiring import KnowledgeBase

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "deploy" / "grafana" / "weighbridge.json"
Figures = Callable[..., float]


def figures(client: TestClient) -> Figures:
    """A sample by its name, without the prefix, and its labels; 0 where there is none."""
    page = client.get("/metrics")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = [s for f in text_string_to_metric_families(page.text) for s in f.samples]

    def of(name: str, **labels: str) -> float:
        found = [
            s.value
            for s in samples
            if s.name == f"weighbridge_{name}" and labels.items() <= s.labels.items()
        ]
        return sum(found)

    return of


def ask(client: TestClient, question: str = QUESTION) -> Any:
    return client.post("/v1/ask", json={"question": question})


# -- questions -------------------------------------------------------------------------------------


def test_an_answer_is_counted_with_its_stages(client: TestClient) -> None:
    ask(client)

    of = figures(client)

    assert of("questions_total", outcome="answered", reason="") == 1
    assert of("question_seconds_count") == of("first_sentence_seconds_count") == 1
    assert of("citations_total") == 1
    for stage in ("retrieve", "wait", "judge", "write"):
        assert of("stage_seconds_count", stage=stage) == 1
    assert 0 < of("stage_seconds_sum") <= of("question_seconds_sum") + 1e-6


def test_a_refusal_is_counted_with_its_reason(make_kb: MakeKb, client_of: ClientOf) -> None:
    client = client_of(make_kb(ScriptedModel(first_passage, probability=0.0)))
    refusal = ask(client).json()

    of = figures(client)

    assert of("questions_total", outcome="refused", reason=refusal["reason"]) == 1


def test_withheld_sentences_are_counted(make_kb: MakeKb, client_of: ClientOf) -> None:
    client = client_of(make_kb(ScriptedModel(lambda prompt: "It costs $7.77 [1]. Moons sing [1].")))
    withheld = ask(client).json()["withheld"]

    assert withheld
    assert figures(client)("sentences_withheld_total") == withheld


def test_hits_and_misses_of_the_answer_cache_are_counted(client: TestClient) -> None:
    for _ in range(3):
        ask(client)

    of = figures(client)

    assert (of("answer_cache_total", result="hit"), of("answer_cache_total", result="miss")) == (
        2,
        1,
    )


@pytest.mark.parametrize("headers", [STREAM, {}], ids=["stream", "whole"])
def test_a_failure_is_counted_by_its_code(
    kb: KnowledgeBase, client_of: ClientOf, headers: dict[str, str]
) -> None:
    client = client_of(replaying(kb, *STEPS[:2], StoreUnavailable("it is away; look at it")))
    client.post("/v1/ask", json={"question": QUESTION}, headers=headers)

    of = figures(client)

    assert of("questions_total", outcome="failed", reason="store_unavailable") == 1
    assert of("question_seconds_count") == 0


# -- levels ----------------------------------------------------------------------------------------


def test_the_index_is_counted_as_it_changes(kb: KnowledgeBase, client: TestClient) -> None:
    before = figures(client)
    kb.catalog.flip([], remove=["api-prices"])
    after = figures(client)

    assert [before(n) for n in ("corpus_version", "documents", "passages")] == [1, 2, 4]
    assert [after(n) for n in ("corpus_version", "documents", "passages")] == [2, 1, 2]
    assert after("index_up") == after("model_ready") == 1


def test_figures_are_there_while_the_catalog_is_not(kb: KnowledgeBase) -> None:
    state = create_app(kb).state
    for file in kb.settings.index.glob("catalog.sqlite3*"):
        file.write_bytes(b"this is no database" * 500)

    state.levels.refresh()

    assert "weighbridge_index_up 0.0" in state.metrics.page().decode()


def test_jobs_are_counted_by_state(client: TestClient, kb: KnowledgeBase) -> None:
    kb.settings.corpus.mkdir()
    (kb.settings.corpus / "a.md").write_text("# A\n\nThe weighbridge weighs 40 tonnes.\n")
    assert client.post("/v1/ingest", json={}).status_code == 202

    of = figures(client)

    assert of("ingest_jobs") == 1


# -- requests --------------------------------------------------------------------------------------


def test_requests_are_counted_by_the_template_of_their_route(client: TestClient) -> None:
    for path in ("/v1/documents/a", "/v1/documents/b", "/livez", "/no/such/path", "/static/x.js"):
        client.get(path)
    client.request("BREW", "/livez")

    of = figures(client)

    one = "/v1/documents/{document_id}"
    assert of("http_requests_total", route=one, status="404", method="GET") == 2
    assert of("http_requests_total", route="/livez", status="200", method="GET") == 1
    assert of("http_requests_total", route="none", status="404") == 1
    assert of("http_requests_total", route="/static") == 1
    assert of("http_requests_total", method="other", status="405") == 1


def test_an_unexpected_failure_is_counted(kb: KnowledgeBase, client_of: ClientOf) -> None:
    client = client_of(replaying(kb, ZeroDivisionError("a secret detail")))
    ask(client)

    of = figures(client)

    assert of("http_requests_total", route="/v1/ask", status="500") == 1
    assert of("questions_total", outcome="broken") == 1


def test_labels_come_from_small_sets_whatever_is_asked(client: TestClient) -> None:
    before = client.get("/metrics").text.count("\n")
    for number in range(20):
        ask(client, f"What is {number}?")
        client.get(f"/v1/documents/d{number}")
        client.get(f"/anything/{number}")
        client.request(f"M{number}", "/livez")

    page = client.get("/metrics").text

    assert "What is" not in page
    reasons = set(re.findall(r'reason="([^"]*)"', page))
    known = {"", "no_evidence", "not_stated", "off_topic", "unsafe_request"}
    assert reasons <= known | {leaf.code for leaf in leaves()}
    assert page.count("\n") - before < 20 * 20


def test_each_application_counts_for_itself(make_kb: MakeKb, client_of: ClientOf) -> None:
    one, other = client_of(make_kb()), client_of(make_kb())
    ask(one)

    assert figures(one)("question_seconds_count") == 1
    assert figures(other)("question_seconds_count") == 0


# -- the dashboard ---------------------------------------------------------------------------------


def queries() -> Sequence[str]:
    dashboard = json.loads(DASHBOARD.read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


def test_the_dashboard_asks_only_for_figures_that_exist(client: TestClient) -> None:
    ask(client)
    names = set(re.findall(r"^# TYPE (\w+)", client.get("/metrics").text, re.MULTILINE))
    names |= {f"{name}_{part}" for name in names for part in ("bucket", "count", "sum")}

    asked_for = {
        n for query in queries() for n in re.findall(r"\b(?:weighbridge|process)_\w+", query)
    }

    assert asked_for <= names
    shown = {name.removesuffix("_bucket") for name in asked_for}
    assert {
        n
        for n in names
        if n.startswith("weighbridge_") and not re.search(r"_(bucket|count|sum|created)$", n)
    } <= shown


# -- ready -----------------------------------------------------------------------------------------


def reasons(client: TestClient) -> dict[str, str]:
    response = client.get("/readyz")
    body = response.json()
    assert (response.status_code == 503) is bool(body["reasons"])
    return {one["part"]: one["reason"] for one in body["reasons"]}


def test_not_ready_while_the_disk_is_nearly_full(make_kb: MakeKb, client_of: ClientOf) -> None:
    client = client_of(make_kb(disk_mb=10_000_000))

    assert "KB_DISK_MB" in reasons(client)["disk"]


def test_not_ready_where_the_index_was_made_with_another_encoder(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    class Other(WordEmbedder):
        name = "another"

    kb = make_kb()
    client = client_of(replace(kb, embedder=Other()))

    assert "another" in reasons(client)["embedder"]


def test_not_ready_while_vectors_are_lost(make_kb: MakeKb, client_of: ClientOf) -> None:
    store = MemoryPassageStore()
    client = client_of(make_kb(store=store))
    store.remove(list(store.ids()))

    assert "kb doctor --repair" in reasons(client)["index"]
