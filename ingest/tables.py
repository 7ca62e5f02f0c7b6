"""Markdown tables: read row by row, with the place of every cell, and written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.sentences import Span

_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_AMOUNT = re.compile(r"[-+~<>≈]?\s?[$€£]?\d[\d.,' ]*\s?[%$€£]?")
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Row:
    """start, end: the row's line without the white space around it; cells: their spans."""

    start: int
    end: int
    cells: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """header: one name a column, "" where it has none; header_end: where the rows can begin."""

    start: int
    end: int
    header_end: int
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def find_tables(text: str, lines: Sequence[Span]) -> Iterator[tuple[int, int, Table]]:
    """Every table as (its first line, the line after its last, table). `lines`: the spans of the
    lines of `text`, trimmed. A table has a header and a row; the |---| line may be missing where
    every line begins with a bar."""
    at = 0
    while at < len(lines):
        end = _run(text, lines, at)
        if end is None:
            at += 1
            continue
        yield at, end, _table(text, lines[at:end])
        at = end


def cell_text(text: str, cell: Span) -> str:
    """What a cell says: on one line, without Markdown's escapes."""
    return " ".join(_BREAK.sub(" ", text[slice(*cell)]).replace("\\|", "|").split())


def _run(text: str, lines: Sequence[Span], at: int) -> int | None:
    """The line after the table that begins at a line, or None when none begins there."""
    ruled = at + 1 < len(lines) and _is_rule(text, lines[at + 1])
    first = at + 2 if ruled else at + 1
    if not (_has_bars(text, lines[at]) if ruled else _is_row(text, lines[at])):
        return None
    end = first
    while end < len(lines) and (_has_bars if ruled else _is_row)(text, lines[end]):
        if end + 1 < len(lines) and _is_rule(text, lines[end + 1]):
            break  # the header of a table of its own
        end += 1
    return end if end > first else None


def _table(text: str, lines: Sequence[Span]) -> Table:
    ruled = _is_rule(text, lines[1])
    rows = tuple(Row(*line, _cells(text, line)) for line in lines[2 if ruled else 1 :])
    header = tuple(cell_text(text, c).rstrip(":") for c in _cells(text, lines[0]))
    return Table(lines[0][0], lines[-1][1], lines[1 if ruled else 0][1], header, rows)


def _has_bars(text: str, line: Span) -> bool:
    return _BAR.search(text, *line) is not None


def _is_row(text: str, line: Span) -> bool:
    bars = _BAR.findall(text, *line)
    return text.startswith("|", line[0]) and line[0] < line[1] and len(bars) >= 2


def _is_rule(text: str, line: Span) -> bool:
    content = text[slice(*line)]
    return "|" in content and _RULE.fullmatch(content) is not None


def _cells(text: str, line: Span) -> tuple[Span, ...]:
    """Spans of the cells, empty ones included, each without the white space around it."""
    start, end = line
    start += text.startswith("|", start)
    end -= text.endswith("|", start, end) and not text.endswith("\\|", start, end)
    bars = [m.start() for m in _BAR.finditer(text, start, end)]
    return tuple(
        _trim(text, left, right)
        for left, right in zip([start, *(b + 1 for b in bars)], [*bars, end], strict=True)
    )


def _trim(text: str, start: int, end: int) -> Span:
    piece = text[start:end]
    left = start + len(piece) - len(piece.lstrip())
    return left, max(left, start + len(piece.rstrip()))


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as a Markdown table, the first of them its header. Rows without a word are left
    out; a header with no row below it is a line of its cells."""
    cells = [[_escaped(cell) for cell in row] for row in rows]
    body = [row for row in cells[1:] if any(c.isalnum() for cell in row for c in cell)]
    if not body:
        return [", ".join(cell for cell in row if cell) for row in cells[:1]]
    return [_line(cells[0]), "|" + "---|" * len(cells[0]), *map(_line, body)]


def with_header(rows: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """The rows; where the first one is data, below a header of empty names."""
    first = next(iter(rows), ())
    if any(_AMOUNT.fullmatch(cell.strip()) and not _YEAR.fullmatch(cell.strip()) for cell in first):
        return [[""] * len(first), *rows]
    return [*rows]


def _escaped(cell: str) -> str:
    lines = [" ".join(line.split()) for line in cell.replace("|", "\\|").splitlines()]
    return "<br>".join(line for line in lines if line)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
