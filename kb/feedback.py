"""What readers thought of answers: one rating an answer, which they may change."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select

from kb.database import Database
from kb.errors import AnswerNotFound
from kb.journal_rows import Rating
from kb.schema import answers, feedback


@dataclass(frozen=True, slots=True)
class Feedback:
    """question: the one that was answered; given_at: seconds since the epoch."""

    answer_id: str
    question: str
    outcome: str
    rating: Rating
    comment: str | None
    given_at: float


class FeedbackBook:
    """Goes with its answers: what expires or is deleted takes its feedback along."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now

    def give(self, answer_id: str, rating: Rating, comment: str | None = None) -> Feedback:
        """In place of what was given before. Raises AnswerNotFound."""
        now = self._now()
        with self._database.writing() as connection:
            # the first statement writes: two that replace each other's rating take turns
            connection.execute(delete(feedback).where(feedback.c.answer_id == answer_id))
            asked = select(answers.c.question, answers.c.outcome).where(answers.c.id == answer_id)
            row = connection.execute(asked).one_or_none()
            if row is None:
                raise AnswerNotFound(
                    f"no stored answer {answer_id!r}: it expired, was deleted, or was never "
                    "stored; feedback can't be kept without it"
                )
            given = {"answer_id": answer_id, "rating": rating, "comment": comment}
            connection.execute(insert(feedback).values(**given, given_at=now))
        return Feedback(answer_id, row.question, row.outcome, rating, comment, now)

    def given(
        self, limit: int, offset: int = 0, rating: Rating | None = None
    ) -> tuple[list[Feedback], int]:
        """At most `limit`, newest first, and how many there are with this rating."""
        columns = feedback.c
        chosen = [] if rating is None else [columns.rating == rating]
        query = (
            select(
                columns.answer_id,
                answers.c.question,
                answers.c.outcome,
                columns.rating,
                columns.comment,
                columns.given_at,
            )
            .join(answers)
            .where(*chosen)
            .order_by(columns.given_at.desc(), columns.answer_id)
        )
        counted = select(func.count()).select_from(feedback).where(*chosen)
        page = query.limit(limit).offset(offset)
        with self._database.reading() as connection:
            found = [Feedback(*row) for row in connection.execute(page)]
            return found, connection.scalar(counted) or 0
