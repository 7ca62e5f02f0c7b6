"""A table of a page as rows: every cell repeated where it holds, heads of two lines as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.formats.html.page import words
from ingest.tables import with_header

_MOST_CELLS = 500_000  # of a table; of one that claims more the spans mean harm
_MOST_SPAN = 1000  # what browsers allow for columns


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    head: bool
    whole: bool  # one cell over all of the columns


Line = list[_Cell]


def is_layout(table: Any) -> bool:
    """Whether it only puts things in their places."""
    if table.get("role") in ("presentation", "none") or _of(table, "table"):
        return True
    rows = _rows(table)
    return len(rows) < 2 or all(len(_cells(row)) < 2 for row, _ in rows)


def cells_of(table: Any) -> list[Any]:
    return [cell for row, _ in _rows(table) for cell in _cells(row)]


def table_rows(table: Any, text: Callable[[Any], str]) -> list[Sequence[str]]:
    """The first of them is the header. text: of a cell."""
    lines, heads = _grid(table, text)
    while heads < len(lines) and lines[heads] and all(cell.head for cell in lines[heads]):
        if lines[heads][0].whole and heads:
            break
        heads += 1
    if heads == len(lines):
        heads = min(1, heads)
    body = [[cell.text for cell in line] for line in _under_sections(lines[heads:])]
    width = max((*map(len, lines), *map(len, body)), default=0)
    if not heads:
        by_row = bool(lines) and all(line and line[0].head for line in lines)
        return [[""] * width, *body] if by_row else with_header(body)
    shift = max(map(len, body), default=0) - max(map(len, lines), default=0)
    return [[*[""] * max(0, shift), *_joined(lines[:heads])], *body]


def is_list_of_terms(rows: Sequence[Sequence[str]]) -> bool:
    """Two columns, and what a row is called in the first."""
    return len(rows[0]) == 2 and not any(rows[0]) and all(len(row) == 2 for row in rows)


def _grid(table: Any, text: Callable[[Any], str]) -> tuple[list[Line], int]:
    """Every place of the table, and how many lines its own head has."""
    rows = _rows(table)
    columns = max((sum(_span(c, "colspan") for c in _cells(row)) for row, _ in rows), default=0)
    spanning = columns * len(rows) <= _MOST_CELLS
    grid = _Grid(columns, len(rows), spanning, text)
    lines = [grid.line(_cells(row)) for row, _ in rows]
    heads = next((at for at, (_, in_head) in enumerate(rows) if not in_head), len(rows))
    return lines, heads


class _Grid:
    """Line by line. spanning: what cells claim to span is believed; else each stands once."""

    def __init__(self, columns: int, rows: int, spanning: bool, text: Callable[[Any], str]) -> None:
        self._columns = columns
        self._rows = rows
        self._spanning = spanning
        self._text = text
        self._reaching: dict[int, tuple[int, _Cell]] = {}  # by column: for how many lines more

    def line(self, cells: list[Any]) -> Line:
        line: Line = []
        for cell in cells:
            _take(self._reaching, line)
            self._put(cell, line)
        _take(self._reaching, line)
        return line

    def _put(self, cell: Any, line: Line) -> None:
        wide = _span(cell, "colspan")
        whole = wide >= self._columns > 1 and not line
        one = _Cell(self._text(cell), _is_head(cell), whole)
        tall = _span(cell, "rowspan", zero=self._rows)
        if not self._spanning:
            wide = tall = 1
        # Beyond the widest line nothing is: there spans cross, and would grow with every line.
        for _ in range(min(wide, max(1, self._columns - len(line)))):
            if tall > 1:
                self._reaching[len(line)] = (tall - 1, one)
            line.append(one)


def _take(reaching: dict[int, tuple[int, _Cell]], line: Line) -> None:
    """The cells of lines above that reach down into the next places."""
    while len(line) in reaching:
        at = len(line)
        left, cell = reaching.pop(at)
        if left > 1:
            reaching[at] = (left - 1, cell)
        line.append(cell)


def _under_sections(lines: list[Line]) -> Iterator[Line]:
    """Each with the line over all columns that stands above it, if there are any, in front."""
    if not any(line[0].whole and line[0].head for line in lines if len(line) > 1):
        yield from lines
        return
    section = _Cell("", True, False)
    for line in lines:
        if len(line) > 1 and line[0].whole and line[0].head:
            section = line[0]
        else:
            yield [section, *line]


def _joined(heads: list[Line]) -> list[str]:
    columns = max(map(len, heads), default=0)
    names = []
    for at in range(columns):
        own = (line[at].text for line in heads if at < len(line) and not line[at].whole)
        names.append(" ".join(dict.fromkeys(name for name in own if name)))
    if any(names):
        return names
    return [heads[0][0].text, *[""] * (columns - 1)]


def _is_head(cell: Any) -> bool:
    """A heading cell, or one that is all bold."""
    if cell.tag == "th":
        return True
    said = words(cell)
    return bool(said) and any(words(bold) == said for bold in cell.iter("b", "strong"))


def _rows(table: Any) -> list[tuple[Any, bool]]:
    """Those of the head, the body and the foot, in this order, and which are of the head."""
    parts: dict[str, list[Any]] = {"thead": [], "tbody": [], "tfoot": []}
    for child in table:
        if child.tag == "tr":
            parts["tbody"].append(child)
        elif child.tag in parts:
            parts[child.tag].extend(row for row in child if row.tag == "tr")
    return [(row, name == "thead") for name, rows in parts.items() for row in rows if _cells(row)]


def _cells(row: Any) -> list[Any]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _of(element: Any, tag: str) -> bool:
    return next(element.iterdescendants(tag), None) is not None


def _span(cell: Any, name: str, zero: int = 1) -> int:
    stated = str(cell.get(name, "1")).strip()
    if not stated.isdecimal():
        return 1
    return min(_MOST_SPAN, int(stated[:6])) or zero
