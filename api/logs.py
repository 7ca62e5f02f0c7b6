"""Lines of the server's log, each with the request that it is about."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

REQUEST: ContextVar[str] = ContextVar("request")  # its id; worker threads inherit it
FIGURES = "figures"  # of a record: what its message says as key=value

# One line a weights request, a change of a file, a batch of traces: of no use to who reads on.
_CHATTY = ("httpx", "watchfiles")
# What would end the line and begin one of the sender's own, or have a terminal hide something.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class _Lines(logging.Formatter):
    """Text, with the id of the request where the message doesn't name it. Only a traceback takes
    more lines than one."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        line = _UNSAFE.sub(_escaped, super().formatMessage(record))
        request = REQUEST.get("")
        return f"{line} request={request}" if request and request not in line else line


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


class _JsonLines(logging.Formatter):
    """One object a line: `time`, `level`, `logger`, `message`, `request`, and a record's figures
    under their own names."""

    def format(self, record: logging.LogRecord) -> str:
        figures: Mapping[str, object] = getattr(record, FIGURES, {})
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := REQUEST.get(""):
            told["request"] = request
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps({**figures, **told}, ensure_ascii=False, default=str)


def formatter(log_format: Literal["text", "json"]) -> logging.Formatter:
    return _JsonLines() if log_format == "json" else _Lines()


def configure(log_format: Literal["text", "json"]) -> None:
    """Of the whole process."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
