"""Plain text, and Markdown with the HTML that people put in it."""

from __future__ import annotations

import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterator

from ingest.data_uris import without_pictures
from ingest.formats.characters import characters
from ingest.formats.html.fragments import fragment
from ingest.formats.parsed import Parsed
from ingest.front_matter import FrontMatter, split_front_matter
from kb.reading import Lost, Reading

_FENCED = re.compile(
    r"^([ \t]*)(`{3,}|~{3,}).*?(?:^[ \t]*\2[`~]*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_OPENS = re.compile(r"<(table|dl)\b[^>]*>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FOLDED = re.compile(r"[ \t]*</?(?:details|summary)\b[^>]*>[ \t]*", re.IGNORECASE)
_PICTURE = re.compile(r"!\[[^\]\n]{0,1000}\][(\[]|<img\b[^>]*>", re.IGNORECASE)
_IMG = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(.*?)[ \t#]*$", re.MULTILINE)


def read_text(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid."""
    told = characters(uri, data)
    return Parsed(FrontMatter(), told.text, reading=Reading(notes=told.notes))


def read_markdown(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid."""
    told = characters(uri, data)
    split = split_front_matter(told.text.replace("\r\n", "\n"))
    text, lost = plain_markdown(split.text)
    return Parsed(split.facts, text, reading=Reading(lost, (*told.notes, *split.notes)))


def plain_markdown(text: str) -> tuple[str, tuple[Lost, ...]]:
    """The Markdown with its HTML tables as Markdown's; and what of it is no text."""
    lost: Counter[tuple[str, str]] = Counter()
    headings = [(found.start(), found[1]) for found in _HEADING.finditer(text)]
    parts: list[str] = []
    for start, part, is_code in _code_apart(text):
        parts.append(part if is_code else _without_html(part, start, headings, lost))
    return "".join(parts), tuple(Lost(kind, n, where) for (kind, where), n in lost.items())


def _code_apart(text: str) -> Iterator[tuple[int, str, bool]]:
    at = 0
    for found in _FENCED.finditer(text):
        yield at, text[at : found.start()], False
        yield found.start(), found[0], True
        at = found.end()
    yield at, text[at:], False


def _without_html(
    text: str, start: int, headings: list[tuple[int, str]], lost: Counter[tuple[str, str]]
) -> str:
    def under(at: int) -> str:
        above = bisect(headings, (start + at, "\U0010ffff"))
        return headings[above - 1][1] if above else ""

    for found in _PICTURE.finditer(text):
        lost["picture", under(found.start())] += 1
    for found in _COMMENT.finditer(text):
        lost["comment", under(found.start())] += 1
    text = without_pictures(text)
    if "<" not in text:
        return text
    text = _FOLDED.sub("\n\n", _IMG.sub("", _COMMENT.sub("", text)))
    return "".join(_with_tables(text))


def _with_tables(text: str) -> Iterator[str]:
    at = 0
    while opened := _OPENS.search(text, at):
        end = _closed(text, opened.start(), opened[1])
        made = fragment(text[opened.start() : end]).text
        if made:
            yield f"{text[at : opened.start()].rstrip()}\n\n{made}\n\n"
        else:
            yield text[at:end]
        at = end + len(text[end:]) - len(text[end:].lstrip("\n")) if made else end
    yield text[at:]


def _closed(text: str, start: int, tag: str) -> int:
    """Where the element that opens at `start` ends."""
    depth = 0
    for found in re.compile(rf"<(/?){tag}\b[^>]*>", re.IGNORECASE).finditer(text, start):
        depth += -1 if found[1] else 1
        if depth == 0:
            return found.end()
    return len(text)
