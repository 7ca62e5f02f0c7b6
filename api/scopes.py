"""What each route asks of a key."""

from __future__ import annotations

import re

from kb.keys import EVERYTHING, Scope

ASK, READ, INGEST, ADMIN = Scope.ASK, Scope.READ, Scope.INGEST, Scope.ADMIN

# Pages and what they load, for everyone: they hold nothing that is stored here. Whether it lives
# and is ready is for balancers, which have no key.
_OPEN = re.compile(
    r"/|/docs|/openapi\.json|/widget\.(?:js|css)|/source/[^/]+/[^/]+|/static(?:/.*)?"
    r"|/livez|/readyz|/v1/widget/token"
)
# Those of which one is enough, by method and path.
_RULES: tuple[tuple[frozenset[Scope], str, str], ...] = (
    (frozenset({ASK}), "POST", r"/v1/(?:ask|search|chat/completions|feedback)"),
    (frozenset({ASK}), "GET", r"/v1/models(?:/.+)?|/v1/suggestions|/v1/answers/[^/]+"),
    (frozenset({ASK}), "GET|DELETE", r"/v1/conversations/[^/]+"),  # who knows the id
    (frozenset({READ}), "GET", r"/v1/documents(?:/[^/]+(?:/revisions/[^/]+)?)?"),
    (frozenset({READ}), "GET", r"/v1/versions(?:/[^/]+/diff/[^/]+)?"),
    (frozenset({INGEST}), "PUT|DELETE", r"/v1/documents/[^/]+"),
    (frozenset({INGEST}), "POST", r"/v1/ingest(?:/files)?|/v1/jobs/[^/]+/cancel"),
    (frozenset({INGEST}), "GET", r"/v1/jobs(?:/[^/]+(?:/events)?)?"),
    (EVERYTHING, "GET", r"/v1/about|/metrics"),  # figures, no texts
)
_COMPILED = tuple((scopes, re.compile(of), re.compile(path)) for scopes, of, path in _RULES)
_QUESTION = re.compile(r"/v1/(?:ask|search|chat/completions)")


def scopes_for(method: str, path: str) -> frozenset[Scope] | None:
    """Any one of them will do; None: no key is asked for. What no rule names is for `admin`, so
    that a new route is closed until someone has decided."""
    if _OPEN.fullmatch(path):
        return None
    method = "GET" if method == "HEAD" else method
    for scopes, methods, paths in _COMPILED:
        if methods.fullmatch(method) and paths.fullmatch(path):
            return scopes | {ADMIN}
    return frozenset({ADMIN})


def is_question(method: str, path: str) -> bool:
    """Whether it counts towards the day's questions."""
    return method == "POST" and _QUESTION.fullmatch(path) is not None
