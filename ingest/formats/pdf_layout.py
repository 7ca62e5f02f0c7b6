"""The words of a page in the order in which people read them: one column after the other, tables
by their rows, notes at the foot out of the sentences above them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from statistics import median

from ingest.formats.pdf_rows import RIGHT_TO_LEFT, Row, rows_of
from ingest.formats.pdf_tables import NEW_BLOCK, TablesInRows
from ingest.formats.pdf_words import Word
from ingest.lines import ENDED

_GUTTER = 0.6  # of the size, at least, between two columns of text
_FEWEST_LINES = 3  # that columns of text are side by side
_PROSE_WORDS = 2.5  # a line of a column has more words, a cell of a table fewer
_FILLED = 0.55  # of the column's width: lines of running text are longer
_OTHER_SIZE = 0.12
_LEAST_INDENT, _MOST_INDENT = 0.6, 3.5  # of the size, of the first line of a paragraph
_NOTE_SIZE = 0.9  # of the page's usual size
_NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¹²³⁴-⁹]+|[a-z]\))(?=\D)")


class Layout:
    """Reads the pages of a document in their order: a table may go on overleaf."""

    def __init__(self) -> None:
        self._tables = TablesInRows()

    def lines(self, words: Sequence[Word]) -> list[str]:
        """The lines of the next page; a blank one where a paragraph ends, a table as lines that
        begin with a bar."""
        usual = median(word.size for word in words) if words else 0.0
        body, notes = _without_notes(list(_ordered(rows_of(words))), usual)
        return _with_notes(list(self._lines(body)), list(self._lines(notes)))

    def _lines(self, rows: Sequence[Row]) -> Iterator[str]:
        distances = [a[0].bottom - b[0].bottom for a, b in itertools.pairwise(rows)]
        usual = median([d for d in distances if d > 0] or [0.0])
        at = 0
        while at < len(rows):
            if at and _is_apart(rows[at - 1], rows[at], usual):
                yield ""
            end, table = self._tables.at(rows, at)
            if table:
                yield from ("", *table, "")
            else:
                yield " ".join(segment.text for segment in _in_reading_order(rows[at]))
            at = end


# -- columns -------------------------------------------------------------------------------------


def _ordered(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows of each column below each other, where columns of running text are side by side."""
    found = _columns(rows)
    if found is None:
        yield from rows
        return
    first, last, gutter = found
    yield from _ordered(rows[:first])
    for side in _sides(rows[first:last], gutter):
        yield from _ordered(side)
    yield from _ordered(rows[last:])


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
        for one, other in itertools.pairwise(row)
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


def _without_notes(rows: list[Row], usual: float) -> tuple[list[Row], list[Row]]:
    """The rows, and those at the foot of the page or of a column that are set small behind a
    mark."""
    foot = min((row[0].bottom for row in rows if _size(row) > _NOTE_SIZE * usual), default=0.0)
    body: list[Row] = []
    notes: list[Row] = []
    in_note = False
    for row in rows:
        small = _size(row) <= _NOTE_SIZE * usual and row[0].bottom < foot
        in_note = small and (in_note or _NOTE.match(row[0].text) is not None)
        (notes if in_note else body).append(row)
    return body, notes


def _with_notes(lines: list[str], notes: list[str]) -> list[str]:
    """The notes behind the text; before its last paragraph where that may go on overleaf."""
    if not notes:
        return lines
    ended = not lines or lines[-1].rstrip("\"'”’»)").endswith((".", "!", "?", "|"))
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
    distance = above[0].bottom - row[0].bottom
    if abs(_size(above) - _size(row)) > _OTHER_SIZE * _size(row):
        return True
    ended = ENDED.search(above[-1].text) is not None
    if distance < 0:  # the next column, in which a sentence may go on
        return ended
    indent = row[0].left - above[0].left
    if ended and _LEAST_INDENT * _size(row) < indent < _MOST_INDENT * _size(row):
        return True
    return distance > NEW_BLOCK * max(usual, _size(row))
