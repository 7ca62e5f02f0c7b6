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
_ENOUGH_TO_TELL = 200_000  # bytes
_FEWEST = 20  # letters beyond ASCII; fewer may be anything
_OF_ONE_SCRIPT = 0.95
# Greek, Cyrillic, Hebrew, Arabic, Thai, kana, Han, Hangul
_SCRIPTS = (
    *((0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF), (0x600, 0x6FF), (0xE00, 0xE7F)),
    *((0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF)),
)
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
_NAMES = {"cp1252": "Windows-1252"}


@dataclass(frozen=True, slots=True)
class Characters:
    text: str
    notes: tuple[str, ...] = ()


def characters(uri: str, data: bytes, declared: str | None = None) -> Characters:
    """UTF-8, or UTF-16; else what is declared; else Western, or a script that only one encoding
    gives. Raises FileIsBinary, EncodingInvalid."""
    try:
        return Characters(decoded(uri, data))
    except EncodingInvalid as error:
        if data.startswith(_MARKS):
            raise
        check_is_text(uri, data)
        if declared and (text := _as(data, declared)) is not None:
            return Characters(text, (f"read as {_name(declared)}, as it declares",))
        text = _as(data, _WESTERN_PAGE)
        if text and _WESTERN.fullmatch(text) and not _FOREIGN_WORD.search(text):
            return Characters(text, (f"read as {_name(_WESTERN_PAGE)}, which its bytes look like",))
        if (shown := _shown(data)) is not None:
            return Characters(shown[1], (f"read as {_name(shown[0])}, which its bytes look like",))
        raise error


def _shown(data: bytes) -> tuple[str, str] | None:
    """The encoding that the bytes show, and the text in it. Letters of one script, and enough of
    them: Latin code pages can't be told from each other, so none of those is taken."""
    from charset_normalizer import from_bytes  # needed by hardly any file

    best = from_bytes(data[:_ENOUGH_TO_TELL]).best()
    text = _as(data, best.encoding) if best is not None else None
    if best is None or text is None:
        return None
    foreign = [c for c in text if ord(c) > 0x7F and c.isalpha()]
    own = sum(any(first <= ord(c) <= last for first, last in _SCRIPTS) for c in foreign)
    sure = len(foreign) >= _FEWEST and own >= _OF_ONE_SCRIPT * len(foreign)
    return (best.encoding, text) if sure else None


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
