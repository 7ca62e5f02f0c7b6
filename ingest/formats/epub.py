"""EPUB: a book's chapters in its order, each a page of HTML."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from ingest.formats.html import read_html
from ingest.formats.office import check_parts
from ingest.formats.parsed import LONGEST, Parsed
from ingest.formats.text import check_is
from ingest.front_matter import FrontMatter
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileEmpty, FileEncrypted, FileTooComplex

_CONTAINER = "META-INF/container.xml"
_LOCKED = "META-INF/encryption.xml"
_FONTS_ONLY = b"http://www.idpf.org/2008/embedding"  # what hides fonts, and no text
_PAGES = ("application/xhtml+xml", "text/html")
_BOOK = "{http://www.idpf.org/2007/opf}"
_TITLE, _PUBLISHER = (
    "{http://purl.org/dc/elements/1.1/}title",
    ("{http://purl.org/dc/elements/1.1/}publisher"),
)


def read_epub(uri: str, data: bytes) -> Parsed:
    """Without the book's own table of contents. Raises FileDamaged, FileEncrypted, FileEmpty,
    FileTooComplex."""
    check_is(uri, data, b"PK\x03\x04", "an EPUB", within=4)
    names = check_parts(uri, data)
    with ZipFile(BytesIO(data)) as archive:
        if _LOCKED in names and _FONTS_ONLY not in archive.read(_LOCKED):
            raise FileEncrypted(f"{uri}: is locked by its seller; ingest a copy that isn't")
        try:
            place = _xml(archive.read(_CONTAINER)).find(".//{*}rootfile").get("full-path")
            book = _xml(archive.read(place))
        except (KeyError, AttributeError, etree.XMLSyntaxError) as error:
            raise FileDamaged(f"{uri}: is a ZIP archive and no EPUB that can be read") from error
        chapters = list(_chapters(uri, archive, names, book, posixpath.dirname(place)))
    facts = FrontMatter(
        stated_title(book.findtext(f".//{_TITLE}")), book.findtext(f".//{_PUBLISHER}")
    )
    return Parsed(facts, "\n\n".join(chapters))


def _xml(data: bytes) -> Any:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


def _chapters(
    uri: str, archive: ZipFile, names: frozenset[str], book: Any, folder: str
) -> Iterator[str]:
    parts = {item.get("id"): item for item in book.iter(f"{_BOOK}item")}
    total = 0
    for reference in book.iter(f"{_BOOK}itemref"):
        item = parts.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _PAGES:
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        if name not in names or "nav" in (item.get("properties") or "").split():
            continue
        try:
            text = read_html(uri, archive.read(name)).text
        except FileEmpty:
            continue  # a cover has none
        total += len(text)
        if total > LONGEST:
            raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
        yield text
