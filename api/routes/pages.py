"""The page, its files, and this server's documentation: nothing is loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

FILES = StaticFiles(directory=Path(__file__).parent.parent / "static")

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    return await FILES.get_response("index.html", request.scope)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def docs(request: Request) -> Response:
    return await FILES.get_response("docs.html", request.scope)
