"""Plain text and Markdown, and the characters of every other format that is text."""

from __future__ import annotations

import codecs

from ingest.formats import FORMATS
from ingest.formats.parsed import Parsed
from ingest.front_matter import FrontMatter, split_front_matter
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
_CONTROL_SHARE = 0.05  # text has hardly any control characters, other data a tenth and more
_CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\x1b"))


def read_text(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid."""
    return Parsed(FrontMatter(), decoded(uri, data))


def read_markdown(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid, FrontMatterInvalid."""
    return Parsed(*split_front_matter(decoded(uri, data).replace("\r\n", "\n"), uri))


def decoded(uri: str, data: bytes) -> str:
    """UTF-8, or UTF-16 that says so. Raises FileIsBinary, EncodingInvalid."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise EncodingInvalid(f"{uri}: is UTF-32; save it as UTF-8")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(uri, data, "utf-16")
    check_is_text(uri, data)
    return _decoded(uri, data, "utf-8-sig")


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
        name = "UTF-16" if encoding == "utf-16" else "UTF-8"
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
