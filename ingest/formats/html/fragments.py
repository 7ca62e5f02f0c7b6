"""HTML inside of other documents: a table in Markdown, an output of a notebook."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.formats.html.blocks import Markdown
from ingest.formats.html.page import parsed_page
from kb.reading import Lost


@dataclass(frozen=True, slots=True)
class Fragment:
    text: str
    lost: tuple[Lost, ...] = ()


def fragment(html: str) -> Fragment:
    page = parsed_page(html)
    if page is None:
        return Fragment("")
    markdown = Markdown()
    text = markdown.text(page.tree)
    return Fragment(text, (*page.lost, *markdown.lost()))
