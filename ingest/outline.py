"""Takes a text apart: sections under their headings, and in them paragraphs, items and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.clean import is_furniture
from ingest.headings import CALLOUT_LEVEL, TITLE_LEVEL, Heading, find_headings, is_byline
from ingest.lines import ITEM, going_on, indent, trimmed_lines
from ingest.sentences import Span, sentences
from ingest.tables import Table, find_tables

_FENCE = re.compile(r"(`{3,}|~{3,})")
_HEADING_MARKS = re.compile(r"#{1,6}[ \t]+|[-*+][ \t]+")
_LEADS_IN = re.compile(r":[*_\"”)\]]*$")
_BETWEEN = re.compile(r" \| ")


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph, list item or block of code. `units`: spans of its sentences. `leads`: what
    follows means little without it ("… if:", a question). `item`: it is one of a list."""

    start: int
    end: int
    units: tuple[Span, ...]
    leads: bool = False
    item: bool = False

    def by_unit(self) -> Iterator[Piece]:
        """Its sentences as pieces, which together hold all of it but white space."""
        starts = [self.start, *(start for start, _ in self.units[1:])]
        ends = [*(end for _, end in self.units[:-1]), self.end]
        for unit, start, end in zip(self.units, starts, ends, strict=True):
            yield Piece(start, end, (unit,), self.leads and end == self.end, self.item)


@dataclass(frozen=True, slots=True)
class Section:
    """heading: the headings above, joined by " > ", without the document's title."""

    heading: str
    blocks: tuple[Piece | Table, ...]


def outline(text: str, title: str) -> list[Section]:
    """The sections in the order of the text. Every line is in one of them, but for headings,
    which are in their `heading`, and page furniture."""
    return list(_Reading(text, title).sections())


class _Reading:
    """One pass over the lines of a text."""

    def __init__(self, text: str, title: str) -> None:
        self._text = text
        self._lines = trimmed_lines(text)
        self._going_on = going_on(text, self._lines)
        self._fences = _fenced(text, self._lines)
        self._tables = self._find_tables()
        taken = frozenset(
            at
            for first, (last, _) in [*self._fences.items(), *self._tables.items()]
            for at in range(first, last)
        )
        self._headings = find_headings(text, self._lines, taken, title)

    def sections(self) -> Iterator[Section]:
        marks = sorted(self._headings)
        ends = [*marks, len(self._lines)]
        yield from self._section([], None, 0, ends[0])
        path: list[Heading] = []
        for at, end in zip(marks, ends[1:], strict=True):
            heading = self._headings[at]
            path = [*(above for above in path if above.level < heading.level), heading]
            yield from self._section(path, at, at + 1, end)

    def _section(
        self, path: list[Heading], mark: int | None, first: int, last: int
    ) -> Iterator[Section]:
        blocks = list(self._blocks(first, last))
        if mark is not None and self._heading_is_content(path[-1], bool(blocks), last):
            blocks.insert(0, self._heading_piece(mark))
        # A box is a paragraph; where it ends the section around it goes on.
        boxed = 1 if path and path[-1].level == CALLOUT_LEVEL else len(blocks)
        for part, above in (blocks[:boxed], path), (blocks[boxed:], path[:-1]):
            if part:
                names = [heading.text for heading in above if heading.level != TITLE_LEVEL]
                yield Section(" > ".join(names), tuple(part))

    def _heading_piece(self, mark: int) -> Piece:
        start, end = self._lines[mark]
        marks = _HEADING_MARKS.match(self._text, start, end)
        start = marks.end() if marks else start
        return Piece(start, end, ((start, end),), leads=True)

    def _heading_is_content(self, heading: Heading, has_content: bool, following: int) -> bool:
        """A question belongs to its answer; a heading above nothing would be lost otherwise."""
        if heading.level == TITLE_LEVEL:
            return False
        below = self._headings.get(following)
        return heading.asks or not (has_content or (below and below.level > heading.level))

    def _blocks(self, at: int, last: int) -> Iterator[Piece | Table]:
        while at < last:
            if at in self._tables:
                at, table = self._tables[at]
                yield table
            elif at in self._fences:
                end, piece = self._fences[at]
                yield piece
                at = end
            elif self._is_empty(at):
                at += 1
            else:
                end = self._paragraph_end(at, last)
                yield self._piece(at, end)
                at = end

    def _paragraph_end(self, at: int, last: int) -> int:
        item = self._is_item(at)
        end = at + 1
        while end < last and self._goes_on(end, item):
            end += 1
        return end

    def _goes_on(self, at: int, item: bool) -> bool:
        """Whether a line belongs to the paragraph or item of the line above it."""
        if self._is_empty(at) or self._is_item(at) or at in self._tables or at in self._fences:
            return False
        return at - 1 in self._going_on or (item and indent(self._text, self._lines[at]) > 0)

    def _piece(self, first: int, last: int) -> Piece:
        start, end = self._lines[first][0], self._lines[last - 1][1]
        marker = ITEM.match(self._text, start, end)
        units = tuple(_statements(self._text, marker.end() if marker else start, end))
        leads = _LEADS_IN.search(self._text, start, end) is not None
        return Piece(start, end, units, leads, item=marker is not None)

    def _is_empty(self, at: int) -> bool:
        return is_furniture(self._line(at)) or is_byline(self._text, self._lines, at)

    def _is_item(self, at: int) -> bool:
        return ITEM.match(self._text, *self._lines[at]) is not None

    def _line(self, at: int) -> str:
        return self._text[slice(*self._lines[at])]

    def _find_tables(self) -> dict[int, tuple[int, Table]]:
        """Tables outside of code, by their first line, with the line after their last."""
        hidden = {at for first, (last, _) in self._fences.items() for at in range(first, last)}
        open_lines = [(0, 0) if at in hidden else line for at, line in enumerate(self._lines)]
        found = find_tables(self._text, open_lines)
        return {first: (last, table) for first, last, table in found}


def _fenced(text: str, lines: list[Span]) -> dict[int, tuple[int, Piece]]:
    """Fenced code by its first line, with the line after its last."""
    out: dict[int, tuple[int, Piece]] = {}
    opened: tuple[int, str] | None = None
    for at, (start, end) in enumerate(lines):
        fence = _FENCE.match(text, start, end)
        if fence is None:
            continue
        if opened is None:
            opened = at, fence[1]
        elif fence[1].startswith(opened[1]) and fence.end() == end:
            out[opened[0]] = (at + 1, _code(text, lines[opened[0] : at + 1]))
            opened = None
    return out


def _code(text: str, lines: list[Span]) -> Piece:
    inside = tuple(line for line in lines[1:-1] if line[0] < line[1])
    return Piece(lines[0][0], lines[-1][1], inside or ((lines[0][0], lines[-1][1]),))


def _statements(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences; a line of "name: figure | name: figure" states one thing between two bars."""
    for bar in [*_BETWEEN.finditer(text, start, end), None]:
        yield from sentences(text, start, bar.start() if bar else end)
        start = bar.end() if bar else end
