"""Conversations over HTTP: they go on, are listed, read, deleted, and told what they lost."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from answers import COSTS, answered
from conftest import ClientOf, MakeKb
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from shelf import PRICES, publish
from starlette.testclient import TestClient

from api.requests import AskIn
from kb.journal import Journal
from kb.wiring import KnowledgeBase

LOCAL = {"Host": "127.0.0.1:8000"}
QUESTION = "What does the Gemini API cost for a million input tokens?"
SECONDS = 10.0


def ask(client: TestClient, question: str = QUESTION, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json={"question": question, **fields})
    assert response.status_code == 200, response.text
    return dict(response.json())


def listed(client: TestClient, **params: Any) -> Any:
    return client.get("/v1/conversations", headers=LOCAL, params=params).json()


# -- going on ------------------------------------------------------------------------------------


def test_a_conversation_goes_on_by_its_id_alone(client: TestClient) -> None:
    first = ask(client)

    second = ask(client, "Is it billed by token?", conversation_id=first["conversation_id"])

    assert second["question"] == "Is it billed by token?"
    assert "Gemini" in second["standalone_question"]
    found = client.get(f"/v1/conversations/{first['conversation_id']}").json()
    assert [turn["answer"] for turn in found["turns"]] == [first, second]
    assert [turn["turn"] for turn in found["turns"]] == [1, 2]


def test_an_id_that_a_client_made_begins_a_conversation(client: TestClient) -> None:
    answer = ask(client, conversation_id="my-page_1.a~b")

    assert answer["conversation_id"] == "my-page_1.a~b"
    assert client.get("/v1/conversations/my-page_1.a~b").json()["turns"][0]["answer"] == answer


def test_history_that_is_sent_takes_the_place_of_what_is_stored(client: TestClient) -> None:
    ask(client, conversation_id="c1")

    held = [{"role": "user", "content": "What is Falcon?"}]
    answer = ask(client, "Is it billed by token?", conversation_id="c1", history=held)

    assert "Falcon" in answer["standalone_question"]
    assert "Gemini" not in answer["standalone_question"]


NO_ADDRESS = ["", "a/b", "..", ".a", "a b", "ä", "a\n", "x" * 201, "a?b", "%2e"]


@pytest.mark.parametrize("wrong", NO_ADDRESS)
def test_an_id_that_could_be_no_address_is_refused(client: TestClient, wrong: str) -> None:
    response = client.post("/v1/ask", json={"question": QUESTION, "conversation_id": wrong})

    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@given(st.text(max_size=12))
def test_an_accepted_id_stands_in_an_address_as_it_is(conversation: str) -> None:
    from urllib.parse import quote, urljoin

    try:
        AskIn(question="?", conversation_id=conversation)
    except ValidationError:
        return
    assert quote(conversation) == conversation
    assert urljoin("http://h/v1/conversations/x", conversation).endswith(f"/{conversation}")


# -- listed, read, deleted -----------------------------------------------------------------------


def test_conversations_are_listed_a_page_at_a_time(client: TestClient) -> None:
    before = datetime.now(UTC)
    for name in ("a", "b", "c"):
        ask(client, f"Question {name}?", conversation_id=name)

    page, rest = listed(client, limit=2), listed(client, limit=2, offset=2)

    assert (page["total"], rest["total"]) == (3, 3)
    found = [*page["conversations"], *rest["conversations"]]
    assert [(one["id"], one["question"], one["turns"]) for one in found] == [
        ("c", "Question c?", 1), ("b", "Question b?", 1), ("a", "Question a?", 1),
    ]  # fmt: skip
    started = datetime.fromisoformat(found[0]["started_at"])
    assert abs((started - before).total_seconds()) < SECONDS


def test_a_deleted_conversation_is_gone(client: TestClient) -> None:
    for question in (QUESTION, "Who may withdraw a model?"):
        answer = ask(client, question, conversation_id="c1")

    deleted = client.delete("/v1/conversations/c1")

    assert deleted.json() == {"id": "c1", "answers": 2}
    assert listed(client) == {"total": 0, "conversations": []}
    for again in (client.get("/v1/conversations/c1"), client.delete("/v1/conversations/c1")):
        assert (again.status_code, again.json()["code"]) == (404, "conversation_not_found")
    assert client.get(f"/v1/answers/{answer['id']}").json()["code"] == "answer_not_found"


def test_with_storing_switched_off_nothing_is_kept(kb: KnowledgeBase, client_of: ClientOf) -> None:
    client = client_of(replace(kb, journal=Journal(kb.database, days=0)))

    answer = ask(client, conversation_id="c1")

    assert answer["outcome"] == "answered"
    assert listed(client)["total"] == 0
    assert client.get(f"/v1/answers/{answer['id']}").status_code == 404


def test_no_log_has_a_word_of_what_was_asked_or_said(
    make_kb: MakeKb, client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client = client_of(make_kb())
        ask(client, "What does zanzibar cost for a million input tokens?", conversation_id="c1")
        ask(client, "And the other one?", conversation_id="c1")
        client.post("/v1/feedback", json={"answer_id": "none", "rating": "up", "comment": "quux"})
        client.delete("/v1/conversations/c1")

    assert "ask ok" in caplog.text
    for word in ("zanzibar", "million", "other one", "quux"):
        assert word not in caplog.text


# -- what changed --------------------------------------------------------------------------------


def test_a_reader_who_comes_back_learns_that_a_source_has_changed(
    kb: KnowledgeBase, client: TestClient
) -> None:
    answer = ask(client)
    (before,) = client.get(f"/v1/answers/{answer['id']}").json()["standings"]
    publish(kb, [replace(PRICES, text=PRICES.text.replace("$2.00", "$9.00"))])

    after = client.get(f"/v1/answers/{answer['id']}").json()

    assert before["state"] == "current"
    assert [one["state"] for one in after["standings"]] == ["changed"]
    assert after["corpus_version"] == 2
    assert after["answer"] == answer


def test_a_finished_job_names_the_answers_that_lost_support(
    kb: KnowledgeBase, client: TestClient
) -> None:
    folder = kb.settings.corpus
    folder.mkdir(parents=True)
    kept = folder / "costs.md"
    kept.write_text("# Costs\n\nThe Yotta API costs $2.00 for a million input tokens.\n")
    ingested(client)
    lost = ask(client, "What does the Yotta API cost for a million input tokens?")
    assert lost["citations"][0]["document_id"] == "costs.md"
    kb.journal.record(answered("other", [(COSTS, PRICES)]))

    kept.write_text("# Costs\n\nThe Yotta API costs $3.00 for a million input tokens.\n")
    report = ingested(client)

    assert report["affected_total"] == 1
    assert report["affected_answers"] == [
        {"id": lost["id"], "why": "changed", "documents": ["costs.md"]}
    ]
    assert ingested(client)["affected_answers"] == []


def ingested(client: TestClient) -> Any:
    accepted = client.post("/v1/ingest", json={}, headers=LOCAL)
    assert accepted.status_code == 202, accepted.text
    end = time.monotonic() + SECONDS
    while (job := client.get(accepted.headers["location"]).json())["state"] != "finished":
        assert time.monotonic() < end, job
        time.sleep(0.01)
    return job["report"]
