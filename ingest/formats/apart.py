"""Reads the formats whose libraries a malicious file could hang, fill or crash, in a process of
their own with limits on its time and memory."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from ingest.formats.parsed import Parsed, Reader
from ingest.front_matter import FrontMatter
from kb.errors import FileDamaged, FileTooComplex, UnreadableFile, leaves
from kb.reading import Lost, Reading

# By suffix: module and reader, which only the child imports.
READERS = {
    ".pdf": ("ingest.formats.pdf", "read_pdf"),
    ".docx": ("ingest.formats.docx", "read_docx"),
    ".pptx": ("ingest.formats.pptx", "read_pptx"),
    ".xlsx": ("ingest.formats.xlsx", "read_xlsx"),
    ".odt": ("ingest.formats.odt", "read_odt"),
    ".epub": ("ingest.formats.epub", "read_epub"),
    ".eml": ("ingest.formats.eml", "read_eml"),
    ".rst": ("ingest.formats.rst", "read_rst"),
    ".ipynb": ("ingest.formats.notebook", "read_notebook"),
}
_ROOT = Path(__file__).resolve().parents[2]
_CHILD = (
    "import sys; sys.path.insert(0, sys.argv[1]); from ingest.formats.apart import main; main()"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """cpu_seconds: a hundred pages take about two; wall_seconds: the same on a busy machine."""

    cpu_seconds: int = 120
    wall_seconds: float = 600.0
    memory_mb: int = 2000  # of address space, of which much is never used


def reader_of(suffix: str, limits: Limits | None = None) -> Reader:
    """The reader of that suffix in a process of its own."""

    def read(uri: str, data: bytes) -> Parsed:
        return _read_apart(suffix, uri, data, limits or Limits())

    return read


def _read_apart(suffix: str, uri: str, data: bytes, limits: Limits) -> Parsed:
    """Raises UnreadableFile, whatever happens to the child."""
    request = json.dumps({"suffix": suffix, "uri": uri, **asdict(limits)}).encode() + b"\n"
    too_long = (
        f"{uri}: takes more than {limits.cpu_seconds} seconds to read; "
        "split it, or print it to a new file"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _CHILD, str(_ROOT)],
            input=request + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=limits.wall_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FileTooComplex(too_long) from error
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise FileTooComplex(too_long)
    try:
        return _told(json.loads(done.stdout))
    except ValueError as error:
        raise FileDamaged(
            f"{uri}: its reader broke off at it; open it, save it again and ingest the copy"
        ) from error


def _told(reply: Mapping[str, object]) -> Parsed:
    if "code" in reply:
        kinds = {leaf.code: leaf for leaf in leaves(UnreadableFile)}
        raise kinds[str(reply["code"])](str(reply["message"]))
    facts = reply["facts"]
    assert isinstance(facts, dict)
    return Parsed(
        FrontMatter(**facts), str(reply["text"]), bool(reply["paged"]), _reading(reply["reading"])
    )


def _reading(reply: object) -> Reading:
    assert isinstance(reply, dict)
    return Reading(tuple(Lost(**one) for one in reply["lost"]), tuple(reply["notes"]))


# -- in the child --------------------------------------------------------------------------------


def main() -> None:
    """One request: a line of JSON and the file's bytes on stdin; the reply is JSON on stdout."""
    replies, sys.stdout = sys.stdout.buffer, sys.stderr  # what a library prints is no reply
    request = json.loads(sys.stdin.buffer.readline())
    _confine(request["cpu_seconds"], request["memory_mb"])
    sys.excepthook = _reporting(replies, request["uri"])
    module, name = READERS[request["suffix"]]
    read: Reader = getattr(import_module(module), name)
    parsed = read(request["uri"], sys.stdin.buffer.read())
    _reply(replies, asdict(parsed))


def _confine(cpu_seconds: int, memory_mb: int) -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),  # it reads, and writes no file
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory_mb * 1_000_000),
    ):
        soft, hard = resource.getrlimit(kind)
        bounds = [most, *(limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)]
        resource.setrlimit(kind, (min(bounds), hard))


def _reporting(
    replies: BinaryIO, uri: str
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """What a reader raises as a reply: a damaged file makes the libraries raise anything."""

    def report(
        kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        if not isinstance(error, UnreadableFile):
            error = _as_unreadable(uri, kind)
        _reply(replies, {"code": error.code, "message": str(error)})

    return report


def _as_unreadable(uri: str, kind: type[BaseException]) -> UnreadableFile:
    if issubclass(kind, MemoryError):
        return FileTooComplex(f"{uri}: needs too much memory to read; split it")
    if issubclass(kind, RecursionError):
        return FileTooComplex(f"{uri}: is nested too deeply; save a copy in a simpler form")
    return FileDamaged(
        f"{uri}: is damaged ({kind.__name__} while reading it); "
        "open it, save it again and ingest the copy"
    )


def _reply(replies: BinaryIO, value: Mapping[str, object]) -> None:
    replies.write(json.dumps(value).encode())
    replies.flush()
