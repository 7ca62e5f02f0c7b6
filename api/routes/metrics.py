"""Figures for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

router = APIRouter(tags=["operations"])


@router.get("/metrics", include_in_schema=False)  # for one program, in its own format
def metrics(request: Request) -> Response:
    """Latencies by stage, outcomes, the line before the model, the index, jobs, requests."""
    request.app.state.levels.refresh()
    page: bytes = request.app.state.metrics.page()
    return Response(page, media_type=CONTENT_TYPE_PLAIN_0_0_4)
