"""What was asked and answered, conversation by conversation, until it expires or is deleted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Select, delete, func, insert, select, tuple_

from kb import rows
from kb.database import Database
from kb.errors import AnswerNotFound, ConversationNotFound, StoreUnavailable
from kb.journal_rows import (
    BODY,
    IN_ORDER,
    Conversation,
    Turn,
    messages,
    quotes,
    stored_conversations,
    stored_turns,
    to_row,
    turn,
)
from kb.schema import answer_citations, answers, feedback, revisions
from kb.types import Answer, Message

log = logging.getLogger("weighbridge.journal")

DAY = 86_400.0
SWEEP_SECONDS = 3_600.0  # expired conversations go at most this late
HISTORY_TURNS = 10  # what a follow-up can refer to; nobody means "it" of eleven questions ago


class Journal:
    """Safe to share between threads. `days` after its last question a conversation is removed;
    with 0 nothing is stored, and what was stored before goes with the first use."""

    def __init__(self, database: Database, days: int, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._days = days
        self._now = now
        self._swept_at = float("-inf")

    # -- writing ---------------------------------------------------------------------------------

    def record(self, answer: Answer) -> None:
        """Stores an answer as its conversation's next turn. One that quotes what was deleted
        while it was written is not stored. Raises StoreUnavailable."""
        self._sweep_now_and_then()
        if not self._days:
            return
        asked_at = self._now() - answer.timings_ms.get("total", 0) / 1000
        quoted = quotes(answer)
        with self._database.writing() as connection:
            connection.execute(insert(answers).values(**to_row(answer, asked_at)))
            if quoted:
                connection.execute(insert(answer_citations), quoted)
                # only here: from its first row on, this transaction keeps other writers out
                if _some_deleted(connection, quoted):
                    _remove(connection, [answer.id])

    def delete(self, conversation_id: str) -> int:
        """Returns how many answers went. Raises ConversationNotFound."""
        gone = self._remove_all(
            select(answers.c.id).where(answers.c.conversation_id == conversation_id)
        )
        if not gone:
            raise _unknown(conversation_id)
        return gone

    def forget_document(self, document_id: str) -> int:
        """Removes every stored answer that quotes any revision of the document, be it in a
        citation or as a passage shown with a refusal. Returns how many went."""
        quoting = select(answer_citations.c.answer_id).distinct()
        return self._remove_all(quoting.where(answer_citations.c.document_id == document_id))

    def expire(self) -> int:
        """Removes conversations whose last question is too old. Returns how many answers went."""
        self._swept_at = self._now()
        oldest = self._swept_at - self._days * DAY
        expired = (
            select(answers.c.conversation_id)
            .group_by(answers.c.conversation_id)
            .having(func.max(answers.c.asked_at) <= oldest)
        )
        return self._remove_all(select(answers.c.id).where(answers.c.conversation_id.in_(expired)))

    def _sweep_now_and_then(self) -> None:
        if self._now() - self._swept_at < SWEEP_SECONDS:
            return
        try:
            self.expire()
        except StoreUnavailable as error:  # a full disk must not keep answers from being read
            log.warning("expired conversations could not be removed: %s", error)

    def _remove_all(self, chosen: Select[str]) -> int:
        with self._database.reading() as connection:
            if connection.execute(chosen.limit(1)).first() is None:
                return 0  # the usual case takes no writer's turn
        with self._database.writing() as connection:
            ids = list(connection.scalars(chosen))
            _remove(connection, ids)
        return len(ids)

    # -- reading ---------------------------------------------------------------------------------

    def answer(self, answer_id: str) -> Turn:
        """Raises AnswerNotFound."""
        self._sweep_now_and_then()
        with self._database.reading() as connection:
            found = connection.execute(stored_turns().where(answers.c.id == answer_id))
            row = found.one_or_none()
        if row is None:
            raise AnswerNotFound(
                f"no stored answer {answer_id!r}: it expired, was deleted, or was never stored; "
                "ask the question again"
            )
        return turn(row)

    def turns(self, conversation_id: str) -> list[Turn]:
        """Oldest first. Raises ConversationNotFound."""
        self._sweep_now_and_then()
        query = stored_turns().where(answers.c.conversation_id == conversation_id)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(*IN_ORDER)).all()
        if not found:
            raise _unknown(conversation_id)
        return [turn(row) for row in found]

    def history(self, conversation_id: str) -> tuple[Message, ...]:
        """The last turns as messages, oldest first; none of a conversation that is unknown."""
        self._sweep_now_and_then()
        query = (
            select(answers.c.body)
            .where(answers.c.conversation_id == conversation_id)
            .order_by(*(column.desc() for column in IN_ORDER))
            .limit(HISTORY_TURNS)
        )
        with self._database.reading() as connection:
            newest_first = [BODY.validate_json(body) for body in connection.scalars(query)]
        return tuple(one for answer in reversed(newest_first) for one in messages(answer))

    def conversations(self, limit: int, offset: int = 0) -> tuple[list[Conversation], int]:
        """At most `limit`, the one with the newest question first, and how many there are."""
        self._sweep_now_and_then()
        counted = select(func.count(answers.c.conversation_id.distinct()))
        page = stored_conversations().limit(limit).offset(offset)
        with self._database.reading() as connection:
            found = [Conversation(*row) for row in connection.execute(page)]
            return found, connection.scalar(counted) or 0

    def cited_revisions(self) -> set[tuple[str, str]]:
        """(document id, revision) of every text that a stored answer quotes: as long as the
        answer is kept, so is what it points at."""
        self._sweep_now_and_then()
        query = select(answer_citations.c.document_id, answer_citations.c.revision).distinct()
        with self._database.reading() as connection:
            return {(row.document_id, row.revision) for row in connection.execute(query)}


def _some_deleted(connection: Connection, quoted: Sequence[Mapping[str, object]]) -> bool:
    pairs = {(one["document_id"], one["revision"]) for one in quoted}
    both = tuple_(revisions.c.document_id, revisions.c.revision)
    query = select(func.count()).select_from(revisions).where(both.in_(list(pairs)))
    return connection.scalar(query) != len(pairs)


def _remove(connection: Connection, ids: Sequence[str]) -> None:
    for batch in rows.batches(ids):
        connection.execute(delete(feedback).where(feedback.c.answer_id.in_(batch)))
        connection.execute(delete(answer_citations).where(answer_citations.c.answer_id.in_(batch)))
        connection.execute(delete(answers).where(answers.c.id.in_(batch)))


def _unknown(conversation_id: str) -> ConversationNotFound:
    return ConversationNotFound(
        f"no stored conversation {conversation_id!r}: it expired, was deleted, or was never "
        "stored; GET /v1/conversations lists them"
    )
