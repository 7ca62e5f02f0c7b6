"""Tables in the rows of a page: cells that stand below each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.formats.grid import named_rows
from ingest.formats.pdf_rows import Row, Segment

NEW_BLOCK = 1.35  # of the usual distance between lines: more is a gap
_FEWEST_ROWS = {2: 3}  # of a table, by its columns; of two columns two lines may be so by chance
_FEWEST_ROWS_OF_MANY = 2
_FEWEST_THAT_GO_ON = 3  # columns; two agree by chance

Columns = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Read:
    """A table that was read. figures: by column, whether most cells below the head have digits."""

    columns: Columns
    head: list[str]
    figures: tuple[bool, ...]


class TablesInRows:
    """Asked for each row in its order; knows the last table, which may go on after a note or
    overleaf without its head."""

    def __init__(self) -> None:
        self._last: _Read | None = None

    def at(self, rows: Sequence[Row], at: int) -> tuple[int, list[str]]:
        """The row after the table that begins at a row, and its lines; none where none begins."""
        end = _end(rows, at)
        many = [row for row in rows[at:end] if len(row) > 1]
        columns = _columns_of(many)
        last = self._last
        if (
            last
            and many
            and _fit(many[0], last)
            and _carries_on(_cells(many[:1], last.columns)[0], last)
        ):
            return end, named_rows([last.head, *_cells(rows[at:end], last.columns)])
        fewest = _FEWEST_ROWS.get(len(columns), _FEWEST_ROWS_OF_MANY)
        if len(columns) < 2 or len(many) < fewest:
            return at + 1, []
        cells = _cells(rows[at:end], columns)
        self._last = _Read(columns, cells[0], _figures(cells[1:], len(columns)))
        return end, named_rows(cells)


def _end(rows: Sequence[Row], at: int) -> int:
    end = at
    while end < len(rows) and (len(rows[end]) > 1 or (end > at and _goes_on(rows, at, end))):
        end += 1
    return end


def _fit(row: Row, table: _Read) -> bool:
    """Whether a row's cells stand in columns of the table, one in each."""
    if len(row) < min(_FEWEST_THAT_GO_ON, len(table.columns)) or len(table.columns) < 3:
        return False
    places = [_over(segment, table.columns) for segment in row]
    return all(len(place) == 1 for place in places) and len({p[0] for p in places}) == len(row)


def _carries_on(cells: Sequence[str], table: _Read) -> bool:
    """Whether a row says what the rows below the table's head do, and is no head itself."""
    said = [
        (_has_digits(cell), figures)
        for cell, figures in zip(cells, table.figures, strict=True)
        if cell
    ]
    return any(figures for _, figures in said) and all(has == figures for has, figures in said)


def _figures(rows: Sequence[Sequence[str]], columns: int) -> tuple[bool, ...]:
    filled = [[row[at] for row in rows if row[at]] for at in range(columns)]
    return tuple(2 * sum(map(_has_digits, cells)) > len(cells) for cells in filled)


def _has_digits(cell: str) -> bool:
    return any(character.isdigit() for character in cell)


def _goes_on(rows: Sequence[Row], first: int, at: int) -> bool:
    """Whether a row of one segment is the second line of a cell beyond the first column: as close
    below the row above as lines are."""
    row, above = rows[at], rows[at - 1]
    close = above[0].bottom - row[0].bottom <= NEW_BLOCK * row[0].size
    start = min(segment.left for one in rows[first:at] for segment in one)
    return close and row[0].left > start + row[0].size


def _columns_of(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Where the columns stand, by the rows that have the most cells: what they share."""
    if not rows:
        return []
    most = max(map(len, rows))
    spans: list[tuple[float, float]] = []
    for segment in sorted((s for r in rows if len(r) == most for s in r), key=lambda s: s.left):
        if spans and segment.left <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], segment.right)
        else:
            spans.append((segment.left, segment.right))
    return spans if len(spans) == most else []


def _cells(rows: Sequence[Row], columns: Columns) -> list[list[str]]:
    out: list[list[str]] = []
    for row in rows:
        cells = [""] * len(columns)
        for segment in row:
            for column in _over(segment, columns):
                cells[column] = f"{cells[column]} {segment.text}".strip()
        if len(row) == 1 and out:
            out[-1] = [f"{old} {new}".strip() for old, new in zip(out[-1], cells, strict=True)]
        else:
            out.append(cells)
    return out


def _over(segment: Segment, columns: Columns) -> list[int]:
    """The columns that a segment stands in; a head above several of them in each."""
    found = [at for at, (a, b) in enumerate(columns) if segment.left < b and segment.right > a]
    if found:
        return found
    middle = (segment.left + segment.right) / 2
    gaps = [max(left - middle, middle - right) for left, right in columns]
    return [gaps.index(min(gaps))]
