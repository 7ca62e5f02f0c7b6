"""Files that unpack, nest or expand without end, or lead elsewhere, sent with good ones: they are
read or refused by name, and the good ones are in."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from samples import MAIN, docx, rewritten
from starlette.testclient import TestClient

from api.errors import CODES

GOOD = b"# Good\n\nThe good file weighs 40 tonnes.\n"
SECONDS = 180.0  # for all of them; machines that test are busy
LINES = {"Content-Type": "application/x-ndjson"}


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def swollen() -> bytes:
    """A Word document of 100 kB whose text is 100 MB."""
    return rewritten(
        docx("Text."),
        lambda name, part: part.replace(b"Text.", b"a " * 50_000_000) if name == MAIN else part,
    )


def outside() -> bytes:
    """A Word document that names a file of the machine as part of itself."""

    def change(name: str, part: bytes) -> bytes:
        if name != MAIN:
            return part
        head, rest = part.split(b"?>", 1)
        entity = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
        return head + b"?>" + entity + rest.replace(b"Text.", b"&e;")

    return rewritten(docx("Text."), change)


def laughs() -> bytes:
    """A page whose entities, if expanded, were a billion words."""
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))
    return f"<?xml version='1.0'?><!DOCTYPE html [{entities}]><p>Laughing &e9;</p>".encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "swollen.docx": swollen,
    "outside.docx": outside,
    "slip.docx": lambda: zipped(**{"../../slip.md": b"out", "[Content_Types].xml": b"<x/>"}),
    "nested.docx": lambda: zipped(inner=zipped(inner=zipped(inner=b"0" * 10_000_000))),
    "laughs.html": laughs,
    "deep.html": lambda: b"<div>" * 100_000 + b"deep",
    "deep.json": lambda: b"[" * 100_000 + b"]" * 100_000,
    "objects.json": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "numbers.json": lambda: b"[" + b"9" * 100_000 + b", 1e999999999, NaN, -Infinity]",
    "deep.ipynb": lambda: b'{"cells":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "wide.csv": lambda: b"a," * 50_000 + b"\n" + b"1," * 50_000,
    "quote.csv": lambda: b'a,b\n"' + b"x," * 100_000,
    "line.md": lambda: b"a" * 1_000_000,
    "quoted.md": lambda: b">" * 50_000 + b" deep",
    "lists.md": lambda: b"".join(b" " * (2 * n) + b"- deep\n" for n in range(500)),
    "table.md": lambda: b"|" * 50_000 + b"\n" + b"|-" * 25_000 + b"\n",
    "fence.md": lambda: b"```\n" * 20_000,
    "front.md": lambda: b"---\na: &a [x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n---\n# Front\n\nText.\n",
    "python.md": lambda: b"---\na: !!python/object/apply:os.system ['id']\n---\n# Front\n",
}


def line(uri: str, content: bytes) -> str:
    return json.dumps({"uri": uri, "content_base64": base64.b64encode(content).decode()})


@pytest.mark.slow
def test_hostile_files_are_read_or_refused_by_name_and_good_ones_are_in(
    client: TestClient,
) -> None:
    lines = [line("first.md", GOOD)]
    lines += [line(name, made()) for name, made in HOSTILE.items()]
    lines += [line("last.md", GOOD)]

    sent = client.post("/v1/ingest/files", content="\n".join(lines), headers=LINES)
    job = finished(client, sent.json()["job"]["id"])

    report = job["report"]
    failed = {one["path"]: one for one in report["failed"]}
    assert job["state"] == "finished", job["error"]
    assert {"first.md", "last.md"} <= set(report["add"])
    assert set(failed) | set(report["add"]) == {"first.md", "last.md", *HOSTILE}
    assert {"swollen.docx", "slip.docx", "nested.docx"} <= set(failed)
    assert "python.md" in report["add"]  # its front matter runs nothing, and is told as unreadable
    for one in failed.values():
        assert one["code"] in CODES
        assert one["message"].startswith(one["path"])
        assert "Traceback" not in one["message"]
    found = client.post("/v1/search", json={"question": "What does the good file weigh?"}).json()
    assert "40 tonnes" in found["hits"][0]["text"]


def test_no_part_of_the_machine_gets_into_a_document(client: TestClient) -> None:
    secret = Path("/etc/hostname").read_text().strip()
    lines = [line("outside.docx", outside()), line("good.md", GOOD)]

    sent = client.post("/v1/ingest/files", content="\n".join(lines), headers=LINES)
    report = finished(client, sent.json()["job"]["id"])["report"]

    for name in report["add"]:
        revision = client.get(f"/v1/documents/{name}").json()["revisions"][0]["revision"]
        assert secret not in client.get(f"/v1/documents/{name}/revisions/{revision}").json()["text"]


def finished(client: TestClient, job_id: str) -> dict[str, Any]:
    """The job, once it has ended."""
    last = time.monotonic() + SECONDS
    while not (job := dict(client.get(f"/v1/jobs/{job_id}").json()))["ended_at"]:
        assert time.monotonic() < last, job
        time.sleep(0.05)
    return job
