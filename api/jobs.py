"""What responses say of ingests."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AliasPath, ConfigDict, Field

from api import examples
from api.schemas import _Out
from api.stored import AffectedOut
from ingest.job import State
from kb.standing import MOST_AFFECTED


class StepOut(_Out):
    """`done` of `total` documents have been read, or embedded; a total of 0 is not known yet."""

    what: str
    done: int
    total: int
    passages: int = Field(description="Embedded so far, or known already.")
    seconds_left: float | None = Field(description="As soon as it can be told.")


class TaskOut(_Out):
    """What a job is to read: `paths` of the corpus folder, all of it without any; or `files`
    documents that were sent; or none, to `switch` to an index that was built beside this one."""

    kind: Literal["corpus", "files", "switch"]
    paths: list[str]
    files: int
    prune: bool
    dry_run: bool


class FailedOut(_Out):
    """A file that was left out, and why."""

    path: str
    code: str
    message: str


class LostOfOut(_Out):
    """Something of a document's file that a person sees in it and that its text doesn't hold."""

    document_id: str = Field(validation_alias="document")
    kind: str
    count: int
    where: str


class NoteOnOut(_Out):
    """What was decided about a document while it was read, to be checked."""

    document_id: str = Field(validation_alias="document")
    note: str


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
    affected_total: int = Field(
        validation_alias=AliasPath("affected", "total"),
        description="Stored answers whose quotes are no longer in the documents that they cite.",
    )
    affected_answers: list[AffectedOut] = Field(
        validation_alias=AliasPath("affected", "answers"),
        description=f"Of those the newest, {MOST_AFFECTED} at most.",
    )
    lost: list[LostOfOut] = Field(description="Of the documents that were added or replaced.")
    notes: list[NoteOnOut] = Field(description="Likewise.")


class FailureOut(_Out):
    """Why a job failed or was undone; nothing of it became current."""

    code: str
    message: str


class ListedJobOut(_Out):
    """A job without its report. `error` once it has failed or was interrupted; `note` where
    there is more to say: that it was cancelled, or carried out again after a restart."""

    id: str
    state: State
    task: TaskOut
    progress: StepOut | None
    error: FailureOut | None = Field(validation_alias="failure")
    note: str | None
    created_at: datetime
    started_at: datetime | None = Field(description="When it was last begun.")
    ended_at: datetime | None


class JobOut(ListedJobOut):
    """A job; `report` once it is finished."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.JOB]})

    report: ReportOut | None


class JobsOut(_Out):
    """The last one first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.JOBS]})

    jobs: list[ListedJobOut]


class AcceptedOut(_Out):
    """`GET /v1/jobs/{job_id}` says how far it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ACCEPTED]})

    job: JobOut
