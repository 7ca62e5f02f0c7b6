"""The catalog's record of ingests: what was asked for, how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Row, delete, insert, null, select, update

from kb.database import Database
from kb.schema import jobs


@dataclass(frozen=True, slots=True)
class JobRow:
    """A row of the table, less its number. task, progress, report and failure are JSON; times are
    seconds since the epoch."""

    id: str
    home: str
    state: str
    task: str
    created_at: float
    attempts: int = 0
    base_version: int | None = None
    progress: str | None = None
    report: str | None = None
    failure: str | None = None
    note: str | None = None
    idempotency_key: str | None = None
    fingerprint: str | None = None
    started_at: float | None = None
    ended_at: float | None = None


_COLUMNS = tuple(jobs.c[field.name] for field in fields(JobRow))
# Of ten thousand documents a report is a megabyte.
_LISTED = tuple(null().label("report") if c is jobs.c.report else c for c in _COLUMNS)


class JobLog:
    """Safe to share between threads. Every method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, row: JobRow) -> None:
        with self._database.writing() as connection:
            connection.execute(insert(jobs).values(asdict(row)))

    def save(self, row: JobRow) -> None:
        """Puts the row in place of the one with its id."""
        with self._database.writing() as connection:
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(asdict(row)))

    def find(self, job_id: str) -> JobRow | None:
        return self._one(jobs.c.id == job_id)

    def with_key(self, idempotency_key: str) -> JobRow | None:
        return self._one(jobs.c.idempotency_key == idempotency_key)

    def unfinished(self, home: str) -> list[JobRow]:
        """Those that this server took and that have no end, in their order."""
        query = select(*_COLUMNS).where(jobs.c.home == home, jobs.c.ended_at.is_(None))
        with self._database.reading() as connection:
            return _rows(connection.execute(query.order_by(jobs.c.number)).all())

    def latest(self, count: int) -> list[JobRow]:
        """At most `count`, the last one first, without their reports."""
        query = select(*_LISTED).order_by(jobs.c.number.desc()).limit(count)
        with self._database.reading() as connection:
            return _rows(connection.execute(query).all())

    def prune(self, keep: int) -> None:
        """Removes all that have ended but the last `keep` of them."""
        ended = select(jobs.c.number).where(jobs.c.ended_at.is_not(None))
        newest = ended.order_by(jobs.c.ended_at.desc(), jobs.c.number.desc())
        with self._database.writing() as connection:
            old = connection.scalars(newest.offset(keep)).all()
            if old:
                connection.execute(delete(jobs).where(jobs.c.number.in_(old)))

    def _one(self, condition: Any) -> JobRow | None:
        with self._database.reading() as connection:
            row = connection.execute(select(*_COLUMNS).where(condition)).one_or_none()
        return None if row is None else JobRow(**row._mapping)


def _rows(found: Sequence[Row[Any]]) -> list[JobRow]:
    return [JobRow(**row._mapping) for row in found]
