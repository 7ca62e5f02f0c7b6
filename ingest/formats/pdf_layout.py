"""The words of a page in the order in which people read them: one column after the other, tables
by their rows, notes at the foot out of the sentences above them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from statistics import median

from ingest.formats.pdf_lines import WRAPPED
from ingest.formats.pdf_rows import RIGHT_TO_LEFT, Row, rows_of
from ingest.formats.pdf_tables import NEW_BLOCK, TablesInRows
from ingest.formats.pdf_words import Word
from ingest.lines import ENDED, ITEM

_GUTTER = 0.6  # of the size, at least, between two columns of text
_FEWEST_LINES = 3  # that columns of text are side by side
_PROSE_WORDS = 2.5  # a line of a column has more words, a cell of a table fewer
_FILLED = 0.55  # of the column's width: lines of running text are longer
_OTHER_SIZE = 0.12
_LEAST_INDENT, _MOST_INDENT = 0.6, 3.5  # of the size, of the first line of a paragraph
_FULL = 0.8  # of the width: a line that was wrapped is about full
_SLACK = 0.5  # of the size: lines may end a little before or after where they could
_NOTE_SIZE = 0.9  # of the page's usual size
_LEADER = re.compile(r"(?:\. ?){4}")  # to a page number, in a table of contents
_NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¹²³⁴-⁹]+|[a-z]\))(?=\D)")


class Layout:
    """Reads the pages of a document in their order: a table may go on overleaf."""

    def __init__(self) -> None:
        self._tables = TablesInRows()

    def lines(self, words: Sequence[Word]) -> list[str]:
        """The lines of the next page; a blank one where a paragraph ends, WRAPPED at the end of
        one that goes on in the next, a table as lines that begin with a bar."""
        usual = median(word.size for word in words) if words else 0.0
        regions, notes = _without_notes(list(_regions(rows_of(words))), usual)
        lines: list[str] = []
        for region in regions:
            if not (lines and lines[-1].endswith(WRAPPED)):
                lines.append("")
            lines += self._lines(region)
        return _with_notes(lines, list(self._lines(notes)))

    def _lines(self, rows: Sequence[Row]) -> Iterator[str]:
        """Of one column."""
        distances = [a[0].bottom - b[0].bottom for a, b in pairwise(rows)]
        usual = median([d for d in distances if d > 0] or [0.0])
        apart = [at for at in range(1, len(rows)) if _is_apart(rows[at - 1], rows[at], usual)]
        wrapped = _wrapped(rows, apart)
        at = 0
        while at < len(rows):
            if at in apart:
                yield ""
            end, table = self._tables.at(rows, at)
            if table:
                yield from ("", *table, "")
            else:
                text = " ".join(segment.text for segment in _in_reading_order(rows[at]))
                yield text + WRAPPED if at in wrapped else text
            at = end


# -- columns -------------------------------------------------------------------------------------


def _regions(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Where columns of running text are side by side, each of them, and what stands above and
    below; else all."""
    found = _columns(rows)
    if found is None:
        if rows:
            yield [*rows]
        return
    first, last, gutter = found
    yield from _regions(rows[:first])
    for side in _sides(rows[first:last], gutter):
        yield from _regions(side)
    yield from _regions(rows[last:])


def _sides(rows: Sequence[Row], gutter: float) -> tuple[list[Row], list[Row]]:
    left = [tuple(s for s in row if s.right <= gutter) for row in rows]
    right = [tuple(s for s in row if s.left >= gutter) for row in rows]
    return [row for row in left if row], [row for row in right if row]


def _columns(rows: Sequence[Row]) -> tuple[int, int, float] | None:
    """(first row, row after the last, gutter) of the most lines with text on both its sides."""
    best: tuple[int, tuple[int, int, float]] | None = None
    for gutter in _gutters(rows):
        for first, last in _free(rows, gutter):
            both = _text_on_both_sides(rows[first:last], gutter)
            if both and (best is None or both > best[0]):
                best = both, (first, last, gutter)
    return best[1] if best else None


def _gutters(rows: Sequence[Row]) -> list[float]:
    """Middles of gaps, those that agree but for a few points once."""
    middles = [
        (one.right + other.left) / 2
        for row in rows
        for one, other in pairwise(row)
        if other.left - one.right >= _GUTTER * one.size
    ]
    # Ragged lines end anywhere; where the next column begins is the same for all.
    starts = [other.left - 1 for row in rows for other in row[1:]]
    return sorted({round(at) for at in [*middles, *starts]})


def _free(rows: Sequence[Row], gutter: float) -> Iterator[tuple[int, int]]:
    """Runs of rows that nothing crosses the gutter in."""
    first = 0
    for at in range(len(rows) + 1):
        if at == len(rows) or any(s.left < gutter < s.right for s in rows[at]):
            if at - first >= _FEWEST_LINES:
                yield _trimmed(rows, first, at, gutter)
            first = at + 1


def _trimmed(rows: Sequence[Row], first: int, last: int, gutter: float) -> tuple[int, int]:
    """Without the rows at the head that have no text on one side: a heading above both columns."""
    while first < last and not _has_both(rows[first], gutter):
        first += 1
    return first, last


