"""The words of a Word paragraph, as its reader sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docx.oxml.ns import qn

from ingest.formats.docx_formulas import FORMULA, formula
from ingest.formats.symbol_fonts import shown

_TEXT, _RUN, _PROPERTIES, _HIDDEN = qn("w:t"), qn("w:r"), qn("w:rPr"), qn("w:vanish")
_SIGNS = {
    qn("w:tab"): " ",
    qn("w:ptab"): " ",
    qn("w:br"): "\n",
    qn("w:cr"): "\n",
    qn("w:noBreakHyphen"): "-",
}
_OFF = {"0", "false", "off"}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
BOX = qn("w:txbxContent")
_PASSED_OVER = {
    _FALLBACK,
    BOX,  # it stands beside the paragraph that it hangs on
    qn("w:rt"),  # how the characters below are spoken
    qn("w:del"),
    qn("w:moveFrom"),
    qn("w:pPr"),
    _PROPERTIES,
}
# Without it 10³ is 103. Letters that are set high ("2nd") stay: none of them changes a number.
_RAISED = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")


def words(element: Any) -> str:
    """Of an element with runs at any depth; insertions count, deletions and hidden runs don't."""
    return "".join(_words(element))


def boxes(element: Any) -> Iterator[Any]:
    """The text boxes that hang on a paragraph, each once: of two drawings of one for old and for
    new programs the new."""
    for child in element:
        if child.tag == BOX:
            yield child
        elif child.tag not in _PASSED_OVER:
            yield from boxes(child)


def is_bold(element: Any) -> bool:
    """Whether all that an element says is set in bold."""
    runs = [run for run in element.iter(_RUN) if "".join(_words(run)).strip()]
    return bool(runs) and all(_is_on(run, qn("w:b")) for run in runs)


def _words(parent: Any) -> Iterator[str]:
    for element in parent:
        tag = element.tag
        if tag == _TEXT:
            yield element.text or ""
        elif tag in _SIGNS:
            yield _SIGNS[tag]
        elif tag == qn("w:p"):  # of a cell
            yield "\n"
            yield from _words(element)
            yield "\n"
        elif tag == FORMULA:
            yield formula(element)
        elif tag == qn("w:sym"):
            yield shown(element.get(qn("w:font"), ""), element.get(qn("w:char"), ""))
        elif tag == qn("w:fldChar"):
            yield _box_to_tick(element)
        elif tag == _RUN:
            yield from _run(element)
        elif tag not in _PASSED_OVER:
            yield from _words(element)


def _run(run: Any) -> Iterator[str]:
    if _is_on(run, _HIDDEN):
        return
    align = run.find(f"{_PROPERTIES}/{qn('w:vertAlign')}")
    if align is not None and align.get(qn("w:val")) == "superscript":
        yield raised("".join(_words(run)))
    else:
        yield from _words(run)


def raised(text: str) -> str:
    """A number that is set high, in characters that say so; anything else as it is."""
    written = text.strip().translate(_RAISED)
    return written if text.strip() and not set(written) & set(text) else text


def _box_to_tick(field: Any) -> str:
    """A form's box, which has no character of its own."""
    box = field.find(f"{qn('w:ffData')}/{qn('w:checkBox')}")
    if box is None:
        return ""
    states = (box.find(qn("w:checked")), box.find(qn("w:default")))
    state = next((one for one in states if one is not None), None)
    return "☒ " if state is not None and state.get(qn("w:val"), "1") not in _OFF else "☐ "


def _is_on(run: Any, tag: str) -> bool:
    found = run.find(f"{_PROPERTIES}/{tag}")
    return found is not None and found.get(qn("w:val")) not in _OFF
