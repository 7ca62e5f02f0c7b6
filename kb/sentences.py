"""Model output to whole sentences, as they are completed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARKER = re.compile(r"\s*\[(\d{1,2}(?:\s*[,;]\s*\d{1,2})*)\]")
# A sentence ends at . ! or ? (closing quotes and markers included) before a space and a capital,
# a quote or a digit; abbreviations and list numbers don't end one.
_END = re.compile(r"[.!?][\"'”’)]*(?:\s*\[\d[\d,; ]*\])*(?=\s+[\"'“‘(*A-Z0-9-]|\s*\n)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|al|approx|resp|no|fig|inc|ltd|co|corp|dr|mr|ms|mrs|st|u\.s|u\.k)"
    r"|(?:^|\s)[A-Z]|(?:^|\n)\s*\d{1,2})\.$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence without its markers, and the passage numbers that it claims to rest on."""

    text: str
    markers: tuple[int, ...]


def split(text: str) -> list[str]:
    """Sentences of a finished text, stripped, markers kept."""
    return list(completed([text]))


def completed(pieces: Iterable[str]) -> Iterator[str]:
    """Each sentence as soon as the next one begins; the rest at the end."""
    buffer = ""
    for piece in pieces:
        buffer += piece
        while (cut := _cut(buffer)) is not None:
            sentence, buffer = buffer[:cut].strip(), buffer[cut:]
            if sentence:
                yield sentence
    if buffer.strip():
        yield buffer.strip()


def _cut(buffer: str) -> int | None:
    line = buffer.find("\n", len(buffer) - len(buffer.lstrip()))
    for match in _END.finditer(buffer):
        if 0 <= line < match.start():
            break
        if not _ABBREVIATION.search(buffer[: match.start() + 1]):
            return match.end()
    return line + 1 if line >= 0 else None


def read(sentence: str) -> Written:
    """Takes [1], [2, 3] and list marks out of a written sentence."""
    numbers = [int(n) for m in _MARKER.finditer(sentence) for n in re.findall(r"\d+", m.group(1))]
    text = _BULLET.sub("", _MARKER.sub("", sentence)).replace("**", "")
    return Written(" ".join(text.split()), tuple(dict.fromkeys(numbers)))
