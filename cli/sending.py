"""An ingest through the server that owns the index: what is found here is sent there."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.remote import Server, Wire, reported

if TYPE_CHECKING:  # trafilatura takes a second: only where files are read
    from ingest.pipeline import Progress, Report

SERVER_SECONDS = 60.0  # of silence, once everything is sent
POLL_SECONDS = 0.2


def send(
    server: Server,
    paths: Sequence[Path],
    prune: bool,
    dry_run: bool,
    progress: Progress,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """What an ingest of these paths reports, carried out by the server. Raises what it reports."""
    max_bytes = int(server.about()["settings"]["file_mb"]) * 1_000_000
    names: dict[str, str] = {}
    lines = _lines(paths, max_bytes, names, progress)
    job = server.ingest(lines, prune, dry_run)
    while job["state"] in {"queued", "running"}:
        sleep(POLL_SECONDS)
        job = server.job(job["id"])
        if step := job["progress"]:
            progress(step["what"], step["done"], step["total"])
    if job["error"] is not None:
        raise reported(job["error"]["code"], job["error"]["message"])
    return _report(job["report"], names)


def _lines(
    paths: Sequence[Path], max_bytes: int, names: dict[str, str], progress: Progress
) -> Iterator[bytes]:
    """The body of the upload, a file at a time; fills `names`, the paths here by uri."""
    from ingest.readers import contents, find
    from kb.errors import UnreadableFile

    found, refused = find(paths)
    for path, error in refused:
        yield _refusal(path, error.code, str(error))
    for done, (path, root) in enumerate(found, 1):
        try:
            uri, data = contents(path, root, max_bytes)
        except UnreadableFile as error:
            yield _refusal(path, error.code, str(error))
        else:
            names[uri] = str(path)
            yield _line({"uri": uri, "content_base64": base64.b64encode(data).decode()})
        progress("sending", done, len(found))


def _refusal(path: Path, code: str, message: str) -> bytes:
    return _line({"uri": str(path), "failed": {"code": code, "message": message}})


def _line(value: Wire) -> bytes:
    # Names of files needn't be text, and half a character can't be sent.
    text = json.dumps(value, ensure_ascii=False) + "\n"
    return text.encode(errors="replace")


def _report(wire: Wire, names: dict[str, str]) -> Report:
    from ingest.items import Failed
    from ingest.pipeline import Report
    from ingest.plan import Plan

    plan = Plan(*(tuple(wire[part]) for part in ("add", "replace", "keep", "remove")))
    failed = [Failed(**one) for one in wire["failed"]]
    here = tuple(replace(one, path=names.get(one.path, one.path)) for one in failed)
    return Report(wire["version"], plan, here, wire["passages"], wire["embedded"])
