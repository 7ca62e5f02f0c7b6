"""What the HTTP interface says of the server itself, and what every response carries."""

from __future__ import annotations

import pytest
from conftest import ClientOf, MakeKb
from starlette.testclient import TestClient

from kb.errors import StoreUnavailable
from kb.fakes import MemoryPassageStore
from kb.types import Float32
from kb.wiring import KnowledgeBase

# -- operations ------------------------------------------------------------------------------------


def test_ready_when_every_part_is(client: TestClient) -> None:
    response = client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"status": "ready", "reasons": [], "warnings": []}


@pytest.mark.parametrize("status", ["loading", "failed"])
def test_not_ready_says_what_the_model_waits_for(
    make_kb: MakeKb, client_of: ClientOf, status: str
) -> None:
    words = "the chat model's weights are being fetched: 34 %"
    client = client_of(make_kb(status=(status, words)))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["reasons"] == [{"part": "model", "reason": words}]
    assert client.get("/livez").status_code == 200


class DeadStore(MemoryPassageStore):
    def nearest(self, vector: Float32, count: int) -> list[tuple[str, float]]:
        raise StoreUnavailable("the vector store failed; look at it with: kb doctor")


def test_not_ready_says_which_store_is_dead(make_kb: MakeKb, client_of: ClientOf) -> None:
    client = client_of(make_kb(store=DeadStore()))

    body = client.get("/readyz").json()

    assert body["status"] == "not_ready"
    assert [reason["part"] for reason in body["reasons"]] == ["vector_store"]
    assert "kb doctor" in body["reasons"][0]["reason"]


def test_not_ready_when_the_catalog_is_gone(kb: KnowledgeBase, client: TestClient) -> None:
    for file in (kb.settings.index).glob("catalog.sqlite3*"):
        file.write_bytes(b"this is no database" * 500)

    body = client.get("/readyz").json()

    assert "catalog" in [reason["part"] for reason in body["reasons"]]


def test_an_empty_index_is_a_warning(make_kb: MakeKb, client_of: ClientOf) -> None:
    response = client_of(make_kb(documents=())).get("/readyz")

    assert response.status_code == 200
    assert [warning["part"] for warning in response.json()["warnings"]] == ["index"]


def test_about_counts_and_names_the_parts(client: TestClient) -> None:
    about = client.get("/v1/about").json()

    assert (about["documents"], about["passages"], about["corpus_version"]) == (2, 4, 1)
    assert about["model"]["name"] == "scripted"
    assert about["embedder"]["embedder"] == "word-hash"
    assert about["settings"]["question_chars"] == 2000
    assert not {"home", "corpus", "host", "database_url"} & set(about["settings"])


# -- what every response carries -------------------------------------------------------------------


PATHS = ["/", "/docs", "/static/page.css", "/livez", "/v1/documents", "/nowhere", "/openapi.json"]


@pytest.mark.parametrize("path", PATHS)
def test_every_response_has_an_id_and_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers

    assert len(headers["x-request-id"]) == 32
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("given", "kept"), [("proxy-1.a_B", True), ("two words", False), ("x" * 65, False)]
)
def test_a_request_id_is_kept_when_it_is_harmless(
    client: TestClient, given: str, kept: bool
) -> None:
    answered = client.get("/livez", headers={"X-Request-Id": given}).headers["x-request-id"]

    assert (answered == given) is kept
