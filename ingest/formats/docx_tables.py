"""A Word table as rows of text, what merged cells say in each of the cells that they cover."""

from __future__ import annotations

from typing import Any

from docx.oxml.ns import qn

from ingest.formats.docx_words import words

_MOST_SPAN = 200  # columns; a cell that claims more is damaged or means harm
_WRAPPERS = (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml"))


def table_rows(table: Any) -> list[list[str]]:
    rows: list[list[str]] = []
    for tr in _inside(table, qn("w:tr")):
        above = rows[-1] if rows else []
        row: list[str] = []
        for tc in _inside(tr, qn("w:tc")):
            at = len(row)
            goes_on = _goes_on(tc) and at < len(above)
            row += [above[at] if goes_on else _text(tc)] * _span(tc)
        rows.append(row)
    return [row for row in rows if any(cell.strip() for cell in row)]


def _inside(parent: Any, tag: str) -> list[Any]:
    found: list[Any] = []
    for element in parent:
        if element.tag == tag:
            found.append(element)
        elif element.tag in _WRAPPERS:
            found += _inside(element, tag)
    return found


def _text(tc: Any) -> str:
    lines = (" ".join(line.split()) for line in words(tc).split("\n"))
    return "\n".join(line for line in lines if line)


def _span(tc: Any) -> int:
    found = tc.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
    return min(_MOST_SPAN, max(1, int(found.get(qn("w:val"), "1")))) if found is not None else 1


def _goes_on(tc: Any) -> bool:
    """Whether it belongs to the cell above."""
    found = tc.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return found is not None and found.get(qn("w:val"), "continue") == "continue"
