"""What routes ask for by annotation."""

from __future__ import annotations

from typing import Annotated

from anyio import CapacityLimiter
from fastapi import Depends, HTTPException, Request

from kb.wiring import KnowledgeBase


def _kb(request: Request) -> KnowledgeBase:
    kb: KnowledgeBase = request.app.state.kb
    return kb


def _asking(request: Request) -> CapacityLimiter:
    asking: CapacityLimiter = request.app.state.asking
    return asking


def json_only(request: Request) -> None:
    """Raises HTTPException 415. A body of another type would be taken for a wrong field."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise HTTPException(415)


KB = Annotated[KnowledgeBase, Depends(_kb)]
Asking = Annotated[CapacityLimiter, Depends(_asking)]
JsonOnly = Depends(json_only)
