"""A Word table as rows of text, what merged cells say in each of the cells that they cover."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

from ingest.formats.docx_words import is_bold, words
from ingest.formats.grid import one_header
from ingest.tables import table_lines

_MOST_SPAN = 200  # columns; a cell that claims more is damaged or means harm
_MOST_HEADS = 4  # rows of a header
_WRAPPERS = (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml"))
_PAIR = 2  # columns of a table of names and values


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    bold: bool
    span: int
    goes_on: bool  # it belongs to the cell above


def table_blocks(table: Any) -> Iterator[str]:
    """The table as Markdown; what only sets its cells beside or below each other as paragraphs,
    names with their values in two columns as a list."""
    made = [
        (tr, [_cell(tc) for tc in _inside(tr, qn("w:tc"))]) for tr in _inside(table, qn("w:tr"))
    ]
    rows = _filled([cells for _, cells in made])
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    if len(filled) <= 1 or all(len(row) == 1 for row in filled):
        yield from (cell for row in filled for cell in row if cell.strip())
    elif _names_values(made):
        yield "\n".join(f"- {name.rstrip(': ')}: {_in_a_line(value)}" for name, value in filled)
    else:
        heads = _heads(made)
        body = [row for row in rows[heads:] if any(cell.strip() for cell in row)]
        yield "\n".join(table_lines([one_header(rows[:heads]), *body]))


def _cell(tc: Any) -> _Cell:
    return _Cell(_text(tc), is_bold(tc), _span(tc), _goes_on(tc))


def _filled(rows: list[list[_Cell]]) -> list[list[str]]:
    out: list[list[str]] = []
    for cells in rows:
        above = out[-1] if out else []
        row: list[str] = []
        for cell in cells:
            at = len(row)
            row += [above[at] if cell.goes_on and at < len(above) else cell.text] * cell.span
        out.append(row)
    return out


def _names_values(made: list[tuple[Any, list[_Cell]]]) -> bool:
    """Whether each row is a name, set as one, and its value, the first row too."""
    rows = [cells for _, cells in made if any(cell.text for cell in cells)]
    if any(len(cells) != _PAIR or cells[0].span > 1 or not cells[0].text for cells in rows):
        return False
    as_names = all(cells[0].bold for cells in rows) and not any(cells[1].bold for cells in rows)
    return as_names or all(cells[0].text.endswith(":") for cells in rows)


def _heads(made: list[tuple[Any, list[_Cell]]]) -> int:
    """How many rows are the header: those that repeat on every page, or else those that a cell of
    the first row goes down through."""
    marked = f"{qn('w:trPr')}/{qn('w:tblHeader')}"
    repeated = next((at for at, (tr, _) in enumerate(made) if tr.find(marked) is None), len(made))
    through = 1
    if made and any(cell.span > 1 for cell in made[0][1]):
        rows = [cells for _, cells in made[1:]]
        through += next(
            (at for at, cells in enumerate(rows) if not any(c.goes_on for c in cells)), len(rows)
        )
    return max(1, min(max(repeated, through), _MOST_HEADS, len(made) - 1))


def _inside(parent: Any, tag: str) -> list[Any]:
    found: list[Any] = []
    for element in parent:
        if element.tag == tag:
            found.append(element)
        elif element.tag in _WRAPPERS:
            found += _inside(element, tag)
    return found


def _text(tc: Any) -> str:
    """The paragraphs of a cell, and the rows of a table in it, each a line."""
    lines: list[str] = []
    for element in tc:
        if element.tag == qn("w:tbl"):
            lines += _rows_in_lines(element)
        elif element.tag == qn("w:p"):
            lines += words(element).split("\n")
        elif element.tag in _WRAPPERS:
            lines += _text(element).split("\n")
    return "\n".join(line for line in map(_in_a_line, lines) if line)


def _rows_in_lines(table: Any) -> list[str]:
    cells = [[_cell(tc) for tc in _inside(tr, qn("w:tc"))] for tr in _inside(table, qn("w:tr"))]
    rows = _filled(cells)
    if len(rows) <= 1:
        return [cell for row in rows for cell in row]
    return [
        "; ".join(
            f"{name}: {_in_a_line(value)}" if name else _in_a_line(value)
            for name, value in zip([*rows[0], *[""] * len(row)], row, strict=False)
            if value
        )
        for row in rows[1:]
    ]


def _in_a_line(text: str) -> str:
    return " ".join(text.split())


def _span(tc: Any) -> int:
    found = tc.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
    return min(_MOST_SPAN, max(1, int(found.get(qn("w:val"), "1")))) if found is not None else 1


def _goes_on(tc: Any) -> bool:
    """Whether it belongs to the cell above."""
    found = tc.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return found is not None and found.get(qn("w:val"), "continue") == "continue"
