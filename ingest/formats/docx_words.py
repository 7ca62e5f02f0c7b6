"""The words of a Word paragraph, as its reader sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docx.oxml.ns import qn

_TEXT, _RUN, _PROPERTIES, _HIDDEN = qn("w:t"), qn("w:r"), qn("w:rPr"), qn("w:vanish")
_SIGNS = {
    qn("w:tab"): " ",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_OFF = {"0", "false", "off"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_PASSED_OVER = {_FALLBACK, qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), _PROPERTIES}


def words(element: Any) -> str:
    """Of an element with runs at any depth; insertions count, deletions and hidden runs don't."""
    return "".join(_words(element))


def _words(parent: Any) -> Iterator[str]:
    for element in parent:
        if element.tag == _TEXT:
            yield element.text or ""
        elif element.tag in _SIGNS:
            yield _SIGNS[element.tag]
        elif element.tag == qn("w:p"):  # of a cell or a text box
            yield "\n"
            yield from _words(element)
            yield "\n"
        elif element.tag not in _PASSED_OVER and not (element.tag == _RUN and _is_hidden(element)):
            yield from _words(element)


def _is_hidden(run: Any) -> bool:
    found = run.find(f"{_PROPERTIES}/{_HIDDEN}")
    return found is not None and found.get(qn("w:val")) not in _OFF
