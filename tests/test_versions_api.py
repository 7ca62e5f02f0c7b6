"""Earlier versions, and single documents put in and deleted, over HTTP."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
from conftest import ClientOf, MakeKb
from shelf import PRICES, WEIGHTS, publish
from starlette.testclient import TestClient

from kb.events import Ask
from kb.wiring import KnowledgeBase

LOCAL = {"Host": "127.0.0.1:8000"}
DEARER = replace(PRICES, text=PRICES.text.replace("$2.00", "$7.00"))
PRICE = "What does the Gemini API cost for a million input tokens?"
TEXT = "# Handbook\n\nThe weighbridge at Alford weighs 40 tonnes.\n"


def asked(client: TestClient, question: str, version: int | None = None) -> dict[str, Any]:
    body = {"question": question} | ({} if version is None else {"corpus_version": version})
    response = client.post("/v1/ask", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def put(client: TestClient, id: str, **body: Any) -> Any:
    return client.put(f"/v1/documents/{id}", json=body, headers=LOCAL)


def deleted(client: TestClient, id: str) -> dict[str, Any]:
    response = client.delete(f"/v1/documents/{id}", headers=LOCAL)
    assert response.status_code == 200, response.text
    return dict(response.json())


# -- versions ------------------------------------------------------------------------------------


def test_question_is_answered_as_of_a_version_that_is_kept(
    kb: KnowledgeBase, client: TestClient
) -> None:
    publish(kb, [DEARER])

    before, current = asked(client, PRICE, version=1), asked(client, PRICE)

    assert (before["corpus_version"], current["corpus_version"]) == (1, 2)
    assert {c["revision"] for c in before["citations"]} == {PRICES.revision}
    assert {c["revision"] for c in current["citations"]} == {DEARER.revision}
    assert "$2.00" in before["text"]
    assert "$7.00" in current["text"]


def test_versions_are_listed_and_compared(kb: KnowledgeBase, client: TestClient) -> None:
    new = replace(WEIGHTS, id="new")
    publish(kb, [DEARER, new], remove=["open-weights"])

    listed = client.get("/v1/versions").json()
    changes = client.get("/v1/versions/1/diff/2").json()["changes"]

    assert listed["current"] == 2
    assert [(v["number"], v["documents"]) for v in listed["versions"]] == [(1, 2), (2, 2)]
    assert all(v["passages"] > 2 for v in listed["versions"])
    assert changes == [
        {"document_id": "api-prices", "before": PRICES.revision, "after": DEARER.revision},
        {"document_id": "new", "before": None, "after": new.revision},
        {"document_id": "open-weights", "before": WEIGHTS.revision, "after": None},
    ]


def test_rollback_makes_a_new_version_with_the_old_content(
    kb: KnowledgeBase, client: TestClient
) -> None:
    publish(kb, [DEARER], remove=["open-weights"])

    response = client.post("/v1/versions/1/rollback", headers=LOCAL)

    assert response.json() == {"corpus_version": 3}
    assert client.get("/v1/versions/1/diff/3").json()["changes"] == []
    assert "$2.00" in asked(client, PRICE)["text"]
    assert "$7.00" in asked(client, PRICE, version=2)["text"]


@pytest.mark.parametrize("path", ["/v1/versions/9/rollback", "/v1/versions/9/diff/1"])
def test_version_that_is_not_kept_is_refused_with_those_that_are(
    kb: KnowledgeBase, client: TestClient, path: str
) -> None:
    method = "POST" if path.endswith("rollback") else "GET"

    response = client.request(method, path, headers=LOCAL)

    assert response.status_code == 404
    assert response.json()["code"] == "corpus_version_not_found"
    assert "those that are: 1" in response.json()["detail"]
    assert kb.catalog.current_version() == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/documents/a.md"),
        ("DELETE", "/v1/documents/api-prices"),
        ("POST", "/v1/versions/1/rollback"),
    ],
)
def test_a_page_of_another_site_can_not_change_the_corpus(
    kb: KnowledgeBase, client: TestClient, method: str, path: str
) -> None:
    body = {"content": TEXT} if method == "PUT" else None

    response = client.request(method, path, json=body, headers={"Host": "attacker.example"})

    assert response.status_code in {401, 403, 421}
    assert kb.catalog.current_version() == 1


# -- putting in ----------------------------------------------------------------------------------


def test_document_that_is_put_is_found_at_once_and_replaced_by_the_next(
    client: TestClient,
) -> None:
    first = put(client, "handbook.md", content=TEXT)
    again = put(client, "handbook.md", content=TEXT)
    second = put(client, "handbook.md", content=TEXT.replace("40", "60"), uri="guides/handbook.md")

    assert [r.status_code for r in (first, again, second)] == [201, 200, 200]
    told = [r.json() for r in (first, again, second)]
    assert [one["outcome"] for one in told] == ["added", "unchanged", "replaced"]
    assert [one["corpus_version"] for one in told] == [2, 2, 3]
    hit = client.post("/v1/search", json={"question": "weighbridge at Alford"}).json()["hits"][0]
    assert (hit["document_id"], hit["uri"]) == ("handbook.md", "guides/handbook.md")
    assert "60 tonnes" in hit["text"]


def test_content_may_be_bytes_of_a_named_type(client: TestClient) -> None:
    page = b"<html><title>T</title><body><p>The weighbridge weighs 40 tonnes.</p></body></html>"
    encoded = base64.b64encode(page).decode()

    response = put(client, "page", content_base64=encoded, media_type="text/html; charset=utf-8")

    assert response.status_code == 201
    revision = response.json()["revision"]
    stored = client.get(f"/v1/documents/page/revisions/{revision}").json()
    assert stored["text"] == "The weighbridge weighs 40 tonnes."
    assert stored["uri"] == "page.html"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"content": " "}, 422, "file_empty"),
        ({"content": "x", "media_type": "image/png"}, 415, "format_unsupported"),
        ({"content": "x", "uri": "../x.md"}, 422, "path_not_allowed"),
        ({"content_base64": base64.b64encode(b"%PDF-1.7\0").decode()}, 415, "file_is_binary"),
        ({"content": "x" * 1_100_000}, 413, "file_too_large"),
        ({"content": "x", "content_base64": "eA=="}, 422, "invalid_request"),
        ({}, 422, "invalid_request"),
    ],
)
def test_what_can_not_become_a_document_is_refused_and_changes_nothing(
    make_kb: MakeKb, client_of: ClientOf, body: dict[str, str], status: int, code: str
) -> None:
    kb = make_kb()
    small = replace(kb, settings=kb.settings.model_copy(update={"file_mb": 1}))

    response = put(client_of(small), "a.md", **body)

    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert kb.catalog.current_version() == 1


def test_body_far_over_the_limit_is_not_read(make_kb: MakeKb, client_of: ClientOf) -> None:
    kb = make_kb()
    small = replace(kb, settings=kb.settings.model_copy(update={"file_mb": 1}))

    response = put(client_of(small), "a.md", content="x" * 3_000_000)

    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("id", [".hidden", "a b", "~up", "é"])
def test_ids_that_are_no_plain_part_of_an_address_are_refused(client: TestClient, id: str) -> None:
    response = put(client, id, content=TEXT)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


# -- deleting ------------------------------------------------------------------------------------


def test_deleted_document_is_gone_from_every_interface_and_every_version(
    kb: KnowledgeBase, client: TestClient
) -> None:
    publish(kb, [DEARER])
    stored = asked(client, PRICE)
    assert stored["citations"]

    receipt = deleted(client, "api-prices")

    assert receipt["removed"] == {
        "revisions": 2, "passages": 4, "vectors": 4, "lexical_rows": 4, "answers": 1,
        "cached": 1,
    }  # fmt: skip
    assert set(receipt["left"].values()) == {0}
    assert receipt["detail"].startswith("gone from every corpus version")
    assert receipt["corpus_version"] == 3
    for version in (None, 1, 2, 3):
        answer = asked(client, PRICE, version)
        quoted = [*answer["citations"], *answer["nearest"]]
        assert "api-prices" not in {one["document_id"] for one in quoted}
        body = {"question": PRICE, "corpus_version": version}
        hits = client.post("/v1/search", json=body).json()["hits"]
        assert "api-prices" not in {one["document_id"] for one in hits}
    for path in ("", f"/revisions/{PRICES.revision}", f"/revisions/{DEARER.revision}"):
        assert client.get(f"/v1/documents/api-prices{path}").status_code == 404
    assert "api-prices" not in client.get("/v1/documents").text
    assert client.get(f"/v1/answers/{stored['id']}").status_code == 404


def test_rollback_does_not_bring_a_deleted_document_back(
    kb: KnowledgeBase, client: TestClient
) -> None:
    publish(kb, [replace(WEIGHTS, text="# Open weights\n\nThey changed.\n")])
    deleted(client, "api-prices")

    version = client.post("/v1/versions/1/rollback", headers=LOCAL).json()["corpus_version"]

    assert set(kb.catalog.live_revisions(version)) == {"open-weights"}
    assert kb.catalog.live_revisions(version)["open-weights"] == WEIGHTS.revision


def test_deleting_what_is_not_there_is_told(kb: KnowledgeBase, client: TestClient) -> None:
    response = client.delete("/v1/documents/unknown", headers=LOCAL)

    assert (response.status_code, response.json()["code"]) == (404, "document_not_found")
    assert kb.catalog.current_version() == 1


def test_answer_that_was_being_written_while_its_source_was_deleted_is_not_stored(
    kb: KnowledgeBase,
) -> None:
    answer = kb.ask(Ask(PRICE))
    assert answer.citations
    kb.upkeep.delete("api-prices")

    kb.journal.record(replace(answer, id="written-meanwhile"))

    assert kb.journal.cited_revisions() == set()


def test_stream_that_was_read_before_a_deletion_is_not_read_on_after_it(
    client: TestClient,
) -> None:
    asking = {"headers": {"Accept": "text/event-stream"}, "json": {"question": PRICE}}
    whole = client.post("/v1/ask", **asking).text
    first = next(line for line in whole.splitlines() if line.startswith("id:"))
    assert "$2.00" in whole
    asking["headers"] |= {"Last-Event-ID": first.partition(":")[2].strip()}
    assert "$2.00" in client.post("/v1/ask", **asking).text
    deleted(client, "api-prices")

    again = client.post("/v1/ask", **asking).text

    assert "event: done" in again
    assert "$2.00" not in again


# -- differences between revisions ---------------------------------------------------------------


def test_old_revision_names_the_newer_one_and_what_it_changed(
    kb: KnowledgeBase, client: TestClient
) -> None:
    publish(kb, [DEARER])
    path = f"/v1/documents/api-prices/revisions/{PRICES.revision}"

    plain, told = client.get(path).json(), client.get(path, params={"diff": True}).json()

    assert plain["newer_revision"] == told["newer_revision"] == DEARER.revision
    assert plain["diff"] is None
    lines = told["diff"].splitlines()
    assert [line for line in lines if line.startswith("-")][1:] == [
        "-Proprietary vendors bill every token. The Gemini API costs $2.00 for a million input "
        "tokens."
    ]
    assert any("$7.00" in line for line in lines if line.startswith("+"))
    newest = client.get(f"/v1/documents/api-prices/revisions/{DEARER.revision}?diff=true").json()
    assert (newest["newer_revision"], newest["diff"]) == (None, None)
