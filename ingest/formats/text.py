"""Tells text from other data, and decodes what is Unicode."""

from __future__ import annotations

import codecs

from ingest.formats import FORMATS
from kb.errors import EncodingInvalid, FileDamaged, FileIsBinary

_MAGIC = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive (or a Word, Excel or EPUB file)",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x7fELF": "a program",
    b"MZ": "a program",
    b"SQLite format 3": "an SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Word or Excel file, or an encrypted new one",
    b"{\\rtf": "an RTF file",
}
_OWN_SUFFIX = {b"%PDF": ".pdf", b"PK\x03\x04": ".docx"}
_SAMPLE = 8192  # bytes looked at to tell text from other data
_ENOUGH = 20  # bytes
_MOSTLY = 0.4
_CONTROL_SHARE = 0.05  # text has hardly any control characters, other data a tenth and more
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))


def decoded(uri: str, data: bytes) -> str:
    """UTF-8, or UTF-16 that says so. Raises FileIsBinary, EncodingInvalid."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise EncodingInvalid(f"{uri}: is UTF-32; save it as UTF-8")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(uri, data, "utf-16")
    if (unmarked := _unmarked(data)) is not None:
        return _decoded(uri, data, unmarked)
    check_is_text(uri, data)
    return _decoded(uri, data, "utf-8-sig")


def _unmarked(data: bytes) -> str | None:
    """UTF-16 that doesn't say so, as Windows' tools write it: nearly every second byte is 0."""
    sample = data[:_SAMPLE]
    if len(sample) < _ENOUGH or len(data) % 2:
        return None
    even, odd = sample[::2].count(0) / len(sample[::2]), sample[1::2].count(0) / len(sample[1::2])
    if min(even, odd) > 0 or max(even, odd) < _MOSTLY:
        return None
    letters = sample[even > odd :: 2]
    if len(letters.translate(None, _CONTROL)) < (1 - _CONTROL_SHARE) * len(letters):
        return None  # numbers of two bytes, such as a recording
    return "utf-16-be" if even > odd else "utf-16-le"


def check_is(uri: str, data: bytes, magic: bytes, what: str, within: int) -> None:
    """That the file is what its name says: the magic stands in its first `within` bytes.
    Raises FileDamaged."""
    if magic not in data[:within]:
        kind = _kind(data)
        raise FileDamaged(
            f"{uri}: is {kind + ' and ' if kind else ''}not {what} in spite of its name; "
            f"give it its own suffix, or save it as {what}"
        )


def _kind(data: bytes) -> str | None:
    return next((name for magic, name in _MAGIC.items() if data.startswith(magic)), None)


def _decoded(uri: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-16" if encoding.startswith("utf-16") else "UTF-8"
        raise EncodingInvalid(
            f"{uri}: not valid {name} at byte {error.start}; save it as UTF-8 "
            "(`iconv -f ENCODING -t UTF-8`, where ENCODING is what it was written in)"
        ) from error


def check_is_text(uri: str, data: bytes) -> None:
    sample = data[:_SAMPLE]
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    binary = b"\0" in data or controls > _CONTROL_SHARE * len(sample)
    kind = _kind(data)
    if kind == _MAGIC[b"MZ"] and data.startswith(b"MZ") and not binary:
        kind = None  # two letters that a text may begin with as well
    if kind:
        suffix = next((s for magic, s in _OWN_SUFFIX.items() if data.startswith(magic)), None)
        advice = f"name it {suffix} if it is one" if suffix else f"convert it to {FORMATS[0]}"
        raise FileIsBinary(f"{uri}: is {kind} in spite of its name; {advice}")
    if binary:
        raise FileIsBinary(f"{uri}: holds binary data; convert it to text saved as UTF-8 first")
