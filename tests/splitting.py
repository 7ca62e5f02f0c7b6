"""Texts to split, and counters of their tokens."""

from __future__ import annotations

from ingest.sentences import TokenCounter
from ingest.split import split
from kb.types import Document, Passage


def words(text: str) -> int:
    return len(text.split())


def document(text: str, title: str = "Title") -> Document:
    return Document("guide.md", title, None, "guide.md", None, text)


def prose(text: str, title: str = "Title", count: TokenCounter = words) -> list[Passage]:
    return [p for p in split(document(text, title), count) if p.kind == "prose"]


def quotes(passage: Passage, text: str) -> list[str]:
    return [text[unit.start : unit.end] for unit in passage.units]
