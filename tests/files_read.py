"""Files to read, from a few bytes."""

from __future__ import annotations

from pathlib import Path

from ingest.readers import document
from kb.types import Document

LIMIT = 100_000


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def of(name: str, content: str | bytes) -> Document:
    return document(name, content.encode() if isinstance(content, str) else content, LIMIT)
