"""Questions to begin with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import KB
from api.schemas import SuggestionsOut

MOST = 20

router = APIRouter(tags=["questions"])


@router.get("/v1/suggestions", summary="Questions that the documents answer")
def suggestions(kb: KB, count: Annotated[int, Query(ge=1, le=MOST)] = 6) -> SuggestionsOut:
    """Phrased from the headings, rows and questions of the current corpus version: those that
    together show best what it is about. Fewer where it holds fewer."""
    version = kb.catalog.current_version()
    found = kb.suggestions.central(version, count)
    return SuggestionsOut(corpus_version=version, suggestions=list(found))
