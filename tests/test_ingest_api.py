"""Documents over HTTP: read by the server, or sent to it."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ClientOf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from ingest.items import checked_uri
from kb.errors import PathNotAllowed
from kb.wiring import KnowledgeBase

LOCAL = {"Host": "127.0.0.1:8000"}
LINES = {**LOCAL, "Content-Type": "application/x-ndjson"}
GOOD = b"# Alford\n\nThe weighbridge at Alford weighs 40 tonnes.\n"
SECONDS = 10.0


@pytest.fixture
def corpus(kb: KnowledgeBase) -> Path:
    """The configured folder, with two documents in it."""
    folder = kb.settings.corpus
    (folder / "guides").mkdir(parents=True)
    (folder / "alford.md").write_bytes(GOOD)
    (folder / "guides" / "tuning.md").write_text("# Tuning\n\nTuning takes 3 GPUs.\n")
    return folder


def line(uri: str, data: bytes = GOOD) -> dict[str, Any]:
    return {"uri": uri, "content_base64": base64.b64encode(data).decode()}


def body_of(lines: Sequence[Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in lines)


def ended(client: TestClient, accepted: Any) -> dict[str, Any]:
    """The job that was accepted, once it has ended."""
    assert accepted.status_code == 202, accepted.text
    assert accepted.headers["location"] == f"/v1/jobs/{accepted.json()['job']['id']}"
    last = time.monotonic() + SECONDS
    while True:
        job = client.get(accepted.headers["location"]).json()
        if job["state"] in {"finished", "failed"}:
            return dict(job)
        assert time.monotonic() < last, job
        time.sleep(0.005)


def ingested(client: TestClient, **body: Any) -> dict[str, Any]:
    job = ended(client, client.post("/v1/ingest", json=body, headers=LOCAL))
    assert job["state"] == "finished", job
    return dict(job["report"])


def sent(client: TestClient, *lines: Any, **params: Any) -> dict[str, Any]:
    response = client.post("/v1/ingest/files", content=body_of(lines), headers=LINES, params=params)
    job = ended(client, response)
    assert job["state"] == "finished", job
    return dict(job["report"])


def ids(client: TestClient) -> set[str]:
    return {one["document_id"] for one in client.get("/v1/documents").json()["documents"]}


# -- the corpus folder ---------------------------------------------------------------------------


def test_the_corpus_folder_is_read_and_can_be_asked_about(client: TestClient, corpus: Path) -> None:
    report = ingested(client)

    assert report["add"] == ["alford.md", "guides~tuning.md"]
    assert report["version"] == 2
    assert report["passages"] == report["embedded"] > 0
    assert {"alford.md", "guides~tuning.md"} < ids(client)
    kept = client.get("/v1/documents/alford.md").json()["revision"]
    stored = client.get(f"/v1/documents/alford.md/revisions/{kept}").json()
    assert "40 tonnes" in stored["text"]


def test_a_path_keeps_its_place_under_the_corpus_folder(client: TestClient, corpus: Path) -> None:
    assert ingested(client, paths=["guides"])["add"] == ["guides~tuning.md"]
    assert ingested(client, paths=["guides/tuning.md"])["keep"] == ["guides~tuning.md"]


def test_second_ingest_embeds_nothing(client: TestClient, corpus: Path) -> None:
    ingested(client)

    report = ingested(client)

    assert (len(report["keep"]), report["embedded"], report["version"]) == (2, 0, 2)


def test_dry_run_changes_nothing(client: TestClient, corpus: Path) -> None:
    before = ids(client)

    report = ingested(client, dry_run=True, prune=True)

    assert report["remove"] == sorted(before)
    assert report["add"]
    assert ids(client) == before


def test_prune_removes_what_is_not_there(client: TestClient, corpus: Path) -> None:
    report = ingested(client, prune=True)

    assert report["remove"] == ["api-prices", "open-weights"]
    assert ids(client) == {"alford.md", "guides~tuning.md"}


def test_an_unreadable_file_is_reported_and_nothing_pruned(
    client: TestClient, corpus: Path
) -> None:
    (corpus / "bad.md").write_bytes(b"%PDF-1.7\x00")

    report = ingested(client, prune=True)

    assert [failed["code"] for failed in report["failed"]] == ["file_is_binary"]
    assert (len(report["add"]), report["remove"]) == (2, [])


@pytest.mark.parametrize(
    "path",
    ["..", "../secret.md", "/etc/hostname", "guides/../../secret.md", "", ".", "a\0.md", "x" * 300],
)
def test_a_path_out_of_the_corpus_folder_is_refused(
    client: TestClient, corpus: Path, path: str
) -> None:
    (corpus.parent / "secret.md").write_bytes(GOOD)

    response = client.post("/v1/ingest", json={"paths": [path]}, headers=LOCAL)

    assert (response.status_code, response.json()["code"]) == (422, "path_not_allowed")


def test_a_link_out_of_the_corpus_folder_is_not_followed(client: TestClient, corpus: Path) -> None:
    outside = corpus.parent / "outside"
    outside.mkdir()
    (outside / "secret.md").write_bytes(GOOD)
    os.symlink(outside, corpus / "link")
    os.symlink(outside / "secret.md", corpus / "link.md")

    named = [
        client.post("/v1/ingest", json={"paths": [path]}, headers=LOCAL)
        for path in ("link", "link.md", "link/secret.md")
    ]
    report = ingested(client)

    assert {response.json()["code"] for response in named} == {"path_not_allowed"}
    assert not [
        document for document in report["add"] if "secret" in document or "link" in document
    ]
    assert len(report["failed"]) == 2


@given(uri=st.lists(st.sampled_from(["..", ".", "", "a", "b.md"]), min_size=1).map("/".join))
def test_a_checked_uri_never_leaves_its_folder(uri: str) -> None:
    try:
        checked = checked_uri(uri)
    except PathNotAllowed:
        return
    assert os.path.normpath(f"/corpus/{checked}") == f"/corpus/{checked}"


# -- documents that are sent ---------------------------------------------------------------------


def test_sent_documents_become_current_together(client: TestClient) -> None:
    report = sent(client, line("far/alford.md"), line("b.txt", b"The scale at Bath is old."))

    assert report["add"] == ["b.txt", "far~alford.md"]
    assert report["version"] == 2
    assert client.get("/v1/documents/far~alford.md").json()["uri"] == "far/alford.md"


def test_prune_compares_with_everything_that_was_sent(client: TestClient) -> None:
    first = sent(client, line("a.md"), line("b.md"), prune=True)
    second = sent(client, line("a.md"), prune=True, dry_run=True)

    assert first["remove"] == ["api-prices", "open-weights"]
    assert (second["keep"], second["remove"]) == (["a.md"], ["b.md"])
    assert ids(client) == {"a.md", "b.md"}


def test_what_the_sender_could_not_read_is_reported_and_nothing_pruned(client: TestClient) -> None:
    failed = {"code": "file_missing", "message": "c.md: can't be opened"}

    report = sent(client, line("a.md"), {"uri": "c.md", "failed": failed}, prune=True)

    assert report["failed"] == [{"path": "c.md", **failed}]
    assert report["remove"] == []


def test_nothing_that_was_sent_stays_on_the_disk(client: TestClient, kb: KnowledgeBase) -> None:
    sent(client, line("a.md"))
    client.post("/v1/ingest/files", content=b"no JSON\n", headers=LINES)

    assert list(kb.settings.uploads.glob("*/")) == []


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([line("../a.md")], "path_not_allowed"),
        ([line("/a.md")], "path_not_allowed"),
        ([line("a.md"), line("a.md")], "path_not_allowed"),
        ([{"uri": "a.md"}], "invalid_request"),
        ([{"uri": "a.md", "content_base64": "no base64!"}], "invalid_request"),
        ([{**line("a.md"), "failed": {"code": "x", "message": "y"}}], "invalid_request"),
        ([{**line("a.md"), "title": "x"}], "invalid_request"),
        ([[]], "invalid_request"),
        ([{**line("a\ud800.md")}], "invalid_request"),
    ],
)
def test_a_wrong_line_is_refused_and_changes_nothing(
    client: TestClient, lines: list[Any], code: str
) -> None:
    before = ids(client)

    response = client.post(
        "/v1/ingest/files", content=body_of([line("good.md"), *lines]), headers=LINES
    )

    assert (response.status_code, response.json()["code"]) == (422, code)
    assert ids(client) == before


def test_a_wrong_line_is_named(client: TestClient) -> None:
    body = body_of([line("a.md"), {"uri": 7, "content_base64": ""}])

    problem = client.post("/v1/ingest/files", content=body, headers=LINES).json()

    assert [error["field"] for error in problem["errors"]] == ["line 2.uri"]


def test_a_file_over_the_limit_is_refused(kb: KnowledgeBase, client_of: ClientOf) -> None:
    small = replace(kb, settings=kb.settings.model_copy(update={"file_mb": 1}))
    client = client_of(small)

    report = sent(client, line("a.md", b"x" * 1_000_001))
    longer = client.post(
        "/v1/ingest/files", content=body_of([line("a.md", b"x" * 1_100_000)]), headers=LINES
    )

    assert [failed["code"] for failed in report["failed"]] == ["file_too_large"]
    assert (longer.status_code, longer.json()["code"]) == (413, "body_too_large")


def test_lines_are_put_together_however_they_arrive(client: TestClient) -> None:
    body = body_of([line("a.md"), line("b.md")]).rstrip()

    pieces = (body[at : at + 7] for at in range(0, len(body), 7))
    response = client.post("/v1/ingest/files", content=pieces, headers=LINES)

    report = ended(client, response)["report"]
    assert report["add"] == ["a.md", "b.md"]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(["uri", "content_base64", "failed", "paths", "prune", "dry_run"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(body=ANY_JSON | st.dictionaries(FIELDS, ANY_JSON))
def test_no_json_breaks_the_server(client: TestClient, body: Any) -> None:
    for path, headers in (("/v1/ingest", LOCAL), ("/v1/ingest/files", LINES)):
        more = {"Content-Type": "application/json"} | headers

        response = client.post(path, content=json.dumps(body), headers=more)

        assert response.status_code in {202, 400, 422, 503}, response.text


# -- who may -------------------------------------------------------------------------------------

ROUTES = [
    ("/v1/ingest", b"{}", "application/json"),
    ("/v1/ingest/files", b"", LINES["Content-Type"]),
]


@pytest.mark.parametrize(("path", "body", "kind"), ROUTES)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "kb.example"])
def test_a_server_that_others_reach_takes_no_documents_without_a_key(
    kb: KnowledgeBase, client_of: ClientOf, path: str, body: bytes, kind: str, host: str
) -> None:
    open_to_others = replace(kb, settings=kb.settings.model_copy(update={"host": host}))

    response = client_of(open_to_others).post(
        path, content=body, headers={**LOCAL, "Content-Type": kind}
    )

    assert (response.status_code, response.json()["code"]) == (401, "key_missing")
    assert "kb keys create" in response.json()["detail"]


@pytest.mark.parametrize(("path", "body", "kind"), ROUTES)
@pytest.mark.parametrize(
    ("called", "status"),
    [
        ("127.0.0.1:8000", 202), ("localhost:8000", 202), ("[::1]:8000", 202), ("localhost", 202),
        ("rebound.example:8000", 421), ("127.0.0.1.example", 421), ("192.0.2.7", 421), ("", 421),
    ],
)  # fmt: skip
def test_the_server_is_called_by_a_name_of_this_machine(
    client: TestClient, path: str, body: bytes, kind: str, called: str, status: int
) -> None:
    response = client.post(path, content=body, headers={"Host": called, "Content-Type": kind})

    assert response.status_code == status


@pytest.mark.parametrize("path", ["/v1/ingest", "/v1/ingest/files"])
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_types_that_a_web_page_may_send_unasked_are_refused(
    client: TestClient, path: str, kind: str
) -> None:
    response = client.post(path, content=b"{}", headers={**LOCAL, "Content-Type": kind})

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_an_unknown_job_is_not_found(client: TestClient) -> None:
    response = client.get("/v1/jobs/nothing")

    assert (response.status_code, response.json()["code"]) == (404, "job_not_found")
