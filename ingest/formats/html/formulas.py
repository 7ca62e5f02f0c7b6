"""MathML on a line of its own letters."""

from __future__ import annotations

from typing import Any

_UP = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_TEX = "application/x-tex"


def formula(element: Any) -> str:
    """What a `math` element shows: in TeX where the page has it so, else in plain signs."""
    for note in element.iter():
        if local(note) == "annotation" and note.get("encoding") == _TEX and note.text:
            return " ".join(note.text.split())
    return " ".join(_shown(element).split())


def raised(text: str) -> str:
    """A superscript: 10⁶ would be another number without it."""
    text = " ".join(text.split())
    if all(c in "0123456789+-−=()n" for c in text):
        return text.replace("−", "-").translate(_UP)
    return text if text.isalpha() and len(text) <= 3 else f"^({text})" if text else ""


def local(element: Any) -> str:
    """Its name without the namespace that XHTML gives it."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _shown(element: Any) -> str:
    inner = [child for child in element if local(child) not in ("annotation", "annotation-xml", "")]
    if not inner:
        return str(element.text or "").strip()
    parts = [_shown(child) for child in inner]
    match local(element), parts:
        case "mfrac", [above, below]:
            return f"{_grouped(above)}/{_grouped(below)}"
        case "msup" | "mover", [base, top]:
            return f"{base}^{_grouped(top)}"
        case "msub" | "munder", [base, low]:
            return f"{base}_{_grouped(low)}"
        case "msubsup" | "munderover", [base, low, top]:
            return f"{base}_{_grouped(low)}^{_grouped(top)}"
        case "msqrt", _:
            return f"√({' '.join(parts)})"
        case "mroot", [base, degree]:
            return f"root {degree} of ({base})"
        case "mtr", _:
            return ", ".join(parts)
        case "mtable", _:
            return "; ".join(parts)
        case "mfenced", _:
            between = ", ".join(parts)
            return f"{element.get('open', '(')}{between}{element.get('close', ')')}"
    return " ".join(part for part in parts if part)


def _grouped(text: str) -> str:
    return text if len(text) < 2 or text.isalnum() else f"({text})"
