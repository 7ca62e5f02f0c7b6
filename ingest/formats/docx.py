"""Word: paragraphs, headings, lists and tables in their order, and the notes after them."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.exceptions import OpcError
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from ingest.formats.docx_numbers import Label, Numbers
from ingest.formats.docx_tables import table_blocks
from ingest.formats.docx_words import boxes, words
from ingest.formats.office import opened
from ingest.formats.parsed import LONGEST, Parsed
from ingest.front_matter import FrontMatter
from ingest.lines import ITEM
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileTooComplex

_MAIN = "word/document.xml"
_WRAPPERS = {qn(f"w:{tag}") for tag in ("sdt", "sdtContent", "ins", "customXml", "moveTo")}
_NOTES = (RELATIONSHIP_TYPE.FOOTNOTES, RELATIONSHIP_TYPE.ENDNOTES)
_TITLE, _HEADING, _CONTENTS, _LIST = "title", "heading ", "toc ", "list"
_MOST_BOXES = 20  # one in another


def read_docx(uri: str, data: bytes) -> Parsed:
    """Without headers, footers, hidden and deleted text. The dates in a file's properties are
    those of its last saving, so none is taken. Raises FileDamaged, FileEncrypted,
    FileTooComplex; a damaged file makes python-docx raise anything."""
    data = opened(uri, data, _MAIN, "a Word document (.docx)")
    try:
        document = Document(BytesIO(data))
    except (OpcError, ValueError, KeyError) as error:
        raise FileDamaged(f"{uri}: is no Word document that can be read; save it again") from error
    text = "\n\n".join(_bounded(uri, _Reading(document).blocks()))
    return Parsed(FrontMatter(stated_title(document.core_properties.title)), text)


def _bounded(uri: str, blocks: Iterator[str]) -> Iterator[str]:
    total = 0
    for block in blocks:
        total += len(block)
        if total > LONGEST:
            raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
        yield block


class _Reading:
    """One pass over a document: the numbers count on from paragraph to paragraph."""

    def __init__(self, document: Any) -> None:
        styles = {style.style_id: style for style in document.styles}
        self._document = document
        self._names = {of: (style.name or "").lower() for of, style in styles.items()}
        self._styles = {of: style.element for of, style in styles.items()}
        self._numbers = Numbers(_part(document.part, RELATIONSHIP_TYPE.NUMBERING), self._styles)

    def blocks(self) -> Iterator[str]:
        yield from self._of(self._document.element.body)
        yield from self._notes()

    def _of(self, parent: Any, depth: int = 0) -> Iterator[str]:
        for element in _elements(parent):
            if element.tag == qn("w:tbl"):
                yield from table_blocks(element)
            elif block := self._paragraph(element, words(element).strip()):
                yield block
            if depth < _MOST_BOXES:
                for box in boxes(element):
                    yield from self._of(box, depth + 1)

    def _paragraph(self, element: Any, text: str) -> str | None:
        style = self._known_style(element.style)
        # A table of contents repeats the headings. Empty paragraphs count as those with text do.
        label = self._numbers.label(element)
        if not text or style.startswith(_CONTENTS):
            return None
        if style == _TITLE:
            return f"# {_on_one_line(text)}"
        if style.startswith(_HEADING) and style[len(_HEADING) :].isdecimal():
            level = min(6, 1 + int(style[len(_HEADING) :]))
            number = f"{label.text} " if label and label.text else ""
            return f"{'#' * level} {number}{_on_one_line(text)}"
        if label is None and style.startswith(_LIST):
            label = Label(0, "")
        return text if label is None else _item(label, _on_one_line(text))

    def _known_style(self, style: str | None) -> str:
        """The name of the paragraph's style, or of the heading that its style is made from."""
        own = self._names.get(style or "", "")
        for _ in range(len(self._styles)):
            name = self._names.get(style or "", "")
            if name == _TITLE or name.startswith(_HEADING):
                return name
            based = self._styles[style].find(qn("w:basedOn")) if style in self._styles else None
            if based is None:
                break
            style = based.get(qn("w:val"))
        return own

    def _notes(self) -> Iterator[str]:
        for kind in _NOTES:
            for note in _part(self._document.part, kind, otherwise=()):
                lines = (words(element).strip() for element in _elements(note))
                if text := " ".join(line for line in lines if line):
                    yield f"- {_on_one_line(text)}"


def _part(part: Any, kind: str, otherwise: Any = None) -> Any:
    """The root of the part that is related so."""
    for relation in part.rels.values():
        if relation.reltype == kind and not relation.is_external:
            return parse_xml(relation.target_part.blob)
    return otherwise


def _elements(parent: Any) -> Iterator[Any]:
    """Paragraphs and tables, those inside of content controls and accepted insertions too."""
    for element in parent:
        if element.tag in _WRAPPERS:
            yield from _elements(element)
        elif element.tag in (qn("w:p"), qn("w:tbl")):
            yield element


def _item(label: Label, text: str) -> str:
    """Behind its number; where that isn't one that a list in a text has, behind both signs."""
    own = f"{label.text} {text}"
    line = own if label.text and ITEM.match(own) else f"- {own.strip()}"
    return f"{'  ' * label.level}{line}"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
