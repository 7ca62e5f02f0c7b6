"""CSV: one table, whatever separates its cells."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from ingest.formats.characters import characters
from ingest.formats.parsed import Parsed
from ingest.front_matter import FrontMatter
from ingest.tables import table_lines, with_header
from kb.errors import FileDamaged
from kb.reading import Reading

_SEPARATORS = ",;\t|"
_SAMPLE = 200  # rows that tell the separator
_DECLARED = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)  # Excel's first line


def read_csv(uri: str, data: bytes) -> Parsed:
    """A Markdown table; lines of a single cell above its header are paragraphs. Raises
    FileIsBinary, EncodingInvalid, FileDamaged."""
    told = characters(uri, data)
    text = told.text
    separator = _separator(text)
    if declared := _DECLARED.match(text):
        separator, text = declared[1], text[declared.end() :]
    try:
        rows = [row for row in _rows(text, separator) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise FileDamaged(
            f"{uri}: is no CSV ({error}); look for a quotation mark that isn't closed"
        ) from error
    return Parsed(FrontMatter(), "\n".join(_lines(rows)), reading=Reading(notes=told.notes))


def _separator(text: str) -> str:
    """The one that gives most rows the same number of cells; of equals, the first."""
    return max(_SEPARATORS, key=lambda separator: _agreement(text, separator))


def _agreement(text: str, separator: str) -> float:
    """The share of rows that have the commonest number of cells, if that is more than one."""
    try:
        widths = [len(row) for row in islice(_rows(text, separator), _SAMPLE) if row]
    except csv.Error:
        return 0.0
    common = [(count, width) for width, count in Counter(widths).items() if width > 1]
    return max(common)[0] / len(widths) if common else 0.0


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _lines(rows: list[list[str]]) -> Iterator[str]:
    """The first row with more than one cell filled is the header."""
    wide = max(map(len, rows), default=0) > 1
    above = 0
    while wide and above < len(rows) and sum(bool(cell.strip()) for cell in rows[above]) < 2:
        above += 1
    for row in rows[:above]:
        yield " ".join(" ".join(row).split()) + "\n"
    yield from table_lines(with_header(rows[above:]))
