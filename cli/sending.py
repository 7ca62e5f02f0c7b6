"""An ingest through the server that owns the index: what is found here is sent there."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.interrupts import Interrupted
from cli.progress import Shows
from cli.remote import Server, Wire, reported
from kb.errors import JobCancelled, JobEnded

if TYPE_CHECKING:  # trafilatura takes a second: only where files are read
    from ingest.identity import Known
    from ingest.pipeline import Report

SERVER_SECONDS = 60.0  # of silence, once everything is sent
POLL_SECONDS = 0.2
UNDER_WAY = frozenset({"queued", "running", "cancelling"})


class Sending:
    """One ingest. stop: cancels it."""

    def __init__(self, server: Server, shows: Shows, stop: threading.Event) -> None:
        self._server = server
        self._shows = shows
        self._stop = stop
        self._names: dict[str, str] = {}  # the paths here, by uri

    def send(
        self, paths: Sequence[Path], prune: bool, dry_run: bool, settle_seconds: float = 0.0
    ) -> Report:
        """What an ingest of these paths reports, carried out by the server. Raises what it reports,
        and Interrupted, with nothing changed."""
        max_bytes = int(self._server.about()["settings"]["file_mb"]) * 1_000_000
        lines = self._lines(paths, max_bytes, settle_seconds)
        return self.waited(self._server.ingest(lines, prune, dry_run))

    def waited(self, job: Wire) -> Report:
        """What the job reports in the end. Raises as `send` does."""
        job = self._ended(job)
        if job["error"] is not None:
            raise reported(job["error"]["code"], job["error"]["message"])
        if job["state"] == "cancelled":
            told = job["note"] or ""
            raise Interrupted(told) if self._stop.is_set() else JobCancelled(told)
        return _report(job["report"], self._names)

    def _ended(self, job: Wire) -> Wire:
        asked = False
        while job["state"] in UNDER_WAY:
            if step := job["progress"]:
                self._shows(
                    step["what"], step["done"], step["total"], step["passages"],
                    step["seconds_left"],
                )  # fmt: skip
            if self._stop.is_set() and not asked:
                asked = True
                job = self._cancelled(job)
                continue
            time.sleep(POLL_SECONDS)
            job = self._server.job(job["id"])
        return job

    def _cancelled(self, job: Wire) -> Wire:
        try:
            return self._server.cancel(job["id"])
        except JobEnded:  # it was faster
            return self._server.job(job["id"])

    def _known(self) -> Known:
        """The server's documents: it doesn't tell where they were read from."""
        from ingest.identity import Known

        listed = self._server.documents()["documents"]
        return Known.of((one["uri"], None) for one in listed)

    def _lines(
        self, paths: Sequence[Path], max_bytes: int, settle_seconds: float
    ) -> Iterator[bytes]:
        """The body of the upload, a file at a time."""
        from ingest.readers import contents, find
        from ingest.steady import Steady
        from kb.errors import UnreadableFile

        steady = Steady(settle_seconds)
        found, refused = find(paths, known=self._known())
        for path, error in refused:
            yield _refusal(path, error.code, str(error))
        for done, (path, root) in enumerate(found, 1):
            if self._stop.is_set():
                raise Interrupted("nothing was sent to the end, and nothing changed")
            try:
                before = steady.check(path)
                uri, data = contents(path, root, max_bytes)
                steady.check_unchanged(path, before)
            except UnreadableFile as error:
                yield _refusal(path, error.code, str(error))
            else:
                self._names[uri] = str(path)
                yield _line({"uri": uri, "content_base64": base64.b64encode(data).decode()})
            self._shows("sending", done, len(found), 0, None)


def _refusal(path: Path, code: str, message: str) -> bytes:
    return _line({"uri": str(path), "failed": {"code": code, "message": message}})


def _line(value: Wire) -> bytes:
    # Names of files needn't be text, and half a character can't be sent.
    text = json.dumps(value, ensure_ascii=False) + "\n"
    return text.encode(errors="replace")


def _report(wire: Wire, names: dict[str, str]) -> Report:
    from ingest.items import Failed
    from ingest.lost import LostOf, NoteOn
    from ingest.pipeline import Report
    from ingest.plan import Plan
    from kb.standing import Affected, AffectedAnswers

    plan = Plan(*(tuple(wire[part]) for part in ("add", "replace", "keep", "remove")))
    failed = [Failed(**one) for one in wire["failed"]]
    here = tuple(replace(one, path=names.get(one.path, one.path)) for one in failed)
    affected = AffectedAnswers(
        tuple(
            Affected(one["id"], one["why"], tuple(one["documents"]))
            for one in wire["affected_answers"]
        ),
        wire["affected_total"],
    )
    lost = (
        LostOf(one["document_id"], one["kind"], one["count"], one["where"])
        for one in wire.get("lost", ())  # a server of the release before doesn't tell
    )
    notes = (NoteOn(one["document_id"], one["note"]) for one in wire.get("notes", ()))
    return Report(
        wire["version"], plan, here, wire["passages"], wire["embedded"], affected,
        tuple(lost), tuple(notes),
    )  # fmt: skip
