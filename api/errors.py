"""Every failure as one shape: RFC 9457 `application/problem+json` with a stable code."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api import examples, openai_errors
from api.envelope import id_of, security_headers
from api.matching import methods_of
from kb import access_errors as access
from kb import errors as kb

log = logging.getLogger("weighbridge.api")

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5  # after a 503: long enough for a model to load, short enough to wait for
MOST_FIELDS = 20  # a request with a thousand wrong fields needs no thousand lines
FIELD_CHARS = 100

# Every leaf of the tree, in its order.
STATUS: Mapping[type[kb.WeighbridgeError], int] = {
    kb.EmptyQuestion: 422,
    kb.QuestionTooLong: 422,
    kb.InvalidFilter: 422,
    kb.PathNotAllowed: 422,
    kb.DocumentNotFound: 404,
    kb.RevisionNotFound: 404,
    kb.VersionNotFound: 404,
    kb.JobNotFound: 404,
    kb.ConversationNotFound: 404,
    kb.AnswerNotFound: 404,
    access.KeyNotFound: 404,
    kb.FileMissing: 404,
    kb.FileEmpty: 422,
    kb.FileTooLarge: 413,
    kb.FileChanging: 409,
    kb.FormatUnsupported: 415,
    kb.FileIsBinary: 415,
    kb.EncodingInvalid: 422,
    kb.FrontMatterInvalid: 422,
    kb.FileEncrypted: 422,
    kb.FileDamaged: 422,
    kb.FileWithoutText: 422,
    kb.FileTooComplex: 413,
    kb.IndexMismatch: 503,
    kb.StoreInUse: 503,
    kb.StoreUnavailable: 503,
    kb.MigrationIncomplete: 409,
    kb.TooManyJobs: 503,
    kb.ServerStopping: 503,
    kb.JobInterrupted: 503,
    kb.JobCancelled: 409,
    kb.JobEnded: 409,
    kb.IdempotencyKeyReused: 409,
    access.KeyMissing: 401,
    access.KeyInvalid: 401,
    access.TokenInvalid: 401,
    access.ScopeMissing: 403,
    access.OriginNotAllowed: 403,
    access.HostNotTrusted: 421,
    access.TooManyRequests: 429,
    access.QuotaUsed: 429,
    kb.ModelNotReady: 503,
    kb.ModelFailed: 503,
    kb.UnknownModel: 404,
    kb.Overloaded: 503,
    kb.WeightsMissing: 503,
    kb.WeightsCorrupt: 503,
    kb.WeightsUnavailable: 503,
    kb.EncoderMismatch: 503,
    kb.SettingsInvalid: 500,
    kb.ServerUnreachable: 503,
    kb.PortTaken: 500,
    kb.WorkersUnavailable: 500,
}

# What HTTP itself refuses, before anything of ours has run: code and what to do.
_HTTP: Mapping[int, tuple[str, str]] = {
    400: ("invalid_json", "the body is no JSON; send one JSON object in UTF-8"),
    404: ("route_not_found", "nothing is here; /docs lists every route"),
    405: (
        "method_not_allowed",
        "this route does not take that method; the Allow header names those it takes",
    ),
    408: ("body_too_slow", "the body took too long to arrive"),
    413: ("body_too_large", "the body is too large"),
    415: ("unsupported_media_type", "the body is of a type that this route does not take"),
}
_SAID_BY_THE_ROUTE = (408, 413, 415)
INVALID_REQUEST = "invalid_request"
INTERNAL_ERROR = "internal_error"

# Every code that a client can meet, with its status.
CODES: Mapping[str, int] = {
    **{code: status for status, (code, _) in _HTTP.items()},
    INVALID_REQUEST: 422,
    **{leaf.code: status for leaf, status in STATUS.items()},
    INTERNAL_ERROR: 500,
}


class FieldError(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457. `type` leads to the code's entry in this server's own documentation."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROBLEM]})

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = None
    errors: list[FieldError] | None = Field(None, description="One entry a wrong field.")


def problem(
    code: str,
    detail: str,
    instance: str | None = None,
    errors: Sequence[FieldError] | None = None,
) -> Problem:
    return Problem(
        type=f"/docs#{code}",
        title=code.replace("_", " ").capitalize(),
        status=CODES[code],
        detail=detail,
        code=code,
        instance=instance,
        errors=list(errors) if errors else None,
    )


def problem_of(error: kb.WeighbridgeError, instance: str | None = None) -> Problem:
    return problem(error.code, str(error), instance)


def install(app: FastAPI) -> None:
    """The handlers, the last of which is the only one that catches everything."""
    app.add_exception_handler(kb.WeighbridgeError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def response_to(error: kb.WeighbridgeError, path: str) -> Response:
    body = problem_of(error, path)
    headers: dict[str, str] = {}
    if isinstance(error, access.TooSoon):
        headers["Retry-After"] = str(error.retry_seconds)
    if body.status == 401:
        sent = "" if isinstance(error, access.KeyMissing) else ', error="invalid_token"'
        headers["WWW-Authenticate"] = f'Bearer realm="weighbridge"{sent}'
    return _response(body, headers)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, kb.WeighbridgeError)
    return response_to(error, request.scope["path"])


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return _response(problem("invalid_json", _HTTP[400][1], request.scope["path"]))
    fields = [_field_error(one) for one in found[:MOST_FIELDS]]
    named = "; ".join(f"{one.field}: {one.message}" for one in fields)
    detail = f"the request does not fit: {named}"
    return _response(problem(INVALID_REQUEST, detail, request.scope["path"], fields))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code, advice = _HTTP.get(error.status_code, (INTERNAL_ERROR, ""))
    own = error.detail if error.status_code in _SAID_BY_THE_ROUTE else advice
    headers = dict(error.headers or {})
    if "Allow" in headers and (methods := methods_of(request.scope)):
        headers["Allow"] = ", ".join(methods)
    return _response(problem(code, own, request.scope["path"]), headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    """Runs outside every middleware, so it adds the headers itself."""
    request_id = id_of(request.scope)
    log.error(
        "request failed request=%s path=%s", request_id, request.scope["path"], exc_info=error
    )
    detail = f"something went wrong; the server's log says what, at request {request_id}"
    headers = {**security_headers(request.scope["path"]), "X-Request-Id": request_id}
    return _response(problem(INTERNAL_ERROR, detail, request.scope["path"]), headers)


def _field_error(found: Mapping[str, Any]) -> FieldError:
    """Never echoes values: they may be private, or what UTF-8 can't hold."""
    path = ".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0])
    name = path[:FIELD_CHARS].encode("utf-8", "replace").decode()
    message = "unknown field" if found["type"] == "extra_forbidden" else str(found["msg"])
    return FieldError(field=name, message=message)


def _response(body: Problem, headers: Mapping[str, str] | None = None) -> Response:
    more = {"Retry-After": str(RETRY_SECONDS)} if body.status == 503 else {}
    if openai_errors.speaks(body.instance):
        param = body.errors[0].field if body.errors else None
        told = {**(headers or {}), **more}
        return openai_errors.response(body.status, body.detail, body.code, param, told)
    return Response(
        body.model_dump_json(exclude_none=True),
        body.status,
        {**(headers or {}), **more},
        MEDIA_TYPE,
    )
