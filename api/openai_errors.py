"""Failures as clients of OpenAI's interface expect them, on its routes only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse

_PATHS = ("/v1/chat/completions", "/v1/models")
_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}
_CODES = {"unknown_model": "model_not_found"}  # the one code that clients look at
_PARAMS = {"unknown_model": "model"}


def speaks(path: str | None) -> bool:
    return path is not None and any(path == p or path.startswith(f"{p}/") for p in _PATHS)


def error(status: int, message: str, code: str, param: str | None = None) -> dict[str, Any]:
    """The body. A status that this interface does not use is told as the nearest that it does."""
    kind = _TYPES.get(status, "invalid_request_error")
    named = param or _PARAMS.get(code)
    told = {"message": message, "type": kind, "param": named, "code": _CODES.get(code, code)}
    return {"error": told}


def response(
    status: int, message: str, code: str, param: str | None, headers: Mapping[str, str]
) -> JSONResponse:
    told = 400 if status == 422 else status
    return JSONResponse(error(status, message, code, param), told, headers)
