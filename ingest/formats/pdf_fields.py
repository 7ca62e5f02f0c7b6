"""What is filled in on a PDF's form and written on its pages: no part of what is drawn there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pypdf import PageObject
from pypdf.generic import ArrayObject, DictionaryObject

from ingest.formats.pdf_words import Word

_HIDDEN = 2  # of an annotation's flags
_LINE = 13.0  # points, of a line of text in a field
_MOST = 10_000  # fields and notes of a page
_RISE = 0.25  # of the line's height, from a box's edge to its text
_MOST_PARENTS = 20


def fields_of(page: PageObject) -> list[Word]:
    """As words that stand where they are seen."""
    notes = page.get("/Annots")
    notes = notes.get_object() if notes is not None else []
    return [word for note in list(notes or [])[:_MOST] for word in _words(note.get_object())]


def _words(note: Any) -> Iterator[Word]:
    if not isinstance(note, DictionaryObject) or int(note.get("/F", 0)) & _HIDDEN:
        return
    text, box = _text(note), note.get("/Rect")
    if not text or not isinstance(box, ArrayObject) or len(box) != 4:
        return
    left, low, right, high = (float(edge) for edge in box)
    left, right, low, high = min(left, right), max(left, right), min(low, high), max(low, high)
    lines = [line for line in text.splitlines() if line.strip()]
    height = min(_LINE, (high - low) / max(1, len(lines)))
    first = low + _RISE * height if len(lines) == 1 else high - height
    for number, line in enumerate(lines):
        yield from _spread(line, left, right, first - number * height, height)


def _spread(line: str, left: float, right: float, bottom: float, size: float) -> Iterator[Word]:
    """Words of a line that stand close together, wherever exactly."""
    one = (right - left) / max(1, len(line))
    step = min(one, size / 2)
    at = left
    for word in line.split():
        end = at + step * len(word)
        yield Word(word, at, end, bottom, size)
        at = end + step * 0.5


def _text(note: DictionaryObject) -> str:
    kind = note.get("/Subtype")
    if kind == "/FreeText":
        return str(note.get("/Contents") or "")
    if kind != "/Widget":
        return ""
    if _inherited(note, "/FT") == "/Btn":
        return _ticked(note)
    value = _inherited(note, "/V")
    if isinstance(value, ArrayObject):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)


def _ticked(note: DictionaryObject) -> str:
    """A button to press says nothing; of a box and a round one which are chosen."""
    state = note.get("/AS")
    if state is None:
        return ""
    return "☐" if state == "/Off" else "☒"


def _inherited(note: DictionaryObject, key: str) -> Any:
    """Several boxes of one field have what they share above them."""
    for _ in range(_MOST_PARENTS):
        if key in note:
            return note[key]
        above = note.get("/Parent")
        if above is None:
            return None
        note = above.get_object()
    return None
