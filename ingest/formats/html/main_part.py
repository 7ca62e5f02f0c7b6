"""Which part of a page is its text: trafilatura finds the article, and what stands in the article's
place on the page belongs to it, tables and captions that trafilatura leaves out among them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.formats.html.page import names, words

_SHORT = 400  # characters; on a page of less trafilatura finds no article
_OF_THE_TEXT = 0.9  # of its characters lie in the element that is taken for the article
_TELLING = 25  # letters; fewer may stand anywhere by chance
_NEWS = re.compile(r"\"@type\"\s*:\s*\[?\s*\"\w*(?:Article|Posting)\"")
_SOME_LINKS = 0.1
_LINKS = 0.5  # more of a block's characters in links make a menu of it
_AROUND_TAGS = frozenset("nav footer dialog".split())
_AROUND_ROLES = frozenset("navigation banner contentinfo search dialog alertdialog".split())
_AROUND_NAMES = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|gdpr|navbar|nav|menu|breadcrumbs?|sidebar|share|sharing|"
    r"social|related|recommend(?:ed|ations)?|newsletter|subscribe|subscription|promo|advert(?:s|"
    r"isement)?|ads?|sponsored|comments?|disqus|pagination|pager|skip-?link|site-?footer|"
    r"site-?header|popup|modal|tags|byline-share|most-read|latest|popular|more-in|gallery|slideshow|trending|read-?more|copyright)(?:$|[\s_-])",
    re.IGNORECASE,
)
_LEAVES = frozenset("p li h1 h2 h3 h4 h5 h6 td th dd dt pre figcaption blockquote div span".split())
_PARTS = frozenset("tr td th tbody thead tfoot caption colgroup col dt dd li br summary".split())
_CELL = re.compile(r"<t[dh]\b[^<>]*>", re.IGNORECASE)
_SPAN = re.compile(r"\s(?:row|col)span\s*=\s*[\"']?\w*[\"']?", re.IGNORECASE)
_NO_WORD = re.compile(r"[\W_]+")
_ROOMS = frozenset("body main article section div form center".split())
_HEADS = frozenset("h1 h2 h3 h4 h5 h6".split())
_OWN = frozenset("table dl figure pre math details ol ul".split())


@dataclass(slots=True)
class Part:
    """root: the element that holds the text; around: those inside it and beside it that are the
    page's furniture."""

    root: Any
    tree: Any
    around: set[Any] = field(default_factory=set)

    def left_out(self, element: Any) -> bool:
        return element in self.around

    def words_around(self) -> int:
        outside = _word_count(self.tree) - _word_count(self.root)
        outermost = (one for one in self.around if not _inside_any(one, self.around))
        return outside + sum(map(_word_count, outermost))


def main_part(tree: Any, html: str) -> Part:
    body = tree.find("body")
    body = tree if body is None else body
    part = Part(body, body)
    leaves = [one for one in body.iter() if one.tag in _LEAVES and _own_text(one)]
    article = _Article(_extracted(html))
    kept = [one for one in leaves if article.has(_own_text(one))]
    sure = sum(len(_own_text(one)) for one in kept) >= _SHORT
    if kept:
        part.root = _holding(kept)
    part.around = set(_furniture(part.root, kept, sure, sure and _is_article(tree)))
    return part


class _Article:
    """What trafilatura takes for the text."""

    def __init__(self, text: str) -> None:
        self._all = _plain(text)
        self._lines = {
            _plain(part) for line in text.split("\n") for part in (line, *line.split("|"))
        }

    def has(self, text: str) -> bool:
        plain = _plain(text)
        return plain in self._lines or (len(plain) >= _TELLING and plain in self._all)


def _extracted(html: str) -> str:
    import trafilatura  # a quarter of a second of a server's start: only where a page is read

    # Without spans: it makes every cell that they claim, for minutes where they claim millions.
    plain = _CELL.sub(lambda cell: _SPAN.sub("", cell[0]), html)
    return trafilatura.extract(plain, output_format="txt", include_comments=False) or ""


