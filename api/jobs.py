"""What responses say of ingests."""

from __future__ import annotations

from pydantic import AliasPath, ConfigDict, Field

from api import examples
from api.schemas import _Out
from ingest.jobs import State


class StepOut(_Out):
    """`done` of `total` documents have been read, or embedded."""

    what: str
    done: int
    total: int


class FailedOut(_Out):
    """A file that was left out, and why."""

    path: str
    code: str
    message: str


class ReportOut(_Out):
    """What became of the documents, by id. Of a dry run: what would have."""

    version: int = Field(description="The current corpus version afterwards.")
    add: list[str] = Field(validation_alias=AliasPath("plan", "add"))
    replace: list[str] = Field(validation_alias=AliasPath("plan", "replace"))
    keep: list[str] = Field(validation_alias=AliasPath("plan", "keep"))
    remove: list[str] = Field(validation_alias=AliasPath("plan", "remove"))
    failed: list[FailedOut]
    passages: int
    embedded: int = Field(description="Passages that were new; the others were known already.")


class FailureOut(_Out):
    """Why a job failed; nothing of it became current."""

    code: str
    message: str


class JobOut(_Out):
    """`report` once it is finished, `error` once it has failed."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.JOB]})

    id: str
    state: State
    progress: StepOut | None
    report: ReportOut | None
    error: FailureOut | None = Field(validation_alias="failure")


class AcceptedOut(_Out):
    """`GET /v1/jobs/{job_id}` says how far it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACCEPTED]})

    job: JobOut
