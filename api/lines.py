"""An upload as it arrives: one JSON object a line, so that neither side holds more than one."""

from __future__ import annotations

from collections.abc import AsyncIterator

from anyio import to_thread
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from api.requests import FileIn
from ingest.uploads import Upload

LINE_EXTRA = 20_000  # bytes of a line that are not content: its uri, and JSON's own


async def receive(request: Request, upload: Upload, max_bytes: int) -> None:
    """Puts every line's file into `upload`. max_bytes: of one file. Raises HTTPException 413,
    and 400 to nobody where the sender has gone; RequestValidationError, PathNotAllowed,
    StoreUnavailable."""
    number = 0
    try:
        async for line in _lines(request.stream(), 4 * (max_bytes + 3) // 3 + LINE_EXTRA):
            number += 1
            if line.strip():
                await to_thread.run_sync(_take, line, number, upload)
    except ClientDisconnect as error:
        raise HTTPException(400, "the sender went away before it was done") from error


def _take(line: bytearray, number: int, upload: Upload) -> None:
    try:
        FileIn.model_validate_json(line).put_into(upload)
    except ValidationError as error:
        found = [
            {**one, "loc": ("body", f"line {number}", *one["loc"]), "type": "invalid_line"}
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise RequestValidationError(found) from error


async def _lines(pieces: AsyncIterator[bytes], most: int) -> AsyncIterator[bytearray]:
    """Without their ends. Raises HTTPException 413 for one of more than `most` bytes."""
    pending = bytearray()
    async for piece in pieces:
        *ended, rest = piece.split(b"\n")
        for end in ended:
            yield _short(pending + end, most)
            pending.clear()
        pending += rest
        _short(pending, most)
    yield pending


def _short(line: bytearray, most: int) -> bytearray:
    if len(line) > most:
        raise HTTPException(413, f"a line is over {most} bytes; KB_FILE_MB limits a file")
    return line
