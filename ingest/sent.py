"""One document that was sent on its own, under an id that its sender chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from ingest.items import Item, checked_uri
from ingest.readers import document
from kb.errors import FormatUnsupported
from kb.types import Document

SUFFIXES: Mapping[str, str] = {
    "text/markdown": ".md",
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".ndjson",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/epub+zip": ".epub",
    "message/rfc822": ".eml",
    "text/x-rst": ".rst",
    "application/x-ipynb+json": ".ipynb",
}


def sent(
    document_id: str, uri: str | None, media_type: str | None, data: bytes, max_bytes: int
) -> Document:
    """uri: what citations are to name; left out: the id. media_type: where the uri's ending does
    not tell the format, or tells a wrong one. Raises PathNotAllowed, UnreadableFile."""
    named = checked_uri(uri or document_id)
    suffix = _suffix(media_type) if media_type else PurePosixPath(named).suffix
    as_file = named if PurePosixPath(named).suffix.lower() == suffix else named + suffix
    found = document(as_file, data, max_bytes)
    return replace(found, id=document_id, uri=uri or as_file)


def item_of(one: Document) -> Item:
    """For an ingest of what has been read already."""
    return Item(one.uri, lambda _most_bytes: one)


def _suffix(media_type: str) -> str:
    plain = media_type.partition(";")[0].strip().lower()
    if plain not in SUFFIXES:
        raise FormatUnsupported(f"{plain[:100]!r} is none of {', '.join(SUFFIXES)}")
    return SUFFIXES[plain]
