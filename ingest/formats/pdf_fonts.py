"""Whether the fonts of a PDF's page say which letters they draw."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pypdf import PageObject
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

# What programs call glyphs whose letters they don't know: "/g12", "/C0007", "/cid301", "/.notdef".
_NO_NAME = re.compile(r"/(?:[a-zA-Z]{0,5}\d+|\.notdef)")


def name_their_letters(page: PageObject) -> bool:
    """By the names of the glyphs, of the fonts that have no other map."""
    names = [name for font in _fonts(page) for name in _glyphs(font)]
    unknown = sum(_NO_NAME.fullmatch(name) is not None for name in names)
    return bool(names) and 2 * unknown < len(names)


def _fonts(page: PageObject) -> Iterator[DictionaryObject]:
    resources = page.get("/Resources")
    fonts = resources.get_object().get("/Font") if resources is not None else None
    for font in (fonts.get_object() if fonts is not None else {}).values():
        if isinstance(font := font.get_object(), DictionaryObject) and "/ToUnicode" not in font:
            yield font


def _glyphs(font: DictionaryObject) -> list[str]:
    encoding = font.get("/Encoding")
    encoding = encoding.get_object() if encoding is not None else None
    named = encoding.get("/Differences") if isinstance(encoding, DictionaryObject) else None
    if not isinstance(named, ArrayObject):
        return []
    return [str(one) for one in named if isinstance(one, NameObject)]
