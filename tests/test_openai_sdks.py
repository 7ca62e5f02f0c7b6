"""OpenAI's own clients work unchanged against a running server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import javascript
import openai
import pytest
from conftest import MakeKb
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from serving import serving
from shelf import PRICES, first_passage

from api.app import create_app
from kb.fakes_model import ScriptedModel

QUESTION = "What does the Gemini API cost for a million input tokens?"
MESSAGES: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": QUESTION},
]


@pytest.fixture
def url(make_kb: MakeKb) -> Iterator[str]:
    with serving(create_app(make_kb())) as port:
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture
def refusing_url(make_kb: MakeKb) -> Iterator[str]:
    kb = make_kb(ScriptedModel(first_passage, probability=0.0))
    with serving(create_app(kb)) as port:
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture
def client(url: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=url, api_key="none", max_retries=0) as opened:
        yield opened


def structured(completion: ChatCompletion) -> dict[str, Any]:
    """The extra field, which the SDK hands on as it is."""
    extra = completion.choices[0].message.model_extra
    assert extra is not None
    answer: dict[str, Any] = extra["weighbridge"]
    return answer


def quotes_of(answer: dict[str, Any]) -> list[str]:
    found = [citation["quote"] for citation in answer["citations"]]
    assert all(quote in PRICES.text for quote in found)
    return found


# -- Python --------------------------------------------------------------------------------------


def test_python_gets_a_whole_answer_with_its_citations(client: OpenAI) -> None:
    completion = client.chat.completions.create(model="weighbridge", messages=MESSAGES)

    content = completion.choices[0].message.content
    assert content is not None
    assert "$2.00 for a million input tokens. [1]\n\nSources:\n- [1] " in content
    assert quotes_of(structured(completion))
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0


def test_python_streams_what_the_whole_answer_says(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="weighbridge", messages=MESSAGES)

    chunks = list(
        client.chat.completions.create(
            model="weighbridge",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    assert deltas[-1].model_extra is not None
    assert quotes_of(deltas[-1].model_extra["weighbridge"]) == quotes_of(structured(whole))
    assert chunks[-1].usage == whole.usage


def test_python_s_own_accumulation_keeps_the_citations(client: OpenAI) -> None:
    with client.chat.completions.stream(model="weighbridge", messages=MESSAGES) as stream:
        stream.until_done()
        final = stream.get_final_completion()

    assert quotes_of(structured(final))
    assert final.choices[0].finish_reason == "stop"


def test_python_asynchronously(url: str) -> None:
    async def both() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
            create = client.chat.completions.create
            whole = await create(model="weighbridge", messages=MESSAGES)
            stream = await create(model="weighbridge", messages=MESSAGES, stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return whole.choices[0].message.content or "", "".join(pieces)

    whole, streamed = asyncio.run(both())

    assert "$2.00" in whole
    assert streamed == whole


def test_python_carries_a_conversation_on(client: OpenAI) -> None:
    first = client.chat.completions.create(model="weighbridge", messages=MESSAGES)
    said = first.choices[0].message.content or ""

    second = client.chat.completions.create(
        model="weighbridge",
        messages=[
            *MESSAGES,
            {"role": "assistant", "content": said},
            {"role": "user", "content": "Can its vendor withdraw it?"},
        ],
    )

    answer = structured(second)
    assert answer["question"] == "Can its vendor withdraw it?"
    assert "Gemini" in answer["standalone_question"]


def test_python_reads_a_refusal_as_a_message(refusing_url: str) -> None:
    with OpenAI(base_url=refusing_url, api_key="none", max_retries=0) as client:
        completion = client.chat.completions.create(model="weighbridge", messages=MESSAGES)

    assert completion.choices[0].message.content == structured(completion)["text"]
    assert structured(completion)["outcome"] == "refused"


def test_python_lists_and_finds_the_model(client: OpenAI) -> None:
    (model,) = client.models.list()

    assert client.models.retrieve(model.id).id == "weighbridge"


def test_python_raises_its_own_errors(client: OpenAI) -> None:
    create = client.chat.completions.create

    with pytest.raises(openai.NotFoundError) as missing:
        create(model="gpt-4o", messages=MESSAGES)
    with pytest.raises(openai.BadRequestError) as wrong:
        create(model="weighbridge", messages=MESSAGES, n=2)

    assert missing.value.code == "model_not_found"
    assert wrong.value.param == "n"
    assert "only 1 is supported" in wrong.value.message


# -- JavaScript ----------------------------------------------------------------------------------

SCRIPT = """
import OpenAI from "openai";
const client = new OpenAI({ baseURL: process.argv[2], apiKey: "none", maxRetries: 0 });
const asked = { model: "weighbridge", messages: [{ role: "user", content: process.argv[3] }] };
const whole = await client.chat.completions.create(asked);
let streamed = "", last = null;
for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
  streamed += chunk.choices[0].delta.content ?? "";
  last = chunk.choices[0];
}
const final = await client.chat.completions.stream(asked).finalChatCompletion();
const models = [];
for await (const model of client.models.list()) models.push(model.id);
const refused = await client.chat.completions.create({ ...asked, n: 2 }).catch((error) => error);
console.log(JSON.stringify({
  whole: whole.choices[0].message, streamed, last, final: final.choices[0].message, models,
  refused: { name: refused.constructor.name, status: refused.status, param: refused.param },
}));
"""


@pytest.mark.slow
def test_javascript_gets_the_same_in_every_way(
    tmp_path_factory: pytest.TempPathFactory, url: str
) -> None:
    folder = javascript.with_sdk(tmp_path_factory.mktemp("javascript"))

    got = json.loads(javascript.run(folder, SCRIPT, url, QUESTION))

    assert "$2.00" in got["whole"]["content"]
    assert got["streamed"] == got["whole"]["content"] == got["final"]["content"]
    assert quotes_of(got["whole"]["weighbridge"])
    for other in (got["last"]["delta"], got["final"]):
        assert quotes_of(other["weighbridge"]) == quotes_of(got["whole"]["weighbridge"])
    assert got["last"]["finish_reason"] == "stop"
    assert got["models"] == ["weighbridge"]
    assert got["refused"] == {"name": "BadRequestError", "status": 400, "param": "n"}
