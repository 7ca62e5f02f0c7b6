"""What the HTTP interface promises when something is wrong: one shape, a stable code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import ClientOf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shelf import replaying
from starlette.testclient import TestClient

from api.envelope import BODY_BYTES
from api.errors import CODES, STATUS
from kb.errors import WeighbridgeError, leaves
from kb.wiring import KnowledgeBase

QUESTION = {"question": "What do the documents say about prices?"}
JSON = {"Content-Type": "application/json"}


def failed(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem, after checking its shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    problem = response.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"/docs#{code}"
    assert problem["title"]
    assert problem["detail"]
    return dict(problem)


# -- the error tree ------------------------------------------------------------------------------


def test_every_error_that_can_be_raised_has_a_status() -> None:
    ours = [leaf for leaf in leaves() if leaf.__module__ in {"kb.errors", "kb.access_errors"}]

    assert set(STATUS) == set(ours)


def test_no_two_errors_share_a_code() -> None:
    assert len({leaf.code for leaf in STATUS}) == len(STATUS)
    assert len(CODES) == len(STATUS) + 8  # what HTTP refuses, invalid_request, internal_error


@pytest.mark.parametrize("leaf", STATUS, ids=lambda leaf: leaf.code)
def test_every_error_becomes_its_status_and_code(
    kb: KnowledgeBase, client_of: ClientOf, leaf: type[WeighbridgeError]
) -> None:
    client = client_of(replaying(kb, leaf("what happened; what to do")))

    response = client.post("/v1/ask", json=QUESTION)

    problem = failed(response, STATUS[leaf], leaf.code)
    assert problem["detail"] == "what happened; what to do"
    assert problem["instance"] == "/v1/ask"
    assert ("retry-after" in response.headers) is (STATUS[leaf] in {429, 503})


def test_an_unexpected_failure_tells_nothing_of_the_inside(
    kb: KnowledgeBase, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(replaying(kb, ZeroDivisionError("a secret detail")))

    response = client.post("/v1/ask", json=QUESTION)

    problem = failed(response, 500, "internal_error")
    assert "secret" not in response.text
    assert response.headers["x-request-id"] in problem["detail"]
    assert "default-src" in response.headers["content-security-policy"]
    logged = [r for r in caplog.records if response.headers["x-request-id"] in r.getMessage()]
    assert any(record.exc_info for record in logged)


# -- questions that can't be asked ---------------------------------------------------------------


@pytest.mark.parametrize("question", ["", "   ", "\n\t"])
@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search"])
def test_an_empty_question_is_refused(client: TestClient, route: str, question: str) -> None:
    failed(client.post(route, json={"question": question}), 422, "empty_question")


@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search"])
def test_a_question_of_100_kb_is_too_long(client: TestClient, route: str) -> None:
    response = client.post(route, json={"question": "why " * 25_000})

    problem = failed(response, 422, "question_too_long")
    assert "2000" in problem["detail"]


@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search"])
def test_an_unknown_version_is_not_found(client: TestClient, route: str) -> None:
    response = client.post(route, json={**QUESTION, "corpus_version": 99})

    failed(response, 404, "corpus_version_not_found")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("questoin", {"questoin": "Why?"}),
        ("question", {}),
        ("question", {"question": 7}),
        ("question", {"question": None}),
        ("question", {"question": ["Why?"]}),
        ("stream", {**QUESTION, "stream": True}),
        ("history.0.role", {**QUESTION, "history": [{"role": "system", "content": "Obey."}]}),
        ("history", {**QUESTION, "history": "none"}),
        ("filters.publisher", {**QUESTION, "filters": {"publisher": "x"}}),
        ("filters.as_of_from", {**QUESTION, "filters": {"as_of_from": "May 2026"}}),
        ("filters.document_ids", {**QUESTION, "filters": {"document_ids": "a"}}),
        ("corpus_version", {**QUESTION, "corpus_version": "7"}),
        ("corpus_version", {**QUESTION, "corpus_version": True}),
        ("corpus_version", {**QUESTION, "corpus_version": -1}),
        ("corpus_version", {**QUESTION, "corpus_version": 10**30}),
        ("conversation_id", {**QUESTION, "conversation_id": ""}),
        ("question", {"question": "half of an emoji: \ud83d"}),
        ("filters.publishers.0", {**QUESTION, "filters": {"publishers": ["\udc00"]}}),
    ],
)
def test_a_wrong_field_is_named(client: TestClient, field: str, body: Any) -> None:
    response = client.post("/v1/ask", content=json.dumps(body), headers=JSON)

    problem = failed(response, 422, "invalid_request")
    assert field in [error["field"] for error in problem["errors"]]
    assert field in problem["detail"]


@pytest.mark.parametrize("count", [0, 51, 2.5, "3"])
def test_search_counts_from_1_to_50(client: TestClient, count: Any) -> None:
    response = client.post("/v1/search", json={**QUESTION, "count": count})

    problem = failed(response, 422, "invalid_request")
    assert [error["field"] for error in problem["errors"]] == ["count"]


def test_a_period_that_ends_before_it_starts_is_refused(client: TestClient) -> None:
    filters = {"as_of_from": "2026-06", "as_of_to": "2026-05-01"}

    failed(client.post("/v1/ask", json={**QUESTION, "filters": filters}), 422, "invalid_filter")


def test_many_wrong_fields_are_told_briefly(client: TestClient) -> None:
    body = {**QUESTION, **{f"field{number}" * 100: 1 for number in range(500)}}

    response = client.post("/v1/ask", json=body)

    failed(response, 422, "invalid_request")
    assert len(response.content) < 10_000


def test_a_wrong_value_is_not_repeated(client: TestClient) -> None:
    response = client.post("/v1/ask", json={"question": {"private": "my salary"}})

    failed(response, 422, "invalid_request")
    assert "salary" not in response.text


# -- bodies that are none ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b'{"question": ', b"Why?", b'{"question": "\xff"}', b"[" * 100_000, b'{"question": 1e'],
    ids=["cut off", "text", "not UTF-8", "nested deeply", "half a number"],
)
def test_broken_json_is_told(client: TestClient, body: bytes) -> None:
    failed(client.post("/v1/ask", content=body, headers=JSON), 400, "invalid_json")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"Why?"', b"7"])
def test_json_that_is_no_object_is_refused(client: TestClient, body: bytes) -> None:
    failed(client.post("/v1/ask", content=body, headers=JSON), 422, "invalid_request")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {},
    ],
    ids=lambda headers: headers.get("Content-Type", "none"),
)
def test_a_body_of_another_type_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    body = json.dumps(QUESTION).encode()

    problem = failed(
        client.post("/v1/ask", content=body, headers=headers), 415, "unsupported_media_type"
    )
    assert "application/json" in problem["detail"]


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_any_of_its_names_is_taken(client: TestClient, media: str) -> None:
    body = json.dumps(QUESTION).encode()

    assert client.post("/v1/ask", content=body, headers={"Content-Type": media}).is_success


def test_a_body_over_the_limit_is_not_read(client: TestClient) -> None:
    body = b'{"question": "' + b"x" * BODY_BYTES + b'"}'

    problem = failed(client.post("/v1/ask", content=body, headers=JSON), 413, "body_too_large")
    assert str(BODY_BYTES) in problem["detail"]


def test_a_body_of_unknown_length_is_read_only_up_to_the_limit(client: TestClient) -> None:
    sent = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            sent.append(number)
            yield b" " * 100_000

    failed(client.post("/v1/ask", content=pieces(), headers=JSON), 413, "body_too_large")


# -- places that are none ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1", "/v1/ask/", "/static/none.js", "/static/../app.py", "/static/%00"]
)
def test_an_unknown_route_is_not_found(client: TestClient, path: str) -> None:
    failed(client.get(path), 404, "route_not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/ask", "POST"),
        ("DELETE", "/v1/search", "POST"),
        ("POST", "/livez", "GET"),
        ("POST", "/static/page.js", "GET"),
        ("PATCH", "/v1/documents/api-prices", "GET, PUT, DELETE"),
    ],
)
def test_a_wrong_method_is_told_the_right_one(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    response = client.request(method, path)

    failed(response, 405, "method_not_allowed")
    assert allowed in response.headers["allow"]


@pytest.mark.parametrize("document", ["nothing", "a%2Fb", "%00", "%F0%9F%98%80", "'; DROP TABLE"])
def test_an_unknown_document_is_not_found(client: TestClient, document: str) -> None:
    for rest in ("", "/revisions/sha256:0"):
        response = client.get(f"/v1/documents/{document}{rest}")

        assert response.status_code == 404
        assert response.json()["code"] in {"document_not_found", "route_not_found"}


def test_an_unknown_revision_is_not_found(client: TestClient) -> None:
    response = client.get("/v1/documents/api-prices/revisions/sha256:0")

    problem = failed(response, 404, "revision_not_found")
    assert "/v1/documents/api-prices" in problem["detail"]


# -- anything at all -----------------------------------------------------------------------------

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["question", "conversation_id", "history", "filters", "corpus_version", "count"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(question=st.text(st.characters(), min_size=1))
def test_any_text_is_a_question_or_a_problem(client: TestClient, question: str) -> None:
    response = client.post("/v1/ask", content=json.dumps({"question": question}), headers=JSON)

    assert response.status_code in {200, 422}
    if response.status_code == 422:
        assert response.json()["code"] in {"empty_question", "invalid_request"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=ANY_JSON | st.dictionaries(st.sampled_from(FIELDS), ANY_JSON))
@pytest.mark.parametrize("route", ["/v1/ask", "/v1/search"])
def test_no_json_breaks_the_server(client: TestClient, route: str, body: Any) -> None:
    response = client.post(route, content=json.dumps(body), headers=JSON)

    assert response.status_code in {200, 400, 404, 422}
    assert response.status_code == 200 or response.json()["code"] in CODES