def _has_both(row: Row, gutter: float) -> bool:
    return any(s.right <= gutter for s in row) and any(s.left >= gutter for s in row)


def _text_on_both_sides(rows: Sequence[Row], gutter: float) -> int:
    """How many lines have both, if both sides are running text; cells of a table aren't."""
    both = sum(_has_both(row, gutter) for row in rows)
    if both < _FEWEST_LINES:
        return 0
    return both if all(map(_is_prose, _sides(rows, gutter))) else 0


def _is_prose(rows: Sequence[Row]) -> bool:
    """Whether most rows are lines of several words that fill the column."""
    if len(rows) < _FEWEST_LINES:
        return False
    left, right = min(s.left for r in rows for s in r), max(s.right for r in rows for s in r)
    width = max(1.0, right - left)
    words = median(sum(len(s.words) for s in row) for row in rows)
    filled = median(sum(s.right - s.left for s in row) / width for row in rows)
    return words > _PROSE_WORDS and filled >= _FILLED


# -- notes ---------------------------------------------------------------------------------------


def _without_notes(regions: list[list[Row]], usual: float) -> tuple[list[list[Row]], list[Row]]:
    """The rows, and those at the foot of the page or of a column that are set small behind a
    mark."""
    least = _NOTE_SIZE * usual
    rows = [row for region in regions for row in region]
    foot = min((row[0].bottom for row in rows if _size(row) > least), default=0.0)
    body: list[list[Row]] = []
    notes: list[Row] = []
    for region in regions:
        small = [_size(row) <= least and row[0].bottom < foot for row in region]
        marked = (at for at, row in enumerate(region) if _NOTE.match(row[0].text))
        first = next((at for at in marked if all(small[at:])), len(region))
        body.append(region[:first])
        notes += region[first:]
    return [region for region in body if region], notes


def _with_notes(lines: list[str], notes: list[str]) -> list[str]:
    """The notes behind the text; before its last paragraph where that may go on overleaf."""
    if not notes:
        return lines
    ended = not (lines and lines[-1].endswith(WRAPPED))
    breaks = [at for at, line in enumerate(lines) if not line]
    at = len(lines) if ended else (breaks[-1] if breaks else 0)
    return [*lines[:at], "", *notes, "", *lines[at:]]


def _size(row: Row) -> float:
    return median(word.size for segment in row for word in segment.words)


# -- lines ---------------------------------------------------------------------------------------


def _in_reading_order(row: Row) -> Row:
    backwards = sum(bool(RIGHT_TO_LEFT.search(segment.text)) for segment in row)
    return row[::-1] if backwards * 2 > len(row) else row


def _is_apart(above: Row, row: Row, usual: float) -> bool:
    if abs(_size(above) - _size(row)) > _OTHER_SIZE * _size(row):
        return True
    indent = (row[0].left - above[0].left) / _size(row)
    if ENDED.search(above[-1].text) and _LEAST_INDENT < indent < _MOST_INDENT:
        return True
    return above[0].bottom - row[0].bottom > NEW_BLOCK * max(usual, _size(row))


def _wrapped(rows: Sequence[Row], apart: Sequence[int]) -> set[int]:
    """The rows that end only because the next word had no room. The room is that of the
    paragraph where its lines fill it, else that of the column; what is written in short lines,
    as a list or an address, ends where it ends."""
    if not rows:
        return set()
    found: set[int] = set()
    left = min(row[0].left for row in rows)
    column = max(row[-1].right for row in rows)
    room = column if len(rows) >= _FEWEST_LINES else inf  # nobody can tell from two
    for first, last in pairwise([0, *apart, len(rows)]):
        right = _right_edge(rows[first:last], room)
        for at in range(first, last - 1):
            if _had_no_room(rows[at], rows[at + 1], right, column - left):
                found.add(at)
    if not ENDED.search(rows[-1][-1].text) and _fills(rows[-1], rows, column):
        found.add(len(rows) - 1)
    return found


def _right_edge(rows: Sequence[Row], column: float) -> float:
    left, right = min(row[0].left for row in rows), max(row[-1].right for row in rows)
    full = [row[-1].right - left >= _FULL * (right - left) for row in rows[:-1]]
    filled = len(full) >= 2 and 2 * sum(full) > len(full)
    return right if filled else column


def _had_no_room(row: Row, below: Row, right: float, width: float) -> bool:
    if len(row) > 1 or len(below) > 1 or ITEM.match(below[0].text):
        return False
    if _LEADER.search(row[0].text):
        return False
    goes_on = below[0].text[0].islower() and not ENDED.search(row[0].text)
    if goes_on and row[0].right - row[0].left >= _FULL * width:
        return True
    word, size = below[0].words[0], row[0].size
    return row[0].right + word.right - word.left > right - _SLACK * size


def _fills(row: Row, rows: Sequence[Row], column: float) -> bool:
    left = min(one[0].left for one in rows)
    lines = len(rows) >= _FEWEST_LINES
    return lines and row[-1].right - left >= _FULL * (column - left)
