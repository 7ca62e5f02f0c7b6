"""Word: paragraphs, headings, lists and tables in their order, and the notes after them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from ingest.formats.docx_tables import table_rows
from ingest.formats.docx_words import words
from ingest.formats.parsed import LONGEST, Parsed
from ingest.formats.text import check_is
from ingest.front_matter import FrontMatter
from ingest.tables import table_lines
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileEncrypted, FileTooComplex

MOST_UNPACKED = 200_000_000  # bytes, pictures included
MOST_PARTS = 10_000
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MAIN = "word/document.xml"
_WRAPPERS = {qn(f"w:{tag}") for tag in ("sdt", "sdtContent", "ins", "customXml", "moveTo")}
_NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)
_TITLE, _HEADING, _CONTENTS, _LIST = "title", "heading ", "toc ", "list"


def read_docx(uri: str, data: bytes) -> Parsed:
    """Without headers, footers, hidden and deleted text. The dates in a file's properties are
    those of its last saving, so none is taken. Raises FileDamaged, FileEncrypted,
    FileTooComplex; a damaged file makes python-docx raise anything."""
    if data.startswith(_OLE) and _ENCRYPTED in data:
        raise FileEncrypted(f"{uri}: asks for a password; save a copy without one and ingest that")
    check_is(uri, data, b"PK\x03\x04", "a Word document (.docx)", within=4)
    _check_parts(uri, data)
    try:
        document = Document(BytesIO(data))
    except (OpcError, ValueError, KeyError) as error:
        raise FileDamaged(f"{uri}: is no Word document that can be read; save it again") from error
    text = "\n\n".join(_bounded(uri, _blocks(document)))
    return Parsed(FrontMatter(stated_title(document.core_properties.title)), text)


def _check_parts(uri: str, data: bytes) -> None:
    """What the archive says that its parts unpack to is what zipfile unpacks at most."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
    except (BadZipFile, NotImplementedError) as error:
        raise FileDamaged(f"{uri}: is damaged or cut off ({error}); save it again") from error
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise FileTooComplex(f"{uri}: unpacks to more than a document may; save it without media")
    if any(part.flag_bits & 1 for part in parts):
        raise FileEncrypted(f"{uri}: asks for a password; save a copy without one and ingest that")
    if _MAIN not in {part.filename for part in parts}:
        raise FileDamaged(
            f"{uri}: is a ZIP archive and no Word document; archives aren't opened: unpack it"
        )


def _bounded(uri: str, blocks: Iterator[str]) -> Iterator[str]:
    total = 0
    for block in blocks:
        total += len(block)
        if total > LONGEST:
            raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
        yield block


def _blocks(document: Any) -> Iterator[str]:
    names = {style.style_id: (style.name or "").lower() for style in document.styles}
    for element in _elements(document.element.body):
        if element.tag == qn("w:tbl"):
            rows = table_rows(element)
            layout = len(rows) == 1 or all(len(row) == 1 for row in rows)
            cells = (cell for row in rows for cell in row if cell.strip())
            yield from cells if layout else ["\n".join(table_lines(rows))]
        elif (text := words(element).strip()) and (block := _paragraph(element, text, names)):
            yield block
    yield from _notes(document.part)


def _elements(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables, those inside of content controls and accepted insertions too."""
    for element in parent:
        if element.tag in _WRAPPERS:
            yield from _elements(element)
        elif element.tag in (qn("w:p"), qn("w:tbl")):
            yield element


def _paragraph(element: Any, text: str, names: dict[str, str]) -> str | None:
    style = names.get(element.style or "", "")
    if style.startswith(_CONTENTS):
        return None  # a table of contents repeats the headings
    if style == _TITLE:
        return f"# {_on_one_line(text)}"
    if style.startswith(_HEADING) and style[len(_HEADING) :].isdecimal():
        level = min(6, 1 + int(style[len(_HEADING) :]))
        return f"{'#' * level} {_on_one_line(text)}"
    depth = _list_level(element)
    if depth is None and style.startswith(_LIST):
        depth = 0
    return text if depth is None else f"{'  ' * depth}- {_on_one_line(text)}"


def _list_level(element: Any) -> int | None:
    found = element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    if found is None:
        return None
    level = found.find(qn("w:ilvl"))
    return min(8, int(level.get(qn("w:val"), "0"))) if level is not None else 0


def _notes(part: Any) -> Iterator[str]:
    for relation in part.rels.values():
        if relation.reltype in _NOTES and not relation.is_external:
            for note in parse_xml(relation.target_part.blob):
                lines = (words(element).strip() for element in _elements(note))
                if text := " ".join(line for line in lines if line):
                    yield f"- {_on_one_line(text)}"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
