"""The marks of lists, the parts of lists of terms, and code, as a page shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from lxml import etree

from ingest.formats.html.formulas import local

_LANGUAGE = re.compile(r"(?:language|lang|highlight-source)-([\w+#-]+)")
_FENCES = re.compile(r"`{3,}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def numbers(element: Any) -> Iterator[str]:
    """The marks of a list's items, as they are shown."""
    if local(element) != "ol":
        return
    items = sum(1 for item in element if local(item) == "li")
    step = -1 if element.get("reversed") is not None else 1
    stated = str(element.get("start", "")).strip()
    number = int(stated[:6]) if stated.lstrip("-").isdecimal() else (items if step < 0 else 1)
    kind = element.get("type", "1")
    while True:
        yield _mark(number, kind)
        number += step


def _mark(number: int, kind: str) -> str:
    if kind in "aA" and 1 <= number <= len(_LETTERS):
        mark = f"{_LETTERS[number - 1]}."
        return mark if kind == "a" else f"- {mark.upper()}"
    if kind in "iI" and 1 <= number < 40:
        roman = ""
        for value, sign in _ROMAN:
            roman += sign * (number // value)
            number %= value
        return f"- {roman if kind == 'i' else roman.upper()}."
    return f"{number}." if 0 <= number <= 999 else f"- {number}."


def terms_and_definitions(element: Any) -> Iterator[Any]:
    for child in element:
        if local(child) in ("dt", "dd"):
            yield child
        elif local(child) == "div":
            yield from terms_and_definitions(child)


def alone(element: Any) -> Any:
    """Around it an element that holds nothing else."""
    around = etree.Element("div")
    inner = deepcopy(element)
    inner.tail = None
    around.append(inner)
    return around


def fenced(element: Any) -> str | None:
    """A block of code with its language; None where there is nothing in it."""
    for line_break in element.iter("br"):
        line_break.tail = "\n" + (line_break.tail or "")
    said = "".join(element.itertext()).strip("\n").rstrip()
    if not said.strip():
        return None
    named = " ".join(str(one.get("class", "")) for one in element.iter() if one.tag != "span")
    language = _LANGUAGE.search(named)
    longest = max((len(fence) for fence in _FENCES.findall(said)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language[1] if language else ''}\n{said}\n{fence}"
