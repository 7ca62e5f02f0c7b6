"""What was asked and answered before."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import KB
from api.stored import (
    ConversationListedOut,
    ConversationOut,
    ConversationsOut,
    DeletedConversationOut,
    StandingOut,
    StoredAnswerOut,
    TurnOut,
)
from kb.standing import standings

router = APIRouter(tags=["conversations"])

MOST_LISTED = 200
MOST_SKIPPED = 1_000_000

Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="How many are listed at most.")]
Offset = Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="How many are skipped.")]


@router.get("/v1/conversations", summary="List the conversations")
def conversations(kb: KB, limit: Limit = 50, offset: Offset = 0) -> ConversationsOut:
    """Everybody's, the one with the newest question first. Where keys are asked for, one with the
    scope `admin`."""
    page, total = kb.journal.conversations(limit, offset)
    listed = [ConversationListedOut.model_validate(one) for one in page]
    return ConversationsOut(total=total, conversations=listed)


@router.get("/v1/conversations/{conversation_id}", summary="One conversation")
def conversation(conversation_id: str, kb: KB) -> ConversationOut:
    """Its answers as they were given, oldest first. The revisions that they cite are kept as long
    as they are."""
    turns = [TurnOut.model_validate(turn) for turn in kb.journal.turns(conversation_id)]
    return ConversationOut(id=conversation_id, turns=turns)


@router.delete("/v1/conversations/{conversation_id}", summary="Delete a conversation")
def delete_conversation(conversation_id: str, kb: KB) -> DeletedConversationOut:
    """Its answers go, and the feedback on them."""
    gone = kb.journal.delete(conversation_id)
    return DeletedConversationOut(id=conversation_id, answers=gone)


@router.get("/v1/answers/{answer_id}", summary="One stored answer")
def answer(answer_id: str, kb: KB) -> StoredAnswerOut:
    """As it was given, and what has become of its sources since."""
    turn = kb.journal.answer(answer_id)
    version = kb.catalog.current_version()
    found = standings(kb.database, turn.answer, version)
    return StoredAnswerOut(
        **dict(TurnOut.model_validate(turn)),
        corpus_version=version,
        standings=[StandingOut.model_validate(one) for one in found],
    )
