"""The application's description of itself: what each operation may refuse, and in which shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from api import errors
from api.auth import PROBES
from api.scopes import scopes_for

_SCHEMAS = "#/components/schemas/"
_RESPONSES = "#/components/responses/"
_EVENT_STREAM = "text/event-stream"

# What the router gives to every operation; `_refusals` spells out the statuses that it stands for,
# because a description that allows any status promises nothing.
FAILURE: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Any failure, with a stable code.",
        "content": {errors.MEDIA_TYPE: {"schema": {"$ref": f"{_SCHEMAS}Problem"}}},
    }
}
# A status that a route declares with this is one more that it refuses with.
REFUSED: dict[str, Any] = {"description": "Refused."}

_OF_EVERY_ROUTE = (500,)
_OF_NAMES = (421,)  # by which the server was called
_OF_CALLERS = (401, 403, 429, 503)  # who asks, and how often; and that the catalog can't be read
_OF_BODIES = (400, 408, 413, 415, 422)
_OF_PARAMETERS = (422,)
_OF_PATHS = (404,)
_WITH_RETRY_AFTER = (429, 503)
# An event as text/event-stream has it; the key is OpenAPI 3.2's, as FastAPI's own streams use it.
_EVENT: Mapping[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("event", "data", "id")},
    "required": ["data"],
}


class Described(FastAPI):
    """FastAPI, whose own description of itself includes the shape and the codes of failures."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            described = super().openapi()
            shape = errors.Problem.model_json_schema(ref_template=_SCHEMAS + "{model}")
            components = described["components"]
            components["schemas"] |= {**shape.pop("$defs"), "Problem": shape}
            components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            components["responses"] = {}
            for path, methods in described["paths"].items():
                for method, operation in methods.items():
                    _tell_refusals(operation, path, method, components["responses"])
                    _tell_events(operation)
            described["security"] = [{}, {"key": []}]  # a server without keys asks for none
            described["x-problem-codes"] = dict(errors.CODES)
        return super().openapi()


def _tell_refusals(
    operation: dict[str, Any], path: str, method: str, shared: dict[str, Any]
) -> None:
    """Puts a reference for every refusal in, and what it leads to into `shared`."""
    responses = operation["responses"]
    content = responses.pop("default")["content"]
    ours = errors.MEDIA_TYPE in content
    declared = {int(one) for one, told in responses.items() if told == REFUSED}
    found = declared | set(_refusals(operation, path, method))
    for status in sorted(found if ours else {400 if one == 422 else one for one in found}):
        if responses.get(str(status), REFUSED) == REFUSED:
            name = f"{'Problem' if ours else 'Error'}{status}"
            shared.setdefault(name, _refusal(status, content))
            responses[str(status)] = {"$ref": _RESPONSES + name}
    operation["responses"] = dict(sorted(responses.items()))


def _refusals(operation: dict[str, Any], path: str, method: str) -> Iterator[int]:
    yield from _OF_EVERY_ROUTE
    if path not in PROBES:
        yield from _OF_NAMES
    if scopes_for(method.upper(), path) is not None:
        yield from _OF_CALLERS
    if "requestBody" in operation:
        yield from _OF_BODIES
    parameters = operation.get("parameters", ())
    if parameters:
        yield from _OF_PARAMETERS
    if any(one["in"] == "path" for one in parameters):
        yield from _OF_PATHS


def _refusal(status: int, content: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": content}
    if status in _WITH_RETRY_AFTER:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 0}}
        told["headers"] = {"Retry-After": {**seconds, "required": True}}
    return told


def _tell_events(operation: dict[str, Any]) -> None:
    for response in operation["responses"].values():
        stream = response.get("content", {}).get(_EVENT_STREAM)
        if stream is not None:
            stream.pop("schema", None)
            stream["itemSchema"] = dict(_EVENT)
