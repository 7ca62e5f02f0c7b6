"""The OpenAI-compatible routes: what they refuse, how they fail, and what leaving them stops."""

from __future__ import annotations

import json
import socket

import pytest
from conftest import ClientOf, MakeKb
from serving import serving
from shelf import replaying
from starlette.testclient import TestClient
from talk import STEPS, Unending
from test_api_stream import StrangeStore
from test_openai_api import URL, Json, asked, chunks, whole

from api.app import create_app
from kb.errors import ModelFailed
from kb.fakes_model import ScriptedModel
from kb.wiring import KnowledgeBase

# -- what is refused and what is let pass ----------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"web_search_options": {"x": 1}}, "web_search_options"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.role"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]},
            "messages.0.content",
        ),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"model": None}, "model"),
        ({"stream": "yes"}, "stream"),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_unsupported_parameters_are_refused_by_name(
    client: TestClient, more: Json, param: str, stream: bool
) -> None:
    response = client.post(URL, json=asked(**{"stream": stream, **more}))

    error = response.json()["error"]
    assert response.status_code == 400
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert param in error["message"]


def test_parameters_that_change_nothing_are_accepted(client: TestClient) -> None:
    ignored = {
        "temperature": 0.2, "top_p": 0.9, "max_tokens": 5, "max_completion_tokens": 5, "seed": 1,
        "stop": ["."], "user": "u", "store": True, "metadata": {}, "presence_penalty": 1.0,
        "frequency_penalty": 1.0, "logit_bias": {}, "reasoning_effort": "low", "n": 1,
        "tools": [], "tool_choice": "auto", "logprobs": False, "top_logprobs": None,
        "response_format": {"type": "text"}, "modalities": ["text"], "of_some_client": {"x": 1},
    }  # fmt: skip

    plain, tuned = (whole(client, **more)["choices"][0]["message"] for more in ({}, ignored))

    assert tuned["content"] == plain["content"]


@pytest.mark.parametrize(
    ("send", "status", "code", "kind"),
    [
        ({"json": asked(model="gpt-4o")}, 404, "model_not_found", "invalid_request_error"),
        ({"json": asked(" ")}, 400, "empty_question", "invalid_request_error"),
        ({"json": asked("x" * 2001)}, 400, "question_too_long", "invalid_request_error"),
        ({"content": b"{"}, 400, "invalid_json", "invalid_request_error"),
        ({"json": asked("x" * 1_000_001)}, 413, "body_too_large", "invalid_request_error"),
        (
            {"content": b"x", "headers": {"Content-Type": "text/plain"}},
            415, "unsupported_media_type", "invalid_request_error",
        ),
    ],
)  # fmt: skip
def test_errors_have_the_shape_that_clients_of_openai_read(
    client: TestClient, send: Json, status: int, code: str, kind: str
) -> None:
    response = client.post(URL, **{"headers": {"Content-Type": "application/json"}, **send})

    error = response.json()["error"]
    assert response.status_code == status
    assert (error["code"], error["type"]) == (code, kind)
    assert error["message"]


def test_a_wrong_method_has_that_shape_too(client: TestClient) -> None:
    response = client.get(URL)

    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_store_of_other_vectors_fails_before_the_first_byte(
    make_kb: MakeKb, client_of: ClientOf, stream: bool
) -> None:
    client = client_of(make_kb(store=StrangeStore()))

    response = client.post(URL, json=asked(stream=stream))

    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert response.json()["error"]["code"] == "index_mismatch"


def test_a_later_failure_is_told_in_the_stream(kb: KnowledgeBase, client_of: ClientOf) -> None:
    client = client_of(replaying(kb, *STEPS[:3], ModelFailed("the model broke off; ask again")))

    found = chunks(client)

    assert found[-1]["error"] == {
        "message": "the model broke off; ask again",
        "type": "server_error",
        "param": None,
        "code": "model_failed",
    }


def test_no_sentence_that_failed_its_check_is_streamed(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    said = "The Gemini API costs $999.00 for a million input tokens."
    client = client_of(make_kb(ScriptedModel([said])))

    assert "$999" not in json.dumps(chunks(client))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_client_that_leaves_stops_the_model_within_a_second(
    make_kb: MakeKb, stream: bool
) -> None:
    model = Unending()
    with serving(create_app(make_kb(model))) as port:
        body = json.dumps(asked(stream=stream))
        head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"POST {URL} HTTP/1.1\r\n{head}\r\n\r\n{body}".encode())
            assert model.writing.wait(10)

        stopped = model.stopped.wait(1.0)

    assert stopped


# -- models --------------------------------------------------------------------------------------


def test_the_one_model_is_listed_and_found(client: TestClient) -> None:
    (listed,) = client.get("/v1/models").json()["data"]

    found = client.get(f"/v1/models/{listed['id']}").json()

    assert (found["id"], found["object"]) == ("weighbridge", "model")


@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4o", "x" * 2000])
def test_another_model_is_not_found(client: TestClient, name: str) -> None:
    response = client.get(f"/v1/models/{name}")

    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (404, "model_not_found")
    assert "weighbridge" in error["message"]
    assert len(error["message"]) < 200
