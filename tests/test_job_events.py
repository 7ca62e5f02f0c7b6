"""A job's event stream, over real connections, and the other ways to follow or end it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from conftest import ClientOf
from serving import serving
from starlette.testclient import TestClient
from working import until

from api.app import create_app
from kb.fakes import WordEmbedder
from kb.types import Encoding
from kb.wiring import KnowledgeBase

LOCAL = {"Host": "127.0.0.1:8000"}
LINES = {**LOCAL, "Content-Type": "application/x-ndjson"}
SECONDS = 10.0


class Gated(WordEmbedder):
    """Embeds passages once it is let, a call at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.gate = threading.Event(), threading.Semaphore(0)

    def embed_passages(self, texts: Any) -> list[Encoding]:
        self.begun.set()
        assert self.gate.acquire(timeout=SECONDS)
        return super().embed_passages(texts)


@dataclass
class Served:
    """A server on a real port, whose ingests wait at `embedder`."""

    url: str
    embedder: Gated
    kb: KnowledgeBase

    def post(self, path: str, **what: Any) -> httpx.Response:
        return httpx.post(self.url + path, trust_env=False, **what)

    def get(self, path: str) -> Any:
        return httpx.get(self.url + path, trust_env=False).json()

    def sent(self, *uris: str, key: str | None = None, text: str = "The scale is old.") -> Any:
        headers = {"Content-Type": "application/x-ndjson"}
        headers |= {"Idempotency-Key": key} if key else {}
        return self.post("/v1/ingest/files", content=lines(*uris, text=text), headers=headers)

    def events(self, job_id: str, last: str = "") -> Iterator[dict[str, str]]:
        """Each as its fields, until the server ends the stream."""
        url, headers = f"{self.url}/v1/jobs/{job_id}/events", {"Last-Event-ID": last}
        timeout = httpx.Timeout(SECONDS)
        with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=timeout) as got:
            assert got.status_code == 200
            assert got.headers["content-type"].startswith("text/event-stream")
            fields: dict[str, str] = {}
            for line in got.iter_lines():
                name, _, value = line.partition(": ")
                if not line and fields:
                    yield fields
                    fields = {}
                elif name:
                    fields[name] = value


def lines(*uris: str, text: str = "The scale is old.") -> bytes:
    content = base64.b64encode(text.encode()).decode()
    return b"".join(
        json.dumps({"uri": uri, "content_base64": content}).encode() + b"\n" for uri in uris
    )


@pytest.fixture
def served(kb: KnowledgeBase) -> Iterator[Served]:
    gated = Gated()
    slow = replace(kb, embedder=gated)
    with serving(create_app(slow)) as port:
        yield Served(f"http://127.0.0.1:{port}", gated, slow)
        gated.gate.release(100)


def test_the_stream_shows_each_state_and_ends_with_the_last_one_and_done(served: Served) -> None:
    job_id = served.sent("a.md", "b.md").json()["job"]["id"]
    events = served.events(job_id)
    seen = [next(events)]
    assert served.embedder.begun.wait(SECONDS)
    served.embedder.gate.release()

    seen += events

    *jobs, done = seen
    assert (done["event"], done["data"]) == ("done", "{}")
    assert {event["event"] for event in jobs} == {"job"}
    states = [json.loads(event["data"])["state"] for event in jobs]
    assert states == sorted(states, key=["queued", "running", "finished"].index)
    assert json.loads(jobs[-1]["data"]) == served.get(f"/v1/jobs/{job_id}")
    progress = json.loads(jobs[-1]["data"])["progress"]
    assert (progress["what"], progress["done"], progress["passages"]) == ("embedding", 2, 2)
    assert progress["seconds_left"] == 0


def test_what_a_client_has_seen_is_not_sent_again(served: Served) -> None:
    served.embedder.gate.release()
    job_id = served.sent("a.md").json()["job"]["id"]
    *_, last, done = served.events(job_id)

    after_last = list(served.events(job_id, last["id"]))
    after_an_old_one = list(served.events(job_id, "an-older-one"))
    url, seen = f"{served.url}/v1/jobs/{job_id}/events", {"Last-Event-ID": done["id"]}
    after_done = httpx.get(url, headers=seen, trust_env=False)

    assert after_last == [done]
    assert after_an_old_one == [last, done]
    assert after_done.status_code == 204


def test_a_client_that_leaves_leaves_nothing_behind(served: Served) -> None:
    job_id = served.sent("a.md").json()["job"]["id"]
    assert served.embedder.begun.wait(SECONDS)
    before = threading.active_count()

    for _ in range(5):
        next(served.events(job_id))
    served.embedder.gate.release()

    ended = until(lambda: served.get(f"/v1/jobs/{job_id}"), lambda job: job["state"] == "finished")
    assert ended["report"]["add"] == ["a.md"]
    until(threading.active_count, lambda count: count <= before + 5)  # idle workers, all told


