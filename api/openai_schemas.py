"""What the OpenAI-compatible routes take and give.

Parameters that would change what an answer promises are refused; others are accepted without
effect, as clients send many by default. Nothing is converted.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api import examples
from api.requests import Text
from api.schemas import AnswerOut
from kb.events import Ask
from kb.types import Message

MODEL = "weighbridge"  # the one that is listed: a knowledge base, whatever phrases its sentences
SOURCES = "\n\nSources:\n"  # what stands between an answer's text and its sources


# -- requests ------------------------------------------------------------------------------------


def _refused(message: str) -> PydanticCustomError:
    return PydanticCustomError("unsupported", "{message}", {"message": message})


def _unused(value: object) -> None:
    """Clients send what they don't use as null, false, 0 or an empty list."""
    if value:
        raise _refused("not supported by this server; leave it out")


def _text_only(value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value and value.get("type") != "text":
        raise _refused("only {'type': 'text'} is supported: answers are checked sentences")
    return value


def _no_audio(value: list[str] | None) -> list[str] | None:
    if value and value != ["text"]:
        raise _refused("only ['text'] is supported")
    return value


def _one_choice(value: int | None) -> int | None:
    if value not in (None, 1):
        raise _refused("only 1 is supported: a question has one checked answer")
    return value


def _joined(content: object) -> object:
    """Text parts as one text. What is neither text nor a list is for the validator behind."""
    if content is None:
        return ""
    if not isinstance(content, list):
        return content
    return "\n".join(_part(part) for part in content)


def _part(part: object) -> str:
    if not isinstance(part, dict):
        raise _refused("a part of a message is an object with a type")
    kind = part.get("type")
    text = part.get(kind) if kind in ("text", "refusal") else None
    if not isinstance(text, str):
        raise _refused(f"parts of type {str(kind)[:40]!r} are not supported: send text only")
    return text


Unused = Annotated[Any, AfterValidator(_unused)]
Content = Annotated[
    Text,
    BeforeValidator(_joined, json_schema_input_type=str | list[dict[str, Any]] | None),
    Field(description="A text, or a list of text parts. Images, audio and files are refused."),
]


class _In(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class ChatMessageIn(_In):
    role: Literal["system", "developer", "user", "assistant"] = Field(
        description="`system` and `developer` messages are accepted and have no effect: no text "
        "can change how sentences are checked."
    )
    content: Content = ""
    tool_calls: Unused = None
    function_call: Unused = None
    audio: Unused = None


def _ending_with_a_question(messages: list[ChatMessageIn]) -> list[ChatMessageIn]:
    if not messages or messages[-1].role != "user":
        raise _refused("the last message must be the user's question")
    return messages


class StreamOptionsIn(_In):
    include_usage: bool | None = None


class CompletionIn(_In):
    """A question, with the conversation before it. What is not named here is accepted and has no
    effect, such as `temperature`, `top_p`, `max_tokens`, `seed`, `stop` and `user`."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.COMPLETE]})

    model: Text = Field(description=f"`{MODEL}`, as GET /v1/models lists it.")
    messages: Annotated[list[ChatMessageIn], AfterValidator(_ending_with_a_question)] = Field(
        description="Oldest first; the last is the question."
    )
    stream: bool | None = None
    stream_options: StreamOptionsIn | None = None
    n: Annotated[int | None, AfterValidator(_one_choice)] = Field(None, description="Only 1.")
    response_format: Annotated[dict[str, Any] | None, AfterValidator(_text_only)] = Field(
        None, description="Only `text`."
    )
    modalities: Annotated[list[str] | None, AfterValidator(_no_audio)] = Field(
        None, description="Only `text`."
    )
    tools: Unused = Field(None, description="Refused.")
    functions: Unused = Field(None, description="Refused.")
    logprobs: Unused = Field(None, description="Refused.")
    top_logprobs: Unused = Field(None, description="Refused.")
    audio: Unused = Field(None, description="Refused.")
    web_search_options: Unused = Field(None, description="Refused.")

    @property
    def wants_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def to_domain(self) -> Ask:
        """System messages are left out: they are no part of what was said about the subject."""
        *earlier, asked = self.messages
        history = (
            Message(one.role, one.content.partition(SOURCES)[0])
            for one in earlier
            if one.role in ("user", "assistant")
        )
        return Ask(asked.content, history=tuple(history))


# -- responses -----------------------------------------------------------------------------------


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class UsageOut(_Out):
    """Counted with the encoder's tokenizer, over what was sent and what came back."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatMessageOut(_Out):
    role: Literal["assistant"] = "assistant"
    content: str = Field(description="The answer with its markers, then the list of its sources.")
    refusal: None = Field(
        default=None, description="Always null: a refusal is a message like any other."
    )
    weighbridge: AnswerOut = Field(description="The answer as /v1/ask gives it.")


class ChoiceOut(_Out):
    index: int = 0
    message: ChatMessageOut
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class CompletionOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.COMPLETION]})

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: list[ChoiceOut]
    usage: UsageOut


class ModelCardOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.MODEL]})

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = Field(description="When this was asked: the knowledge base itself has no date.")
    owned_by: str = MODEL


class ModelCardsOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.MODELS]})

    object: Literal["list"] = "list"
    data: list[ModelCardOut]


class ErrorDetailOut(_Out):
    message: str
    type: str
    param: str | None = Field(description="The part of the request that is wrong.")
    code: str = Field(description="Stable, as in the other routes' problems.")


class ErrorOut(_Out):
    error: ErrorDetailOut
