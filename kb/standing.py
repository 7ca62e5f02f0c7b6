"""Whether what stored answers quote still stands in the documents as they are by now."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from kb import rows
from kb.database import Database
from kb.schema import answer_citations, answers, memberships, revisions
from kb.types import Answer

MOST_AFFECTED = 100  # answers that a report names; it counts all

State = Literal["current", "moved", "changed", "removed"]
Why = Literal["changed", "removed"]
_INSIDE = re.compile(r"\w\w$|\d[.,]\d$")
_GOES_ON = re.compile(r"\w|[.,]\d")


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one citation. current: the cited revision is the newest. moved: a newer one has the quote
    as well, at `start:end`. changed: it has it no more. removed: the document is gone, and there
    is no newer revision."""

    marker: int
    state: State
    revision: str | None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Affected:
    """A stored answer that lost support: `documents` removed, or changed without its quote."""

    id: str
    why: Why
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AffectedAnswers:
    """The newest of them, and how many there are in all."""

    answers: tuple[Affected, ...] = ()
    total: int = 0


def place_of(quote: str, cited: str, start: int, text: str) -> tuple[int, int] | None:
    """Where `text` has the quote that `cited` has at `start`, whatever its line breaks; of several
    places the nearest one. "$2" doesn't stand in "$2.50", unless it was such a part as cited."""
    allowed = {(False, False), _cut(cited, start, start + len(quote))}
    places = (found.span() for found in _pattern(quote).finditer(text))
    fitting = (place for place in places if _cut(text, *place) in allowed)
    return min(fitting, key=lambda place: abs(place[0] - start), default=None)


def _pattern(quote: str) -> re.Pattern[str]:
    return re.compile(r"\s+".join(map(re.escape, quote.split())) or r"(?!)")


def _cut(text: str, start: int, end: int) -> tuple[bool, bool]:
    """Whether a word or figure at the span's start, and at its end, goes on outside of it."""
    ahead = _INSIDE.search(text[max(start - 2, 0) : start + 1])
    last = text[end - 1 : end]
    behind = (last.isalnum() or last in ".,") and _GOES_ON.match(text, end)
    return bool(ahead), bool(behind)


# -- one answer ----------------------------------------------------------------------------------


def standings(database: Database, answer: Answer, version: int) -> list[Standing]:
    """Of each citation, in their order, as seen from this corpus version."""
    cited = {citation.source.document_id for citation in answer.citations}
    with database.reading() as connection:
        current = _live(connection, version, cited)
        found: list[Standing] = []
        for one in answer.citations:
            document = one.source.document_id
            newest = current.get(document)
            if newest is None:
                found.append(Standing(one.marker, "removed", None))
            elif newest == one.source.revision:
                found.append(Standing(one.marker, "current", newest, one.start, one.end))
            else:
                cited_text = _text(connection, document, one.source.revision)
                now = _text(connection, document, newest)
                place = place_of(one.quote, cited_text, one.start, now)
                state: State = "moved" if place else "changed"
                found.append(Standing(one.marker, state, newest, *(place or (None, None))))
    return found


# -- all of them ---------------------------------------------------------------------------------


def affected(database: Database, before: int, after: int) -> AffectedAnswers:
    """The stored answers of which a quote stood in corpus version `before` and doesn't in `after`.
    One whose document changed and has the quote still is not among them."""
    lost: dict[str, dict[str, Why]] = {}
    asked: dict[str, float] = {}
    with database.reading() as connection:
        cited = set(connection.scalars(select(answer_citations.c.document_id).distinct()))
        old, new = _live(connection, before, cited), _live(connection, after, cited)
        for document in sorted(d for d in old if new.get(d) != old[d]):
            why: Why = "changed" if document in new else "removed"
            for row in _losing(connection, document, old[document], new.get(document)):
                lost.setdefault(row.answer_id, {})[document] = why
                asked[row.answer_id] = row.asked_at
    newest = sorted(lost, key=lambda answer: (-asked[answer], answer))[:MOST_AFFECTED]
    return AffectedAnswers(tuple(_told(answer, lost[answer]) for answer in newest), len(lost))


def _told(answer: str, documents: Mapping[str, Why]) -> Affected:
    worst: Why = "removed" if "removed" in documents.values() else "changed"
    return Affected(answer, worst, tuple(documents))


def _losing(connection: Connection, document: str, old: str, new: str | None) -> Iterator[Row[Any]]:
    """Its citations whose quote is in the old revision and not in the new one."""
    before = _text(connection, document, old)
    after = _text(connection, document, new) if new else ""
    columns = answer_citations.c
    query = (
        select(columns.answer_id, columns.revision, columns.start, columns.quote)
        .add_columns(answers.c.asked_at, answers.c.question)
        .join(answers)
        .where(columns.document_id == document, columns.marker.is_not(None))
    )
    texts = {old: before}
    for row in connection.execute(query):
        if row.revision not in texts:
            texts[row.revision] = _text(connection, document, row.revision)
        cited = row.quote, texts[row.revision], row.start
        if place_of(*cited, before) and not place_of(*cited, after):
            yield row


def _live(connection: Connection, version: int, documents: Collection[str]) -> dict[str, str]:
    """Document id to its revision."""
    query = select(memberships.c.document_id, memberships.c.revision).where(rows.live(version))
    found: dict[str, str] = {}
    for batch in rows.batches(documents):
        these = connection.execute(query.where(memberships.c.document_id.in_(batch)))
        found |= {row.document_id: row.revision for row in these}
    return found


def _text(connection: Connection, document: str, revision: str) -> str:
    """Empty where it isn't kept any more."""
    query = select(revisions.c.text).where(
        revisions.c.document_id == document, revisions.c.revision == revision
    )
    return connection.scalar(query) or ""
