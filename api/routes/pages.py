"""The page, the source viewer, the widget for other pages, and this server's documentation:
nothing is loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

FILES = StaticFiles(directory=Path(__file__).parent.parent / "static")

# Our pages run and load only what this server has, and what is text can't become markup.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
# The widget is the same for everyone, and made to be loaded by other sites; what it then asks for
# is not.
_FOR_EVERYONE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-cache",
}

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def page(request: Request) -> Response:
    return await _page("index.html", request)


@router.api_route("/docs", methods=["GET", "HEAD"])
async def docs(request: Request) -> Response:
    return await _page("docs.html", request)


@router.api_route("/source/{document_id}/{revision}", methods=["GET", "HEAD"])
async def source(document_id: str, revision: str, request: Request) -> Response:
    """The same for every document: the page fetches the text, with the reader's own rights."""
    return await _page("source.html", request)


@router.api_route("/widget.js", methods=["GET", "HEAD"])
async def widget(request: Request) -> Response:
    return await _for_everyone("widget.js", request)


@router.api_route("/widget.css", methods=["GET", "HEAD"])
async def widget_style(request: Request) -> Response:
    return await _for_everyone("widget.css", request)


async def _page(name: str, request: Request) -> Response:
    response = await FILES.get_response(name, request.scope)
    response.headers.update({"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"})
    return response


async def _for_everyone(name: str, request: Request) -> Response:
    response = await FILES.get_response(name, request.scope)
    response.headers.update(_FOR_EVERYONE)
    return response
