"""Reads a web page."""

from __future__ import annotations

from ingest.formats.characters import characters, declared_in_markup
from ingest.formats.html.blocks import Markdown
from ingest.formats.html.facts import facts_of
from ingest.formats.html.main_part import main_part
from ingest.formats.html.page import parsed_page
from ingest.formats.parsed import LONGEST, Parsed
from kb.errors import FileEmpty, FileTooComplex
from kb.reading import AROUND_THE_TEXT, Lost, Reading


def read_html(uri: str, data: bytes) -> Parsed:
    """The page's own text, without navigation, comments and what its reader can't bring to light,
    and what it says about itself in its head. Raises FileIsBinary, EncodingInvalid, FileEmpty,
    FileTooComplex."""
    told = characters(uri, data, declared_in_markup(data))
    try:
        text, lost = _text(told.text)
        facts = facts_of(told.text)
    except RecursionError as error:
        raise FileTooComplex(f"{uri}: is nested too deeply; save it in a simpler form") from error
    if not text:
        raise FileEmpty(f"{uri}: the page has no main text; save the article itself")
    if len(text) > LONGEST:
        raise FileTooComplex(f"{uri}: makes more than {LONGEST} characters; split it")
    return Parsed(facts, text, reading=Reading(lost, told.notes))


def _text(html: str) -> tuple[str, tuple[Lost, ...]]:
    page = parsed_page(html)
    if page is None:
        return "", ()
    part = main_part(page.tree, html)
    markdown = Markdown(part.left_out)
    text = markdown.text(part.root)
    around = part.words_around()
    lost = [*page.lost, *markdown.lost()]
    if around:
        lost.append(Lost(AROUND_THE_TEXT, around, "menus, banners and footers"))
    return text, tuple(lost)
