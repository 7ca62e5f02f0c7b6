"""Where a request leads, before anything of it is carried out."""

from __future__ import annotations

from starlette.routing import Match
from starlette.types import Scope

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def leads_somewhere(scope: Scope) -> bool:
    """Whether some route takes the request. What leads to none is told so, by the router."""
    return any(route.matches(scope)[0] is Match.FULL for route in scope["app"].routes)


def methods_of(scope: Scope) -> tuple[str, ...]:
    """Those that the request's path takes. The router's own refusal names those of one route, and
    several can have the same path."""
    return tuple(one for one in METHODS if leads_somewhere({**scope, "method": one}))
