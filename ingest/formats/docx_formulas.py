"""Formulas of Office documents (OMML) in a line: (a + b)/(2 c), x^2, √(y)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from docx.oxml.ns import nsmap

_MATH = "http://schemas.openxmlformats.org/officeDocument/2006/math"
FORMULA = f"{{{_MATH}}}oMath"
_VAL = f"{{{_MATH}}}val"
_TEXTS = {f"{{{_MATH}}}t", f"{{{nsmap['w']}}}t"}
_SIMPLE = 1  # characters that need no brackets


def formula(element: Any) -> str:
    """What an element of a formula says; of one that isn't known the words inside."""
    if element.tag in _TEXTS:
        return element.text or ""
    if not isinstance(element.tag, str):
        return ""
    write = _WRITTEN.get(element.tag.removeprefix(f"{{{_MATH}}}"))
    return write(element) if write else _inside(element)


def _inside(element: Any) -> str:
    return "".join(map(formula, element))


def _part(element: Any, name: str) -> str:
    found = element.find(f"{{{_MATH}}}{name}")
    return "" if found is None else _inside(found).strip()


def _grouped(text: str) -> str:
    """In brackets, unless it is a number or a name."""
    simple = len(text) <= _SIMPLE or text.isalnum() or text.replace(".", "", 1).isdecimal()
    return text if simple else f"({text})"


def _sign(element: Any, name: str, otherwise: str) -> str:
    found = element.find(f"{{{_MATH}}}{element.tag.split('}')[1]}Pr/{{{_MATH}}}{name}")
    return otherwise if found is None else found.get(_VAL, "")


def _raised(text: str) -> str:
    return f"^{_grouped(text)}" if text else ""


def _lowered(text: str) -> str:
    return f"_{_grouped(text)}" if text else ""


def _fraction(element: Any) -> str:
    return f"{_grouped(_part(element, 'num'))}/{_grouped(_part(element, 'den'))}"


def _scripts(element: Any) -> str:
    low, high = _part(element, "sub"), _part(element, "sup")
    return f"{_grouped(_part(element, 'e'))}{_lowered(low)}{_raised(high)}"


def _root(element: Any) -> str:
    degree = _part(element, "deg")
    root = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree, f"{degree}√")
    return f"{root}({_part(element, 'e')})"


def _many(element: Any) -> str:
    """A sum, a product, an integral: Word's own is the integral."""
    low, high = _part(element, "sub"), _part(element, "sup")
    return f"{_sign(element, 'chr', '∫')}{_lowered(low)}{_raised(high)} {_part(element, 'e')}"


def _bracketed(element: Any) -> str:
    parts = [_inside(e).strip() for e in element.findall(f"{{{_MATH}}}e")]
    between = _sign(element, "sepChr", "|")
    return _sign(element, "begChr", "(") + between.join(parts) + _sign(element, "endChr", ")")


def _named(element: Any) -> str:
    return f"{_part(element, 'fName')} {_grouped(_part(element, 'e'))}"


def _limit(element: Any) -> str:
    return f"{_part(element, 'e')}_{_grouped(_part(element, 'lim'))}"


def _lines(element: Any) -> str:
    rows = [_inside(e).strip() for e in element.findall(f"{{{_MATH}}}e")]
    return "; ".join(row.replace("&", "") for row in rows)


def _matrix(element: Any) -> str:
    rows = [
        ", ".join(_inside(e).strip() for e in row.findall(f"{{{_MATH}}}e"))
        for row in element.findall(f"{{{_MATH}}}mr")
    ]
    return f"[{'; '.join(rows)}]"


def _accented(element: Any) -> str:
    return _part(element, "e") + _sign(element, "chr", "\u0302")


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "f": _fraction,
    "sSup": _scripts,
    "sSub": _scripts,
    "sSubSup": _scripts,
    "rad": _root,
    "nary": _many,
    "d": _bracketed,
    "func": _named,
    "limLow": _limit,
    "limUpp": _limit,
    "eqArr": _lines,
    "m": _matrix,
    "acc": _accented,
}
