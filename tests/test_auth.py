"""Who gets in: without a key, with one, and from where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pytest
from conftest import ClientOf
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.errors import CODES
from api.scopes import scopes_for
from kb.keys import KeyBook, Scope
from kb.settings import OPEN_WORDS
from kb.wiring import KnowledgeBase

QUESTION = {"question": "What does the Gemini API cost for a million input tokens?"}
NEEDS = {
    "post /v1/ask": "ask", "post /v1/search": "ask", "post /v1/chat/completions": "ask",
    "get /v1/models": "ask", "get /v1/models/{model_id}": "ask", "get /v1/suggestions": "ask",
    "post /v1/feedback": "ask", "get /v1/answers/{answer_id}": "ask",
    "get /v1/conversations/{conversation_id}": "ask",
    "delete /v1/conversations/{conversation_id}": "ask",
    "get /v1/documents": "read", "get /v1/documents/{document_id}": "read",
    "get /v1/documents/{document_id}/revisions/{revision}": "read",
    "get /v1/versions": "read", "get /v1/versions/{before}/diff/{after}": "read",
    "put /v1/documents/{document_id}": "ingest", "delete /v1/documents/{document_id}": "ingest",
    "post /v1/ingest": "ingest", "post /v1/ingest/files": "ingest", "get /v1/jobs": "ingest",
    "get /v1/jobs/{job_id}": "ingest", "get /v1/jobs/{job_id}/events": "ingest",
    "post /v1/jobs/{job_id}/cancel": "ingest",
    "get /v1/about": "ask read ingest",
    "get /livez": None, "get /readyz": None, "post /v1/widget/token": None,
    "post /v1/versions/{number}/rollback": "", "post /v1/migration": "",
    "get /v1/conversations": "", "get /v1/feedback": "",
}  # fmt: skip
HttpHeaders = Mapping[str, str]


@dataclass
class Keyed:
    """A server that asks for keys, and one key for each scope."""

    client: TestClient
    book: KeyBook
    keys: dict[str, str]

    def send(self, operation: str, scope: str | None = None) -> tuple[int, str]:
        """Status and code of a request to this operation, with nothing in it."""
        method, path = operation.split()
        url = path.replace("{before}", "1").replace("{after}", "1").replace("{number}", "99")
        response = self.client.request(
            method, url.replace("{", "").replace("}", ""), headers=self.bearer(scope)
        )
        try:
            told = response.json()
        except ValueError:  # a page
            return response.status_code, ""
        return response.status_code, told.get("error", told).get("code", "")

    def bearer(self, scope: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[scope]}"} if scope else {}


@pytest.fixture
def keyed(kb: KnowledgeBase, client: TestClient) -> Keyed:
    book = KeyBook(kb.database)
    return Keyed(client, book, {scope: book.create(scope, {scope})[1] for scope in Scope})


def elsewhere(kb: KnowledgeBase, **more: object) -> KnowledgeBase:
    """The same, listening beyond this machine."""
    return replace(kb, settings=kb.settings.model_copy(update={"host": "0.0.0.0", **more}))


# -- with keys -----------------------------------------------------------------------------------


def test_every_route_says_what_it_asks_of_a_key(kb: KnowledgeBase) -> None:
    described = create_app(kb).openapi()["paths"]

    for path, methods in described.items():
        for method in methods:
            needed = NEEDS.get(f"{method} {path}", "")
            scopes = scopes_for(method.upper(), path)
            if needed is None:
                assert scopes is None, path
            else:
                assert scopes == {*needed.split(), "admin"}, path


def test_each_key_opens_the_routes_of_its_scope_and_no_other(keyed: Keyed) -> None:
    for operation, needed in NEEDS.items():
        if needed is None:
            assert keyed.send(operation)[1] not in {"key_missing", "scope_missing"}
            continue
        assert keyed.send(operation) == (401, "key_missing")
        for scope in Scope:
            refused = keyed.send(operation, scope) == (403, "scope_missing")
            assert refused is (scope not in {*needed.split(), "admin"}), (operation, scope)


def test_pages_are_for_everyone(keyed: Keyed) -> None:
    for path in ("/", "/docs", "/openapi.json", "/widget.js", "/source/a/b", "/static/page.js"):
        assert keyed.client.get(path).status_code == 200


def test_a_refusal_says_how_to_get_in(keyed: Keyed) -> None:
    without = keyed.client.post("/v1/ask", json=QUESTION)
    wrong = keyed.client.get("/v1/jobs", headers=keyed.bearer("ask"))
    unknown = keyed.client.get("/v1/jobs", headers={"Authorization": "Bearer kb_00_x"})

    assert without.headers["www-authenticate"] == 'Bearer realm="weighbridge"'
    assert 'error="invalid_token"' in unknown.headers["www-authenticate"]
    assert "www-authenticate" not in wrong.headers
    assert "kb keys create" in without.json()["detail"]
    assert "ingest" in wrong.json()["detail"]
    for refused in (without, wrong, unknown):
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["x-request-id"]
        assert refused.headers["x-content-type-options"] == "nosniff"


def test_openai_s_clients_are_refused_in_their_own_shape(keyed: Keyed) -> None:
    refused = keyed.client.get("/v1/models", headers={"Authorization": "Bearer sk-of-another"})

    assert refused.status_code == 401
    assert refused.json()["error"]["type"] == "authentication_error"


def test_a_revoked_key_is_refused_at_once(keyed: Keyed) -> None:
    assert keyed.send("get /v1/documents", "read")[0] == 200

    (reader,) = (key for key in keyed.book.listed() if key.name == "read")
    keyed.book.revoke(reader.id)

    assert keyed.send("get /v1/documents", "read") == (401, "key_invalid")


def test_what_leads_nowhere_is_not_found_whoever_asks(keyed: Keyed) -> None:
    for scope in (None, "ask"):
        assert keyed.send("get /v1/nowhere", scope) == (404, "route_not_found")
        assert keyed.send("get /v1/ask", scope) == (405, "method_not_allowed")


def test_a_stranger_s_body_is_not_read(keyed: Keyed) -> None:
    read = []

    def body() -> Iterator[bytes]:
        for number in range(100):
            read.append(number)
            yield b" " * 10_000

    response = keyed.client.post("/v1/ingest", content=body())

    assert (response.status_code, response.json()["code"]) == (401, "key_missing")


ANY_HEADER = st.binary(max_size=200).map(lambda sent: sent.decode("latin-1"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(sent=ANY_HEADER)
@example("kb_" + "[" * 900)
@example("kb__")
@example("eyJhbGciOiJub25lIn0.eyJvcmlnaW4iOiJ4IiwiZXhwIjo5OTk5OTk5OTk5fQ.")
@example("." * 5000)
@example("W1tb" * 12_000 + ".e30.x")
def test_no_header_of_any_shape_gets_in(keyed: Keyed, sent: str) -> None:
    for header in (sent, f"Bearer {sent}", f"Basic {sent}"):
        response = keyed.client.get(
            "/v1/documents", headers={b"Authorization": header.encode("latin-1")}
        )

        assert response.status_code == 401
        assert response.json()["code"] in {"key_missing", "key_invalid", "token_invalid"}


# -- without keys --------------------------------------------------------------------------------


def test_this_machine_needs_no_key_while_there_is_none(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer sk-whatever"}):
        for path in ("/v1/documents", "/v1/jobs", "/v1/feedback"):
            assert client.get(path, headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9000"},
        {"X-Forwarded-For": "192.0.2.1"},
        {"Forwarded": "for=192.0.2.1"},
    ],
)
def test_what_others_send_through_this_machine_may_only_ask(
    client: TestClient, headers: HttpHeaders
) -> None:
    asked = client.post("/v1/ask", json=QUESTION, headers=headers)
    changed = client.post("/v1/versions/1/rollback", headers=headers)
    listed = client.get("/v1/conversations", headers=headers)

    assert asked.status_code == 200
    assert [r.json()["code"] for r in (changed, listed)] == ["key_missing"] * 2


def test_the_server_s_own_page_may_change_documents(client: TestClient) -> None:
    own = {"Origin": "http://127.0.0.1:8000"}

    assert client.post("/v1/ingest", json={}, headers=own).status_code == 202


def test_beyond_this_machine_a_key_is_needed_even_while_there_is_none(
    kb: KnowledgeBase, client_of: ClientOf
) -> None:
    response = client_of(elsewhere(kb)).post("/v1/ask", json=QUESTION)

    assert (response.status_code, response.json()["code"]) == (401, "key_missing")


def test_a_server_that_is_open_to_everyone_is_open_for_questions_only(
    kb: KnowledgeBase, client_of: ClientOf
) -> None:
    client = client_of(elsewhere(kb, open_to_everyone=OPEN_WORDS))
    _, text = KeyBook(kb.database).create("operator", {Scope.ADMIN})

    assert client.post("/v1/ask", json=QUESTION).status_code == 200
    assert client.get("/v1/documents").status_code == 200
    assert client.post("/v1/ingest", json={}).status_code == 401
    assert client.get("/v1/jobs", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    assert client.get("/v1/documents", headers={"Authorization": "Bearer x"}).status_code == 401


# -- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/v1/search", "/v1/chat/completions"])
def test_too_many_requests_are_refused_with_the_time_to_wait(
    kb: KnowledgeBase, client_of: ClientOf, path: str
) -> None:
    limited = replace(kb, settings=kb.settings.model_copy(update={"rate_per_minute": 2}))
    client = client_of(limited)

    statuses = [client.post(path, json=QUESTION).status_code for _ in range(3)]
    refused = client.post(path, json=QUESTION)

    assert statuses[-1] == 429
    assert 429 not in statuses[:2]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    told = refused.json()
    assert told.get("error", told)["code"] == "too_many_requests"


def test_those_who_guess_keys_are_slowed_down_and_those_who_have_one_are_not(
    kb: KnowledgeBase, client_of: ClientOf
) -> None:
    limited = replace(kb, settings=kb.settings.model_copy(update={"rate_per_minute": 3}))
    client = client_of(limited)
    _, text = KeyBook(kb.database).create("reader", {Scope.READ})

    codes = [
        client.get("/v1/documents", headers={"Authorization": f"Bearer kb_{n}_x"}).json()["code"]
        for n in range(4)
    ]
    holder = client.get("/v1/documents", headers={"Authorization": f"Bearer {text}"})

    assert codes == ["key_invalid"] * 3 + ["too_many_requests"]
    assert holder.status_code == 200


def test_a_day_s_questions_end(kb: KnowledgeBase, client_of: ClientOf) -> None:
    limited = replace(kb, settings=kb.settings.model_copy(update={"daily_quota": 1}))
    client = client_of(limited)

    first, second = (client.post("/v1/search", json=QUESTION) for _ in range(2))

    assert first.status_code == 200
    assert (second.status_code, second.json()["code"]) == (429, "quota_used")
    assert int(second.headers["retry-after"]) > 80_000
    assert client.get("/v1/documents").status_code == 200


def test_every_refusal_of_access_has_a_status() -> None:
    wanted: dict[str, int] = {
        "key_missing": 401, "key_invalid": 401, "token_invalid": 401, "scope_missing": 403,
        "origin_not_allowed": 403, "host_not_trusted": 421, "too_many_requests": 429,
        "quota_used": 429, "body_too_slow": 408,
    }  # fmt: skip

    assert {code: CODES[code] for code in wanted} == wanted