def _is_article(tree: Any) -> bool:
    """Whether a page says that it is one, among others: what stands between its paragraphs may be
    of those."""
    metas = tree.xpath("//meta[@property='og:type']/@content")
    return any("article" in str(one).lower() for one in metas) or any(
        _NEWS.search(script.text or "")
        for script in tree.iter("script")
        if script.get("type") == "application/ld+json"
    )


def _plain(text: str) -> str:
    return _NO_WORD.sub("", text)


def _own_text(element: Any) -> str:
    """Its words outside of the blocks in it."""
    inner = [child for child in element if child.tag in _LEAVES - {"span"} or child.tag in _OWN]
    if not inner:
        return words(element)
    tails = [element.text or "", *(child.tail or "" for child in element)]
    return " ".join(" ".join(tails).split())


def _holding(kept: list[Any]) -> Any:
    """The innermost element that holds nearly all of the text."""
    weights: dict[Any, int] = {}
    total = 0
    for one in kept:
        size = len(_own_text(one))
        total += size
        while one is not None:
            weights[one] = weights.get(one, 0) + size
            one = one.getparent()
    candidates = (one for one, weight in weights.items() if weight >= _OF_THE_TEXT * total)
    found = max(candidates, key=lambda one: sum(1 for _ in one.iterancestors()))
    while found.tag not in _ROOMS and found.getparent() is not None:
        found = found.getparent()  # a list and a table are whole only with their marks
    return found


def _furniture(root: Any, kept: list[Any], sure: bool, article: bool) -> Iterator[Any]:
    holding = {above for one in kept for above in (one, *one.iterancestors())}
    taken = {inner for one in kept for inner in one.iter()}
    order = {one: at for at, one in enumerate(root.iter())}
    places = [order[one] for one in kept if one in order]
    first, last = min(places, default=0), max(places, default=len(order))
    for element in root.iterdescendants():
        if not isinstance(element.tag, str) or element in holding or element in taken:
            continue
        if _is_around(element, sure) or (
            sure and not _belongs(element, first <= order[element] <= last, article)
        ):
            yield element


def _belongs(element: Any, between: bool, article: bool) -> bool:
    """Whether what trafilatura leaves out is of the text: between what it takes, in an article only
    tables, lists, captions and code, which it loses."""
    if element.tag in _PARTS:
        return True
    if _link_share(element) > _LINKS:
        return False
    if not between:
        return element.tag == "h1" or _has(element, "table", "dl", "pre", "details", "h1")
    if not article:
        return True
    if _link_share(element) > _SOME_LINKS:
        return False
    return (
        element.tag in _HEADS
        or _has(element, *_OWN)
        or any(above.tag in _OWN for above in element.iterancestors())
    )


def _has(element: Any, *tags: str) -> bool:
    return next(element.iter(*tags), None) is not None


def _is_around(element: Any, chosen: bool) -> bool:
    if element.tag in _AROUND_TAGS or element.get("role") in _AROUND_ROLES:
        return True
    if (
        element.tag in ("header", "aside")
        and next(element.iterancestors("main", "article"), None) is None
    ):
        return element.tag == "aside" or next(element.iter("h1"), None) is None
    if _AROUND_NAMES.search(names(element)) and element.tag not in ("body", "main", "article"):
        return True
    menu = chosen and element.tag in ("ul", "ol", "div", "section", "p")
    return menu and bool(words(element)) and _link_share(element) > _LINKS


def _link_share(element: Any) -> float:
    linked = sum(len(words(link)) for link in element.iter("a"))
    return linked / max(1, len(words(element)))


def _word_count(element: Any) -> int:
    return sum(len(text.split()) for text in element.itertext())


def _inside_any(element: Any, others: set[Any]) -> bool:
    return any(above in others for above in element.iterancestors())
