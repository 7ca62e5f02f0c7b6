"""The tree of a page, without what nobody who reads it can bring to light."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lxml import etree, html

from kb.reading import Lost

_NEVER_SHOWN = frozenset("script style template noscript link base".split())
_DISPLAYED_NOT = re.compile(r"display:none|visibility:hidden|content-visibility:hidden")
_PANEL = re.compile(
    r"accord|collaps|expand|toggle|tab[-_]?p(?:ane|anel)|panel|faq|dropdown-content|spoiler|"
    r"disclos|answer",
    re.IGNORECASE,
)
_OPENERS = ("aria-controls", "data-target", "data-bs-target", "data-toggle-target", "href")


@dataclass(frozen=True, slots=True)
class Page:
    """tree: an lxml element, of which `lost` was taken out."""

    tree: Any
    lost: tuple[Lost, ...]


def parsed_page(text: str) -> Page | None:
    """None where there is no page in it."""
    # What declares an encoding in a text that has been decoded is wrong by now.
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        tree = html.document_fromstring(text.encode(errors="replace"), parser=parser)
    except etree.ParserError:
        return None
    for element in [*tree.iter()]:
        if element.tag in _NEVER_SHOWN and not _is_kept_script(element):
            element.drop_tree()
    hidden = _prune_hidden(tree)
    return Page(tree, (Lost("hidden block", hidden, ""),) if hidden else ())


def names(element: Any) -> str:
    """What its author calls an element."""
    return f"{element.get('class', '')} {element.get('id', '')}"


def words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def _is_kept_script(element: Any) -> bool:
    kind = str(element.get("type", ""))
    return element.tag == "script" and kind.startswith(("math/tex", "application/ld+json"))


def _prune_hidden(tree: Any) -> int:
    """Takes out what is hidden for good; a panel that a click opens is the reader's to see. Returns
    how many blocks with words there were."""
    opened = frozenset(_opened(tree))
    count = 0
    for element in [*tree.iter()]:
        if not isinstance(element.tag, str) or not _is_hidden(element):
            continue
        if element.getparent() is None or _is_panel(element, opened):
            continue
        count += bool(words(element))
        element.drop_tree()
    return count


def _is_hidden(element: Any) -> bool:
    style = "".join(str(element.get("style", "")).split()).lower()
    if "katex-html" in str(element.get("class", "")):
        return True  # the formula a second time, as a heap of letters
    return element.get("hidden") is not None or _DISPLAYED_NOT.search(style) is not None


def _opened(tree: Any) -> Iterator[str]:
    """The ids that something on the page opens."""
    for element in tree.iter(
        "a", "button", "div", "span", "li", "h2", "h3", "h4", "input", "label"
    ):
        for name in _OPENERS:
            for one in str(element.get(name, "")).split():
                if name != "href" or (one.startswith("#") and _is_opener(element)):
                    yield one.lstrip("#")


def _is_panel(element: Any, opened: frozenset[str]) -> bool:
    if str(element.get("hidden", "")).lower() == "until-found":
        return True
    if element.get("id") in opened or element.get("role") in ("tabpanel", "region"):
        return True
    before = element.getprevious()
    follows = before is not None and any(map(_is_opener, before.iter()))
    return follows or (_PANEL.search(names(element)) is not None and before is not None)


def _is_opener(element: Any) -> bool:
    return (
        element.tag in ("button", "summary")
        or element.get("aria-expanded") is not None
        or element.get("role") in ("tab", "button")
        or str(element.get("data-toggle", element.get("data-bs-toggle", "")))
        in ("collapse", "tab", "pill")
    )
