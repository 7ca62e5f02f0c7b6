"""What responses hold. Strings count in code points."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasPath, BaseModel, ConfigDict, Field

from api import examples
from kb.types import Outcome, PassageKind, Reason


class _Out(BaseModel):
    """Read from the domain's types by `model_validate`."""

    model_config = ConfigDict(frozen=True, from_attributes=True, validate_by_name=True)


# -- answers -------------------------------------------------------------------------------------


class SourceOut(_Out):
    """The document that something is from. `revision` names the exact text."""

    document_id: str = Field(validation_alias=AliasPath("source", "document_id"))
    title: str = Field(validation_alias=AliasPath("source", "title"))
    uri: str = Field(validation_alias=AliasPath("source", "uri"))
    as_of: str | None = Field(validation_alias=AliasPath("source", "as_of"))
    revision: str = Field(validation_alias=AliasPath("source", "revision"))
    publisher: str | None = Field(validation_alias=AliasPath("source", "publisher"))


class CitationOut(SourceOut):
    """`text[answer_start:answer_end]` of the answer rests on `quote`, which is
    `text[start:end]` of the revision."""

    marker: int
    answer_start: int
    answer_end: int
    start: int
    end: int
    quote: str
    heading: str
    support: float = Field(description="0 to 1: how much of the sentence the quote states.")


class PassageOut(SourceOut):
    """A piece of evidence: `quote` is `text[start:end]` of the revision."""

    start: int
    end: int
    quote: str
    heading: str
    score: float = Field(description="0 to 1: how much of the question it covers.")


class PositionOut(_Out):
    """One side of a disagreement; `citations` are markers."""

    statement: str
    citations: list[int]


class ConflictOut(_Out):
    about: str
    positions: list[PositionOut]


class AnswerOut(_Out):
    """A checked answer, or a refusal with its reason and the nearest passages."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANSWER, examples.REFUSAL]})

    id: str
    conversation_id: str
    question: str
    standalone_question: str
    outcome: Outcome
    reason: Reason | None
    text: str
    citations: list[CitationOut]
    conflicts: list[ConflictOut]
    confidence: float | None = Field(
        description="0 to 1: how probable it is that what is shown answers the question."
    )
    marked: list[list[int]] = Field(description="Spans of the text: the words in it that answer.")
    withheld: int = Field(description="Lines that stand in no source, and so were not shown.")
    nearest: list[PassageOut]
    suggestions: list[str] = Field(
        description="With a refusal: questions that the documents do answer, or, where the text "
        "asks what is meant, the question completed."
    )
    corpus_version: int
    model: str
    timings_ms: dict[str, int]
    cached: bool = Field(description="Whether it was written for an earlier question like this.")


# -- the stream's other events -------------------------------------------------------------------


class StatusOut(_Out):
    stage: Literal["searching", "reading", "checking"]
    milliseconds: int


class EvidenceOut(_Out):
    evidence: list[PassageOut]


class SentenceOut(_Out):
    """A sentence that was checked, with its citations."""

    text: str
    citations: list[CitationOut]


# -- search --------------------------------------------------------------------------------------


class HitOut(_Out):
    """A ranked passage. `text` is the source's own, `body` what was embedded."""

    id: str = Field(validation_alias=AliasPath("stored", "id"))
    document_id: str = Field(validation_alias=AliasPath("stored", "source", "document_id"))
    title: str = Field(validation_alias=AliasPath("stored", "source", "title"))
    uri: str = Field(validation_alias=AliasPath("stored", "source", "uri"))
    as_of: str | None = Field(validation_alias=AliasPath("stored", "source", "as_of"))
    publisher: str | None = Field(validation_alias=AliasPath("stored", "source", "publisher"))
    revision: str = Field(validation_alias=AliasPath("stored", "source", "revision"))
    kind: PassageKind = Field(validation_alias=AliasPath("stored", "passage", "kind"))
    start: int = Field(validation_alias=AliasPath("stored", "passage", "start"))
    end: int = Field(validation_alias=AliasPath("stored", "passage", "end"))
    text: str = Field(validation_alias=AliasPath("stored", "text"))
    body: str = Field(validation_alias=AliasPath("stored", "passage", "body"))
    heading: str = Field(validation_alias=AliasPath("stored", "passage", "heading"))
    score: float
    scores: dict[str, float] = Field(description="By stage: dense, lexical, fused, late.")


class SearchOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.FOUND]})

    question: str
    corpus_version: int
    degraded: bool = Field(
        default=False, description="Found by their words only: the vector store was away."
    )
    hits: list[HitOut]


class SuggestionsOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.SUGGESTIONS]})

    corpus_version: int
    suggestions: list[str] = Field(description="Questions that the documents answer.")


# -- documents -----------------------------------------------------------------------------------


class DocumentOut(SourceOut):
    passages: int
    characters: int


class DocumentsOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.DOCUMENTS]})

    corpus_version: int
    documents: list[DocumentOut]


class KeptOut(_Out):
    """Part of every corpus version v with since_version <= v < until_version."""

    revision: str
    since_version: int
    until_version: int | None


class LostOut(_Out):
    """kind: picture, hidden block, …; where: in the document's own words, "" for anywhere."""

    kind: str
    count: int
    where: str


class DocumentDetailOut(DocumentOut):
    """A document as the newest version that holds it has it. Where every revision has an
    `until_version`, the document was removed."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DOCUMENT]})

    revisions: list[KeptOut]
    lost: list[LostOut] = Field(
        description="What a person sees in its file and its text doesn't hold, of that revision."
    )
    notes: list[str] = Field(description="What was decided about it while it was read.")


class RevisionOut(_Out):
    """A stored text, so that anyone can check a citation: `text[start:end] == quote`."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.REVISION]})

    document_id: str
    revision: str
    title: str
    publisher: str | None
    uri: str
    as_of: str | None
    text: str
    newer_revision: str | None
    diff: str | None = Field(
        description="Unified, from this text to the newer one. Null unless asked for with "
        "`diff=true`, and where there is no newer one or the texts are too long to compare."
    )


# -- operations ----------------------------------------------------------------------------------


class AliveOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "alive"}]})

    status: Literal["alive"] = "alive"


class PartOut(_Out):
    """A part, and what is wrong with it in words."""

    part: Literal["catalog", "vector_store", "model", "index", "embedder", "disk"]
    reason: str


class ReadyOut(_Out):
    """`reasons` keep the server from being ready; `warnings` don't."""

    model_config = ConfigDict(json_schema_extra={"examples": examples.READINESS})

    status: Literal["ready", "not_ready"]
    reasons: list[PartOut]
    warnings: list[PartOut]


class ModelOut(_Out):
    name: str
    status: str
    detail: str


class EmbedderOut(_Out):
    embedder: str
    weights_sha256: str
    dimension: int
    splitter: str


class SettingsOut(_Out):
    """The settings that a client can run into."""

    question_chars: int
    answer_seconds: float
    context_tokens: int
    file_mb: int
    keep_versions: int


class AboutOut(_Out):
    model_config = ConfigDict(json_schema_extra={"examples": [examples.ABOUT]})

    name: str
    version: str
    corpus_version: int
    documents: int
    passages: int
    model: ModelOut
    embedder: EmbedderOut | None = Field(description="What the index was made with.")
    gate: dict[str, object] = Field(description="Measured error rates of the refusals.")
    verifier: dict[str, object] = Field(
        description="The sentence checks' measured error rates, by set of claims."
    )
    settings: SettingsOut
