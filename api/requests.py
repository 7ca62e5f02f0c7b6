"""What requests may hold: unknown fields are refused, nothing is converted."""

from __future__ import annotations

import base64
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api import examples
from ingest.items import Failed
from ingest.uploads import Upload
from kb.errors import InvalidFilter
from kb.events import Ask
from kb.types import Filters, Message

MOST_HITS = 50
MOST_NAMED = 500  # document ids or publishers in one filter
MOST_PATHS = 1000  # of one ingest
LARGEST_VERSION = 2**31 - 1  # what every database's integer column holds


def _sendable(text: str) -> str:
    r"""JSON's \ud800 is half a character: no UTF-8 can hold it, so no answer could repeat it."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("half a surrogate pair is no character")
    return text


def encoded(text: str) -> str:
    base64.b64decode(text, validate=True)  # its error is a ValueError
    return text


Text = Annotated[str, AfterValidator(_sendable)]
# As it stands in addresses; a leading dot would be taken for a way up.
ConversationId = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$")]
Version = Annotated[int, Field(ge=0, le=LARGEST_VERSION)]
Day = Annotated[
    str,
    Field(
        pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$",
        description="ISO 8601, as precise as you like: 2026, 2026-05 or 2026-05-01.",
    ),
]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class FiltersIn(_In):
    """Narrows a search. What is left out does not narrow."""

    document_ids: list[Text] = Field(default=[], max_length=MOST_NAMED)
    publishers: list[Text] = Field(default=[], max_length=MOST_NAMED)
    as_of_from: Day | None = None
    as_of_to: Day | None = Field(default=None, description="Inclusive: 2026 takes in 2026-05-01.")

    def to_domain(self) -> Filters:
        """Raises InvalidFilter."""
        first, last = self.as_of_from, self.as_of_to
        if first and last and first > last and not first.startswith(last):
            raise InvalidFilter(f"as_of_from {first} is after as_of_to {last}; swap them")
        return Filters(tuple(self.document_ids), tuple(self.publishers), first, last)


class TurnIn(_In):
    role: Literal["user", "assistant"]
    content: Text


class AskIn(_In):
    """A question. `history` holds earlier turns, oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ASK]})

    question: Text
    conversation_id: ConversationId | None = Field(
        default=None,
        description="Without `history`, its stored turns are the history. An id that is new begins "
        "a conversation; letters, digits and `-._~`, which can't be guessed by others.",
    )
    history: list[TurnIn] = Field(default=[], description="In place of the stored turns.")
    filters: FiltersIn | None = None
    corpus_version: Version | None = Field(default=None, description="Left out: the current one.")

    def to_domain(self) -> Ask:
        """Raises InvalidFilter."""
        history = tuple(Message(turn.role, turn.content) for turn in self.history)
        filters = narrowed(self.filters)
        return Ask(self.question, self.conversation_id, history, filters, self.corpus_version)


class SearchIn(_In):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.SEARCH]})

    question: Text
    count: int = Field(default=10, ge=1, le=MOST_HITS)
    filters: FiltersIn | None = None
    corpus_version: Version | None = Field(default=None, description="Left out: the current one.")


class IngestIn(_In):
    """What of the configured corpus folder is to be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.INGEST]})

    paths: list[Text] = Field(
        default=[],
        max_length=MOST_PATHS,
        description="Files and folders, relative to the corpus folder. Left out: all of it.",
    )
    prune: bool = Field(default=False, description="Remove documents that are not among the paths.")
    dry_run: bool = Field(default=False, description="Report what would change; change nothing.")


class FailedIn(_In):
    code: Annotated[Text, Field(max_length=100)]
    message: Annotated[Text, Field(max_length=5000)]


class FileIn(_In):
    """One line of an upload: a file's content, or why its sender could not read it."""

    uri: Text = Field(description="A relative path, which citations will name.")
    content_base64: Annotated[str, AfterValidator(encoded)] | None = None
    failed: FailedIn | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.content_base64 is None) is (self.failed is None):
            raise ValueError("send either content_base64 or failed")
        return self

    def put_into(self, upload: Upload) -> None:
        """Raises PathNotAllowed, StoreUnavailable."""
        if self.failed is not None:
            upload.add_failed(Failed(self.uri, self.failed.code, self.failed.message))
        else:
            upload.add(self.uri, base64.b64decode(self.content_base64 or ""))


def narrowed(filters: FiltersIn | None) -> Filters:
    """Raises InvalidFilter."""
    return filters.to_domain() if filters else Filters()
