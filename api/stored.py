"""What requests and responses say of stored answers, conversations and feedback."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from api import stored_examples
from api.requests import Text, _In
from api.schemas import AnswerOut, _Out
from kb.types import Outcome

Rating = Literal["up", "down"]
Moment = datetime  # pydantic reads the domain's seconds since the epoch, as UTC

COMMENT_CHARS = 2000


class ConversationListedOut(_Out):
    """`question` is its first one."""

    id: str
    question: str
    turns: int
    started_at: Moment
    last_at: Moment


class ConversationsOut(_Out):
    """A page, newest first; `total` counts all."""

    model_config = ConfigDict(json_schema_extra={"examples": [stored_examples.CONVERSATIONS]})

    total: int
    conversations: list[ConversationListedOut]


class TurnOut(_Out):
    """An answer as it was given. `turn` counts from 1 within its conversation."""

    turn: int = Field(validation_alias="number")
    asked_at: Moment
    rating: Rating | None = Field(description="What its reader thought of it.")
    answer: AnswerOut


class ConversationOut(_Out):
    """Every turn, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [stored_examples.CONVERSATION]})

    id: str
    turns: list[TurnOut]


class StandingOut(_Out):
    """What became of what a citation quotes: `current`, its document is as it was; `moved`, the
    newest revision has the quote too, at `text[start:end]`; `changed`, that one has it no more;
    `removed`, the document is gone."""

    marker: int
    state: Literal["current", "moved", "changed", "removed"]
    revision: str | None = Field(description="The document's newest one.")
    start: int | None
    end: int | None


class StoredAnswerOut(TurnOut):
    """With what became of the sources that it cites."""

    model_config = ConfigDict(json_schema_extra={"examples": [stored_examples.STORED_ANSWER]})

    corpus_version: int = Field(description="The current one, against which sources are compared.")
    standings: list[StandingOut]


class DeletedConversationOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [stored_examples.DELETED]})

    id: str
    answers: int = Field(description="How many were removed, with their feedback.")


class FeedbackIn(_In):
    """One rating an answer: another one takes its place."""

    model_config = ConfigDict(json_schema_extra={"examples": [stored_examples.FEEDBACK]})

    answer_id: Text = Field(min_length=1, max_length=64)
    rating: Rating
    comment: Text | None = Field(default=None, max_length=COMMENT_CHARS)


class FeedbackOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [stored_examples.GIVEN]})

    answer_id: str
    question: str
    outcome: Outcome
    rating: Rating
    comment: str | None
    given_at: Moment


class FeedbacksOut(_Out):
    """A page, newest first; `total` counts all that have the rating."""

    model_config = ConfigDict(json_schema_extra={"examples": [stored_examples.ALL_GIVEN]})

    total: int
    feedback: list[FeedbackOut]


class AffectedOut(_Out):
    """A stored answer that lost support; `GET /v1/answers/{id}` shows it. `documents` were removed,
    or have changed and no longer hold what it quotes."""

    id: str
    why: Literal["changed", "removed"]
    documents: list[str]
