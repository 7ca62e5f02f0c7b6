"""What goes around every request: an id, security headers, and limits to its body."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from types import MappingProxyType

from anyio import current_time, move_on_after
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.logs import REQUEST

BODY_BYTES = 1_000_000
# A body must be here after so long, and so much longer as it is large at a slow line's pace.
BODY_SECONDS = 30.0
SLOWEST_BYTES_A_SECOND = 10_000
REQUEST_ID = "X-Request-Id"
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # a proxy's own id is kept when it is harmless
_LENGTH = re.compile(r"[0-9]{1,18}")

_SECURITY: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def security_headers(path: str) -> dict[str, str]:
    """Answers and documents stay out of shared caches; static files are asked about each time."""
    caching = "no-cache" if path == "/" or path.startswith(("/static/", "/docs")) else "no-store"
    return {**_SECURITY, "Cache-Control": caching}


def id_of(scope: Scope) -> str:
    """The request's id, wherever in its handling it is asked for."""
    return str(scope["state"]["request_id"])


class Envelope:
    """ASGI middleware. Plain, because a wrapped `receive` must still tell of a client's leaving."""

    def __init__(
        self,
        app: ASGIApp,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        body_bytes: Mapping[str, int] = MappingProxyType({}),
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        """body_bytes: by path, of routes whose bodies have a limit of their own; one that ends in
        a slash is of all that is below it."""
        self._body_seconds = body_seconds
        self._app = app
        self._body_bytes = body_bytes
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request_id = given if _GIVEN_ID.fullmatch(given) else self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST.set(request_id)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = request_id
                for name, value in security_headers(scope["path"]).items():
                    headers.setdefault(name, value)
            await send(message)

        path = scope["path"]
        below = self._body_bytes.get(path[: path.rfind("/") + 1], BODY_BYTES)
        most = self._body_bytes.get(path, below)
        await self._app(scope, _limited(scope, receive, most, self._body_seconds), sending)


def _limited(scope: Scope, receive: Receive, most: int, seconds: float) -> Receive:
    """`receive`, which raises HTTPException 413 once the body is known to be over the limit, and
    408 once it takes too long. After the body it waits for the client's leaving, without end."""
    announced = Headers(scope=scope).get("content-length", "")
    size = int(announced) if _LENGTH.fullmatch(announced) else 0
    too_large = HTTPException(413, f"the body is over {most} bytes; send less")
    too_slow = HTTPException(
        408, "the body took too long to arrive; send it faster", {"Connection": "close"}
    )
    received = 0
    started: float | None = None
    more = True

    async def limited() -> Message:
        nonlocal received, started, more
        if size > most:
            raise too_large
        if not more:
            return await receive()
        started = started or current_time()
        pause = current_time() - started
        with move_on_after(seconds + received / SLOWEST_BYTES_A_SECOND - pause) as waiting:
            message = await receive()
        if waiting.cancelled_caught:
            raise too_slow
        more = message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > most:
            raise too_large
        return message

    return limited