def test_the_stream_of_an_unknown_job_is_not_found(client: TestClient) -> None:
    response = client.get("/v1/jobs/nothing/events")

    assert (response.status_code, response.json()["code"]) == (404, "job_not_found")


# -- cancelling ----------------------------------------------------------------------------------


def test_a_cancelled_ingest_leaves_nothing_current(served: Served) -> None:
    job_id = served.sent("a.md").json()["job"]["id"]
    waiting = served.sent("b.md").json()["job"]["id"]
    assert served.embedder.begun.wait(SECONDS)

    at_once = served.post(f"/v1/jobs/{waiting}/cancel").json()
    asked = served.post(f"/v1/jobs/{job_id}/cancel")
    served.embedder.gate.release()
    *_, last, _ = served.events(job_id)

    assert (at_once["state"], asked.status_code, asked.json()["state"]) == (
        "cancelled", 200, "cancelling",
    )  # fmt: skip
    job = json.loads(last["data"])
    assert (job["state"], job["report"], job["error"]) == ("cancelled", None, None)
    assert "nothing of it became current" in job["note"]
    assert served.kb.catalog.current_version() == 1
    assert list(served.kb.settings.uploads.glob("*/")) == []


def test_what_has_ended_cannot_be_cancelled(served: Served) -> None:
    served.embedder.gate.release()
    job_id = served.sent("a.md").json()["job"]["id"]
    list(served.events(job_id))

    response = served.post(f"/v1/jobs/{job_id}/cancel")

    assert (response.status_code, response.json()["code"]) == (409, "job_ended")


def test_jobs_are_listed_the_last_one_first(served: Served) -> None:
    served.embedder.gate.release(2)
    ids = [served.sent(uri).json()["job"]["id"] for uri in ("a.md", "b.md")]
    for job_id in ids:
        list(served.events(job_id))

    listed = served.get("/v1/jobs")["jobs"]

    assert [job["id"] for job in listed] == ids[::-1]
    assert listed[0]["task"] == {
        "kind": "files", "paths": [], "files": 1, "prune": False, "dry_run": False,
    }  # fmt: skip
    assert "report" not in listed[0]
    assert len(served.get("/v1/jobs?count=1")["jobs"]) == 1


# -- the same request again ----------------------------------------------------------------------


def test_the_same_upload_with_the_same_key_is_one_job(served: Served) -> None:
    first = served.sent("a.md", key="k1")
    again = served.sent("a.md", key="k1")
    other = served.sent("a.md", key="k1", text="The scale is new.")
    else_ = served.sent("a.md", key="k2")

    assert first.json()["job"]["id"] == again.json()["job"]["id"] != else_.json()["job"]["id"]
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert again.headers["location"] == first.headers["location"]
    assert len(list(served.kb.settings.uploads.glob("*/"))) == 2


def test_options_are_part_of_the_request_that_a_key_names(client: TestClient) -> None:
    headers = {**LOCAL, "Idempotency-Key": "k1"}
    first = client.post("/v1/ingest", json={}, headers=headers)

    again = client.post("/v1/ingest", json={"prune": False}, headers=headers)
    other = client.post("/v1/ingest", json={"prune": True}, headers=headers)

    assert first.json()["job"]["id"] == again.json()["job"]["id"]
    assert other.status_code == 409


@pytest.mark.parametrize("key", ["", "two words", "x" * 201, "tab\t"])
def test_a_key_that_is_none_is_refused(client: TestClient, key: str) -> None:
    response = client.post("/v1/ingest", json={}, headers={**LOCAL, "Idempotency-Key": key})

    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


def test_a_sender_that_goes_away_leaves_nothing_behind(served: Served) -> None:
    def broken() -> Iterator[bytes]:
        yield lines("a.md")
        until(lambda: list(served.kb.settings.uploads.glob("*/")), lambda found: len(found) == 1)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        served.post(
            "/v1/ingest/files", content=broken(), headers={"Content-Type": LINES["Content-Type"]}
        )

    until(lambda: list(served.kb.settings.uploads.glob("*/")), lambda found: not found)
    assert served.get("/v1/jobs")["jobs"] == []


def test_only_this_machine_may_cancel(kb: KnowledgeBase, client_of: ClientOf) -> None:
    open_to_others = replace(kb, settings=kb.settings.model_copy(update={"host": "0.0.0.0"}))

    response = client_of(open_to_others).post("/v1/jobs/x/cancel", headers=LOCAL)

    assert (response.status_code, response.json()["code"]) == (401, "key_missing")


def test_a_quiet_stream_is_kept_open(served: Served) -> None:
    """Nothing happens for longer than a look takes: no event is sent, and none is lost."""
    job_id = served.sent("a.md").json()["job"]["id"]
    assert served.embedder.begun.wait(SECONDS)
    events = served.events(job_id)
    first = next(events)
    time.sleep(0.6)
    served.embedder.gate.release()

    rest = [event["event"] for event in events]

    assert json.loads(first["data"])["state"] == "running"
    assert rest[-2:] == ["job", "done"]
