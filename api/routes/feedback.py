"""Thumbs up and down."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import KB, JsonOnly
from api.described import REFUSED
from api.routes.conversations import Limit, Offset
from api.stored import FeedbackIn, FeedbackOut, FeedbacksOut, Rating

router = APIRouter(tags=["conversations"])


@router.post(
    "/v1/feedback",
    responses={404: REFUSED},
    dependencies=[JsonOnly],
    summary="Rate an answer",
)
def give(body: FeedbackIn, kb: KB) -> FeedbackOut:
    """Stored with the answer, in place of an earlier rating, and removed with it."""
    given = kb.feedback.give(body.answer_id, body.rating, body.comment)
    return FeedbackOut.model_validate(given)


@router.get("/v1/feedback", summary="List the ratings")
def given(
    kb: KB, limit: Limit = 50, offset: Offset = 0, rating: Rating | None = None
) -> FeedbacksOut:
    """Everybody's, newest first. Where keys are asked for, one with the scope `admin`."""
    page, total = kb.feedback.given(limit, offset, rating)
    listed = [FeedbackOut.model_validate(one) for one in page]
    return FeedbacksOut(total=total, feedback=listed)
