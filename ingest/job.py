"""An ingest that was asked for: what it is to read, how far it is, and how it ended."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from ingest.pipeline import Report
from kb.job_log import JobRow

State = Literal["queued", "running", "cancelling", "finished", "failed", "cancelled", "interrupted"]
ENDED: frozenset[State] = frozenset({"finished", "failed", "cancelled", "interrupted"})


@dataclass(frozen=True, slots=True)
class Task:
    """What a job is to read: `paths` of the corpus folder, all of it without any; or `files`
    documents that were sent. folder: the corpus folder; settle_seconds: a file that changed since
    is left out. switch: reads nothing, and makes an index current that was built beside this one.
    """

    kind: Literal["corpus", "files", "switch"]
    prune: bool = False
    dry_run: bool = False
    folder: str | None = None
    paths: tuple[str, ...] = ()
    files: int = 0
    settle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """How far a job is: `done` of `total` documents have been read, or embedded; a total of 0 is
    not known yet. passages: embedded so far, or known already; seconds_left: of embedding, as soon
    as it can be told."""

    what: str
    done: int
    total: int
    passages: int = 0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed; nothing of it became current."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Key:
    """What a client calls its request, so that it can send it again. fingerprint: of the request,
    64 characters."""

    value: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Job:
    """report: of a finished one; failure: of a failed or interrupted one; note: what else is to be
    said of it. attempts: how often it was begun; base_version: the current corpus version when it
    last was. Times are seconds since the epoch."""

    id: str
    home: str
    task: Task
    created_at: float
    state: State = "queued"
    key: Key | None = None
    attempts: int = 0
    base_version: int | None = None
    progress: Step | None = None
    report: Report | None = None
    failure: Failure | None = None
    note: str | None = None
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def ended(self) -> bool:
        return self.state in ENDED


def new_id() -> str:
    return uuid.uuid4().hex


_STATE: TypeAdapter[State] = TypeAdapter(State)
_TASK: TypeAdapter[Task] = TypeAdapter(Task)
_STEP: TypeAdapter[Step] = TypeAdapter(Step)
_REPORT: TypeAdapter[Report] = TypeAdapter(Report)
_FAILURE: TypeAdapter[Failure] = TypeAdapter(Failure)


def row_of(job: Job) -> JobRow:
    return JobRow(
        job.id,
        job.home,
        job.state,
        _json(_TASK, job.task),
        job.created_at,
        job.attempts,
        job.base_version,
        _json_or_none(_STEP, job.progress),
        _json_or_none(_REPORT, job.report),
        _json_or_none(_FAILURE, job.failure),
        job.note,
        None if job.key is None else job.key.value,
        None if job.key is None else job.key.fingerprint,
        job.started_at,
        job.ended_at,
    )


def job_of(row: JobRow) -> Job:
    key = row.idempotency_key
    return Job(
        row.id,
        row.home,
        _TASK.validate_json(row.task),
        row.created_at,
        _STATE.validate_python(row.state),
        None if key is None else Key(key, row.fingerprint or ""),
        row.attempts,
        row.base_version,
        None if row.progress is None else _STEP.validate_json(row.progress),
        None if row.report is None else _REPORT.validate_json(row.report),
        None if row.failure is None else _FAILURE.validate_json(row.failure),
        row.note,
        row.started_at,
        row.ended_at,
    )


def _json_or_none(kind: TypeAdapter[Any], value: object | None) -> str | None:
    return None if value is None else _json(kind, value)


def _json(kind: TypeAdapter[Any], value: object) -> str:
    """Names of files needn't be text; what isn't becomes question marks."""
    text = json.dumps(kind.dump_python(value), ensure_ascii=False)
    return text.encode(errors="replace").decode()
