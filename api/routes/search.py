"""Ranked passages, without generation."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import KB, JsonOnly
from api.described import REFUSED
from api.requests import SearchIn, narrowed
from api.schemas import HitOut, SearchOut

router = APIRouter(tags=["questions"])


@router.post(
    "/v1/search",
    responses={404: REFUSED},
    dependencies=[JsonOnly],
    summary="Find passages",
)
def search(body: SearchIn, kb: KB) -> SearchOut:
    """The best passages of one corpus version, best first, with each stage's score. `degraded`:
    the vector store was away, and they were found by their words only."""
    version = kb.answering.pin(body.question, body.corpus_version)
    found = kb.search(
        body.question, narrowed(body.filters), body.count, version, words_will_do=True
    )
    hits = [HitOut.model_validate(hit) for hit in found.hits]
    return SearchOut(
        question=body.question, corpus_version=version, degraded=found.by_words_only, hits=hits
    )
