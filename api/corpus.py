"""What routes that change the corpus take and return."""

from __future__ import annotations

import base64
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.examples import Example
from api.requests import Text, encoded

_REVISION = "sha256:" + "3e1f08ab" * 8
_PUT: Example = {"uri": "handbook.md", "content": "# Handbook\n\nOur model is MIT-licensed."}
_STORED: Example = {
    "document_id": "handbook.md",
    "revision": _REVISION,
    "outcome": "replaced",
    "corpus_version": 4,
    "passages": 1,
    "embedded": 1,
}
_VERSIONS: Example = {
    "current": 4,
    "versions": [
        {"number": 3, "created_at": 1780000000.0, "documents": 5, "passages": 412},
        {"number": 4, "created_at": 1780003600.0, "documents": 6, "passages": 413},
    ],
}
_CHANGES: Example = {
    "before": 3,
    "after": 4,
    "changes": [{"document_id": "handbook.md", "before": None, "after": _REVISION}],
}
_BACK: Example = {"corpus_version": 5}
_KINDS = ("revisions", "passages", "vectors", "lexical_rows", "answers", "cached")
_NOTHING: Example = dict.fromkeys(_KINDS, 0)
_SOMETHING: Example = dict(zip(_KINDS, (2, 9, 9, 9, 1, 1), strict=True))
_RECEIPT: Example = {
    "document_id": "handbook.md",
    "corpus_version": 5,
    "removed": _SOMETHING,
    "left": _NOTHING,
    "detail": "gone from every corpus version, also the earlier ones that are kept",
}


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class DocumentIn(BaseModel):
    """A document's content, as text or in base64."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, json_schema_extra={"examples": [_PUT]}
    )

    content: Text | None = None
    content_base64: Annotated[str, AfterValidator(encoded)] | None = None
    uri: Text | None = Field(
        default=None,
        min_length=1,
        description="A relative path, which citations will name; left out: the id.",
    )
    media_type: Annotated[Text, Field(max_length=200)] | None = Field(
        default=None, description="Where the uri's ending doesn't tell the format: text/markdown."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.content is None) is (self.content_base64 is None):
            raise ValueError("send either content or content_base64")
        return self

    @property
    def data(self) -> bytes:
        if self.content is not None:
            return self.content.encode()
        return base64.b64decode(self.content_base64 or "")


class StoredOut(_Out):
    """What became of a document that was sent; it is current."""

    model_config = ConfigDict(json_schema_extra={"examples": [_STORED]})

    document_id: str
    revision: str
    outcome: Literal["added", "replaced", "unchanged"]
    corpus_version: int
    passages: int
    embedded: int = Field(description="Of the passages; the others were known already.")


class CountedOut(_Out):
    """In all corpus versions that are kept."""

    revisions: int
    passages: int
    vectors: int
    lexical_rows: int
    answers: int = Field(description="Stored answers that quote the document.")
    cached: int = Field(description="Answers in this server's memory that were made from it.")


class ReceiptOut(_Out):
    """Of a deletion: what was removed, and what a second look found."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RECEIPT]})

    document_id: str
    corpus_version: int
    removed: CountedOut
    left: CountedOut
    detail: str


class VersionOut(_Out):
    number: int
    created_at: float = Field(description="Seconds since the epoch.")
    documents: int
    passages: int


class VersionsOut(_Out):
    """Oldest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [_VERSIONS]})

    current: int
    versions: list[VersionOut]


class ChangeOut(_Out):
    """A document's revisions in the two versions; null where it isn't in one of them."""

    document_id: str
    before: str | None
    after: str | None


class ChangesOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [_CHANGES]})

    before: int
    after: int
    changes: list[ChangeOut]


class RolledBackOut(_Out):
    """The new version, which holds what the named one holds."""

    model_config = ConfigDict(json_schema_extra={"examples": [_BACK]})

    corpus_version: int
