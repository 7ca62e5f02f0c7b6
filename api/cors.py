"""Which other sites' pages may ask here: those of the allowed origins, and only what the widget
needs. An allowed origin may ask; it may not change documents."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.envelope import REQUEST_ID

_WIDGET = re.compile(
    r"/v1/(?:ask|feedback|suggestions|widget/token"
    r"|documents/[^/]+/revisions/[^/]+|conversations/[^/]+)"
)


class WidgetOrigins:
    """ASGI middleware. origins: as browsers send them, https://example.com; none: no other site."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._shared = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID"],
            expose_headers=[REQUEST_ID, "Retry-After"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        widget = scope["type"] == "http" and _WIDGET.fullmatch(scope["path"])
        await (self._shared if widget else self._app)(scope, receive, send)
