"""What a page says about itself in its head."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree, html

from ingest.clean import visible
from ingest.front_matter import FrontMatter, iso_date

# A page states when it was last changed before when it was first published: a reader asks for the
# first. Nothing else on it is its date: the days of events, comments and other articles are not.
_CHANGED = frozenset(
    "article:modified_time og:updated_time datemodified dcterms.modified dc.date.modified "
    "last-modified lastmod revised".split()
)
_PUBLISHED = frozenset(
    "article:published_time og:published_time datepublished dcterms.created dcterms.issued "
    "dcterms.date dc.date dc.date.issued dc.date.created date pubdate publish-date "
    "publication_date sailthru.date parsely-pub-date".split()
)
_DAY = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:[T ].*)?")
_OF_A_PAGE = re.compile(r"(?:Article|Posting|WebPage|FAQPage|Page|Report|HowTo|Document)$")


def facts_of(text: str) -> FrontMatter:
    from trafilatura.metadata import extract_metadata  # as in main_part

    found = extract_metadata(text, date_config={"extensive_search": False})
    return FrontMatter(_tidy(found.title), _tidy(found.sitename), _date(text))


def _date(text: str) -> str | None:
    try:
        tree = html.document_fromstring(text.encode(errors="replace"))
    except (etree.ParserError, ValueError):
        return None
    stated = [*_in_metas(tree), *_in_linked_data(tree)]
    for names in (_CHANGED, _PUBLISHED):
        for name, value in stated:
            if name in names and (day := _day(value)):
                return day
    return None


def _in_metas(tree: Any) -> Iterator[tuple[str, str]]:
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        if next(meta.iterancestors("body"), None) is None or meta.get("itemprop"):
            yield name.lower(), meta.get("content", "")


def _in_linked_data(tree: Any) -> Iterator[tuple[str, str]]:
    for script in tree.iter("script"):
        if script.get("type") != "application/ld+json":
            continue
        try:
            held = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for thing in _things(held):
            if any(_OF_A_PAGE.search(kind) for kind in _kinds(thing)):
                yield from (
                    (name.lower(), value) for name, value in thing.items() if isinstance(value, str)
                )


def _things(held: object) -> Iterator[Mapping[str, Any]]:
    """Those at the top: what is inside of one is about something else."""
    for one in held if isinstance(held, list) else [held]:
        if isinstance(one, dict):
            yield one
            graph = one.get("@graph")
            yield from (
                (inner for inner in graph if isinstance(inner, dict))
                if isinstance(graph, list)
                else ()
            )


def _kinds(thing: Mapping[str, Any]) -> list[str]:
    kinds = thing.get("@type")
    return [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds])]


def _day(value: str) -> str | None:
    found = _DAY.fullmatch(value.strip())
    return iso_date(found[1] if found else value)


def _tidy(value: str | None) -> str | None:
    return " ".join(visible(value or "").split()) or None
