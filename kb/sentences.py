"""Model output to whole sentences, as they are completed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kb.boundaries import LONGEST_WORD, boundaries, next_word

_NUMBERS = r"\d{1,2}(?:\s{0,2}(?:[-–,;&]|and)\s{0,2}\d{1,2}){0,5}"
# From the first of the spaces before it only: a long run of spaces takes no time.
_MARKER = re.compile(rf"(?:(?<!\s)\s++)?\[(?:passages?\s)?({_NUMBERS})\]", re.IGNORECASE)
_MARKERS = re.compile(rf"(?:\s*\[(?:passages?\s)?{_NUMBERS}\])*", re.IGNORECASE)
_HALF_A_MARKER = re.compile(r"\[[\w\s,;&–-]{0,60}$")
_BULLET = re.compile(r"^\s*(?:[-*•]|#{1,6}|\d{1,2}[.)])\s+")
_ITEM_NUMBER = re.compile(r"\s*\d{1,2}\.")
# The reader knows no passages: the phrase becomes a marker.
_ACCORDING = re.compile(
    rf"^(?:according to|as stated in|based on|in)\s+(?:the\s+)?passages?\s+\[?({_NUMBERS})\]?,\s*"
    rf"|^passages?\s+\[?({_NUMBERS})\]?\s+(?:states?|says?|mentions?)\s+that\s+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A sentence without its markers, and the passage numbers that it claims to rest on."""

    text: str
    markers: tuple[int, ...]


def split(text: str) -> list[str]:
    """Sentences of a finished text, stripped, markers kept."""
    return list(completed([text]))


def completed(pieces: Iterable[str]) -> Iterator[str]:
    """Each sentence, with the markers behind it, as soon as the next one's first word is there;
    the rest at the end. A line's end ends a sentence. How the text is cut makes no difference."""
    buffer = ""
    for piece in pieces:
        buffer += piece
        while (line := buffer.find("\n")) >= 0:
            yield from _sentences(buffer[:line])
            buffer = buffer[line + 1 :]
        while (cut := _first_end(buffer, _bare(buffer), 0, finished=False)) is not None:
            yield buffer[:cut].strip()
            buffer = buffer[cut:]
    yield from _sentences(buffer)


def read(sentence: str) -> Written:
    """Takes [1], [2, 3], "According to passage 4," and list marks out of a written sentence."""
    text = _MARKER.sub("", _BULLET.sub("", sentence).replace("**", ""))
    named = _ACCORDING.match(text)
    if named:
        text = text[named.end() : named.end() + 1].upper() + text[named.end() + 1 :]
    groups = [match[1] for match in _MARKER.finditer(sentence)]
    groups += [group for group in (named.groups() if named else ()) if group]
    numbers = [int(number) for group in groups for number in re.findall(r"\d+", group)]
    return Written(" ".join(text.split()), tuple(dict.fromkeys(numbers)))


def _sentences(line: str) -> Iterator[str]:
    bare, start = _bare(line), 0
    while (cut := _first_end(line, bare, start, finished=True)) is not None:
        yield line[start:cut].strip()
        start = cut
    if rest := line[start:].strip():
        yield rest


def _bare(line: str) -> str:
    """Spaces for markers: the next sentence's first word is behind them."""
    return _MARKER.sub(lambda match: " " * len(match[0]), line)


def _first_end(line: str, bare: str, start: int, finished: bool) -> int | None:
    """Where the first sentence of line[start:] ends and another follows. Of an unfinished line only
    what no further letter can change: the next word is whole, and no marker is half written."""
    for end in boundaries(bare, start, len(bare)):
        word = next_word(bare, end, len(bare))
        if _ITEM_NUMBER.fullmatch(line, start, end) or (finished and not word):
            continue
        whole = word and (word.end() < len(bare) or len(word[0]) == LONGEST_WORD)
        if not finished and (not whole or _HALF_A_MARKER.search(bare, end)):
            return None
        markers = _MARKERS.match(line, end)
        return markers.end() if markers else end
    return None
