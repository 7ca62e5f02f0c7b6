"""Earlier corpus versions, as long as they are kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.corpus import ChangeOut, ChangesOut, RolledBackOut, VersionOut, VersionsOut
from api.deps import KB
from api.requests import LARGEST_VERSION

router = APIRouter(tags=["versions"])

Number = Annotated[int, Path(ge=0, le=LARGEST_VERSION)]


@router.get("/v1/versions", summary="List the corpus versions")
def versions(kb: KB) -> VersionsOut:
    """Those that are kept: a question can name one as its `corpus_version`."""
    listed = [VersionOut.model_validate(one) for one in kb.catalog.versions()]
    return VersionsOut(current=kb.catalog.current_version(), versions=listed)


@router.get("/v1/versions/{before}/diff/{after}", summary="What differs between two versions")
def diff(before: Number, after: Number, kb: KB) -> ChangesOut:
    """Documents that were added, removed or replaced from the one to the other."""
    changes = [ChangeOut.model_validate(one) for one in kb.catalog.changes(before, after)]
    return ChangesOut(before=before, after=after, changes=changes)


@router.post(
    "/v1/versions/{number}/rollback",
    summary="Go back to an earlier version",
)
def rollback(number: Number, kb: KB) -> RolledBackOut:
    """Makes a new version with what that one holds; nothing is embedded again. Where keys
    are asked for, one with the scope `admin`."""
    return RolledBackOut(corpus_version=kb.upkeep.roll_back(number))
