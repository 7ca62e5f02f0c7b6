"""Thumbs up and down: one an answer, listed newest first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from answers import answered
from starlette.testclient import TestClient

from api.stored import COMMENT_CHARS
from kb.wiring import KnowledgeBase

LOCAL = {"Host": "127.0.0.1:8000"}


@pytest.fixture
def answers(kb: KnowledgeBase) -> list[str]:
    """The ids of three stored answers."""
    names = ["a1", "a2", "a3"]
    for name in names:
        kb.journal.record(answered(name, question=f"{name}?"))
    return names


def give(client: TestClient, answer: str, rating: str, **more: Any) -> Any:
    response = client.post("/v1/feedback", json={"answer_id": answer, "rating": rating, **more})
    assert response.status_code == 200, response.text
    return response.json()


def listed(client: TestClient, **params: Any) -> Any:
    return client.get("/v1/feedback", headers=LOCAL, params=params).json()


def test_a_rating_is_stored_with_its_answer(client: TestClient, answers: list[str]) -> None:
    given = give(client, "a1", "down", comment="Out of date – 😀")

    assert given.pop("given_at").endswith("Z")
    assert given == {
        "answer_id": "a1",
        "question": "a1?",
        "outcome": "answered",
        "rating": "down",
        "comment": "Out of date – 😀",
    }
    assert client.get("/v1/answers/a1").json()["rating"] == "down"
    assert client.get("/v1/answers/a2").json()["rating"] is None


def test_another_rating_takes_its_place(client: TestClient, answers: list[str]) -> None:
    give(client, "a1", "down", comment="wrong")
    give(client, "a1", "up")

    found = listed(client)
    assert found["total"] == 1
    assert [(one["rating"], one["comment"]) for one in found["feedback"]] == [("up", None)]


def test_ratings_that_come_at_once_leave_one(kb: KnowledgeBase, answers: list[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: kb.feedback.give("a1", "up", str(n)), range(24)))

    assert kb.feedback.given(9)[1] == 1


def test_ratings_are_listed_newest_first_and_by_kind(
    client: TestClient, answers: list[str]
) -> None:
    for answer, rating in zip(answers, ("up", "down", "up"), strict=True):
        give(client, answer, rating)

    assert [one["answer_id"] for one in listed(client)["feedback"]] == ["a3", "a2", "a1"]
    assert [one["answer_id"] for one in listed(client, limit=1, offset=1)["feedback"]] == ["a2"]
    ups = listed(client, rating="up", limit=1)
    assert (ups["total"], [one["answer_id"] for one in ups["feedback"]]) == (2, ["a3"])


def test_an_answer_that_is_not_stored_cannot_be_rated(client: TestClient) -> None:
    response = client.post("/v1/feedback", json={"answer_id": "nowhere", "rating": "up"})

    assert (response.status_code, response.json()["code"]) == (404, "answer_not_found")


@pytest.mark.parametrize(
    "wrong",
    [
        {"rating": "sideways"},
        {"rating": None},
        {"comment": "x" * (COMMENT_CHARS + 1)},
        {"answer_id": ""},
        {"stars": 5},
    ],
)
def test_feedback_of_another_shape_is_refused(
    client: TestClient, answers: list[str], wrong: dict[str, Any]
) -> None:
    response = client.post("/v1/feedback", json={"answer_id": "a1", "rating": "up", **wrong})

    assert response.status_code == 422
    assert listed(client)["total"] == 0


def test_other_sites_cannot_slip_a_rating_in(client: TestClient, answers: list[str]) -> None:
    """A form's body is no JSON; for JSON a browser asks first, and is refused."""
    response = client.post(
        "/v1/feedback", content='{"answer_id": "a1", "rating": "up"}',
        headers={"Content-Type": "text/plain"},
    )  # fmt: skip

    assert response.status_code == 415
    assert listed(client)["total"] == 0
