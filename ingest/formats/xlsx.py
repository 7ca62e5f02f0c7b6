"""Excel: each sheet that is shown as a table, with the values of its formulas as they are shown."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from ingest.formats.grid import named_rows, one_header
from ingest.formats.office import opened
from ingest.formats.parsed import LONGEST, Parsed
from ingest.front_matter import FrontMatter
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileTooComplex

_MAIN = "xl/workbook.xml"
_MOST_MERGED = 10_000  # cells
_MOST_GAP = 1000  # rows; as many can't all be hidden by hand
_PERCENT = re.compile(r"0(?:\.(0+))?%")
_DECIMALS = re.compile(r"(#,##)?0(?:\.(0+))?(?![0#]*%)")
_CURRENCY = re.compile(r'\[\$([^\]-]+)[^\]]*\]|"([^"]+)"|([$€£¥])')
_LONGEST_NUMBER = 15  # figures that a cell's number is true to


def read_xlsx(uri: str, data: bytes) -> Parsed:
    """Raises FileDamaged, FileEncrypted, FileTooComplex; a damaged file makes openpyxl raise
    anything."""
    data = opened(uri, data, _MAIN, "an Excel workbook (.xlsx)")
    try:
        book = load_workbook(BytesIO(data), data_only=True)
    except (InvalidFileException, BadZipFile, KeyError, ValueError) as error:
        raise FileDamaged(f"{uri}: is no workbook that can be read; save it again") from error
    text, total = [], 0
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            for block in _blocks(sheet):
                text.append(block)
                total += len(block)
                if total > LONGEST:
                    raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
    return Parsed(FrontMatter(stated_title(book.properties.title)), "\n\n".join(text))


def _blocks(sheet: Any) -> Iterator[str]:
    """The tables of a sheet, which blank rows part, each cell's own text above them included."""
    rows = _rows(sheet)
    if any(any(row) for row in rows):
        yield f"## {' '.join(sheet.title.split())}"
    for part in _parts(rows):
        yield from _table(part)


def _rows(sheet: Any) -> list[list[str]]:
    """Without rows and columns that are hidden; what a merged cell says in each that it covers.
    Of empty rows that follow each other there is one."""
    said = _said(sheet)
    columns = sorted({column for _, column in said})
    hidden = {name for name, column in sheet.column_dimensions.items() if column.hidden}
    columns = [at for at in columns if get_column_letter(at) not in hidden]
    filled = sorted({row for row, _ in said if not sheet.row_dimensions[row].hidden})
    rows: list[list[str]] = []
    for above, row in zip([0, *filled], filled, strict=False):
        if above and _is_gap(sheet, above, row):
            rows.append([""] * len(columns))
        rows.append([said.get((row, at), "") for at in columns])
    return rows


def _is_gap(sheet: Any, above: int, row: int) -> bool:
    """Whether there is an empty row between the two that is seen."""
    between = range(above + 1, min(row, above + _MOST_GAP))
    return any(not sheet.row_dimensions[at].hidden for at in between)


def _said(sheet: Any) -> dict[tuple[int, int], str]:
    """By row and column, of the cells that hold something: a sheet may have millions of others
    with a colour, which openpyxl's own iteration would make once more."""
    said = {
        at: text
        for at, cell in sheet._cells.items()
        if cell.value is not None and (text := shown(cell.value, cell.number_format))
    }
    for span in sheet.merged_cells.ranges:
        text = said.get((span.min_row, span.min_col), "")
        if text and span.size["rows"] * span.size["columns"] <= _MOST_MERGED:
            said.update(dict.fromkeys(span.cells, text))
    return said


def _parts(rows: list[list[str]]) -> Iterator[list[list[str]]]:
    part: list[list[str]] = []
    for row in [*rows, []]:
        if any(row):
            part.append(row)
        elif part:
            yield _without_empty_columns(part)
            part = []


def _without_empty_columns(rows: list[list[str]]) -> list[list[str]]:
    kept = [at for at in range(len(rows[0])) if any(row[at] for row in rows)]
    return [[row[at] for at in kept] for row in rows]


def _table(rows: list[list[str]]) -> Iterator[str]:
    """Rows of one cell above it are lines, one that is merged over all columns too."""
    above = 0
    while above < len(rows) and len({cell for cell in rows[above] if cell}) == 1:
        yield next(cell for cell in rows[above] if cell)
        above += 1
    body = rows[above:]
    if not body:
        return
    heads = 2 if len(body) > 2 and _is_upper_head(body[0], body[1]) else 1
    yield "\n".join(named_rows([one_header(body[:heads]), *body[heads:]]))


def _is_upper_head(first: list[str], second: list[str]) -> bool:
    """Whether the first row names groups of the columns that the second names."""
    repeated = any(a and a == b for a, b in pairwise(first))
    return repeated and not any(cell[:1].isdigit() for cell in [*first, *second])


def shown(value: object, number_format: str) -> str:
    """A cell as its reader sees it, but for rounding that the format doesn't state."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if not _has_time(value) else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value, number_format.split(";")[0])
    return str(value).strip()


def _has_time(value: datetime.datetime) -> bool:
    return bool(value.hour or value.minute or value.second)


def _number(value: float, wanted: str) -> str:
    if percent := _PERCENT.search(wanted):
        return f"{value * 100:.{len(percent[1] or '')}f}%"
    found = _DECIMALS.search(wanted)
    if found is None or "E" in wanted.upper().replace("GENERAL", ""):
        number = f"{value:.{_LONGEST_NUMBER}g}"
    else:
        number = f"{value:{',' if found[1] else ''}.{len(found[2] or '')}f}"
    currency = _CURRENCY.search(wanted)
    sign = next((one for one in currency.groups() if one), "").strip() if currency else ""
    if not sign:
        return number
    before = found is not None and currency is not None and currency.start() < found.start()
    joined = f"{sign}{number}" if not sign[-1].isalpha() else f"{sign} {number}"
    return joined if before else f"{number} {sign}"
