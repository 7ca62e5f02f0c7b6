"""Answering with a memory: a conversation's stored turns come in, what is answered is stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from kb.answering.answer import Answering
from kb.errors import StoreUnavailable
from kb.events import Answered, Ask, Event
from kb.journal import Journal
from kb.types import Answer

log = logging.getLogger("weighbridge.journal")


def remembered(
    answering: Answering,
    journal: Journal,
    ask: Ask,
    cancelled: Callable[[], bool],
    answer_id: str | None = None,
) -> Iterator[Event]:
    """Answering's events. Where only a conversation is named, its stored turns are the history.
    answer_id: what the answer is to be called, for who must name it before it is there. An answer
    that nobody waits for any more is not stored. Raises what Answering raises."""
    for event in answering.events(_continued(ask, journal), cancelled):
        if isinstance(event, Answered):
            answer = replace(event.answer, id=answer_id or event.answer.id)
            if not cancelled():
                _stored(answer, journal)
            event = Answered(answer)
        yield event


def _continued(ask: Ask, journal: Journal) -> Ask:
    if ask.history or ask.conversation_id is None:
        return ask
    return replace(ask, history=journal.history(ask.conversation_id))


def _stored(answer: Answer, journal: Journal) -> None:
    """A catalog that can't be written to, as with a full disk, still answers. What was offered
    with a refusal is not kept: it is made from documents that may be deleted."""
    try:
        journal.record(replace(answer, suggestions=()))
    except StoreUnavailable as error:
        log.warning("answer %s could not be stored: %s", answer.id, error)
