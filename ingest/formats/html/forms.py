"""What a form on a page shows: what is filled in and chosen."""

from __future__ import annotations

from typing import Any

from ingest.formats.html.formulas import local
from ingest.formats.html.page import words

_TYPED = frozenset("text number email date tel url time".split())


def filled_in(element: Any) -> str:
    """Of an `input` or a `select`."""
    if local(element) == "select":
        options = [*element.iter("option")]
        chosen = [one for one in options if one.get("selected") is not None]
        return f" {', '.join(words(one) for one in chosen or options)} "
    kind = str(element.get("type") or "text").lower()
    if kind in ("checkbox", "radio"):
        return "[x] " if element.get("checked") is not None else "[ ] "
    return f" {element.get('value')} " if kind in _TYPED and element.get("value") else ""


def opens_a_panel(button: Any) -> bool:
    following = button.getnext()
    beside = following is not None and local(following) in ("div", "section", "p", "ul")
    return bool(beside or button.get("aria-expanded") or button.get("aria-controls"))
