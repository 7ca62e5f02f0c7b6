"""The characters of a file that is text: in the encoding that it declares, or in the one that its
bytes show, which is then told."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from ingest.formats.text import check_is_text, decoded
from kb.errors import EncodingInvalid

_HEAD = 2048  # bytes; where a page declares what it is written in
_DECLARED = re.compile(
    rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})"
    rb"|<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})",
    re.IGNORECASE,
)
# What these names mean on the web: the letters of Windows' code page that holds them.
_MEANT = {"iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874"}
_MEANT |= {"gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932"}
# Excel outside of Unicode writes Windows' Western code page. In any other code page these bytes
# are other letters; they then stand in rows, or are signs that no Western text has.
_WESTERN = re.compile(r"[\x00-\x7fÀ-ÖØ-öø-ÿŒœŠšŽžŸ€£§°²³·–—‘’“”„‚…•™®©«»¿¡\xa0´ºª½¼¾±µ×]*")
_FOREIGN_WORD = re.compile(r"[À-ÖØ-öø-ÿŒœŠšŽžŸ]{3}")
_WESTERN_PAGE = "cp1252"
_NAMES = {"cp1252": "Windows-1252"}


@dataclass(frozen=True, slots=True)
class Characters:
    text: str
    notes: tuple[str, ...] = ()


def characters(uri: str, data: bytes, declared: str | None = None) -> Characters:
    """UTF-8, or UTF-16 that says so; else what is declared; else Western. Raises FileIsBinary,
    EncodingInvalid."""
    try:
        return Characters(decoded(uri, data))
    except EncodingInvalid as error:
        check_is_text(uri, data)
        if declared and (text := _as(data, declared)) is not None:
            return Characters(text, (f"read as {_name(declared)}, as it declares",))
        text = _as(data, _WESTERN_PAGE)
        if text and _WESTERN.fullmatch(text) and not _FOREIGN_WORD.search(text):
            return Characters(text, (f"read as {_name(_WESTERN_PAGE)}, which its bytes look like",))
        raise error


def declared_in_markup(data: bytes) -> str | None:
    """The encoding that a page names, as Python calls it; None where it names none that is
    known."""
    found = _DECLARED.search(data[:_HEAD])
    if found is None:
        return None
    try:
        name = codecs.lookup((found[1] or found[2]).decode()).name
    except LookupError:
        return None
    return _MEANT.get(name, name)


def _as(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def _name(encoding: str) -> str:
    return _NAMES.get(encoding, encoding)
