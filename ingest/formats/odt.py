"""OpenDocument text: paragraphs, headings, lists with their numbers, tables, and notes."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from lxml import etree

from ingest.formats.grid import named_rows
from ingest.formats.office import check_parts
from ingest.formats.parsed import LONGEST, Parsed
from ingest.formats.text import check_is
from ingest.front_matter import FrontMatter
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileEncrypted, FileTooComplex

_NAMES = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
_TEXT, _TABLE, _OFFICE, _STYLE = (
    "{" + _NAMES.format(name) + "}" for name in ("text", "table", "office", "style")
)
_MANIFEST = "{" + _NAMES.format("manifest") + "}"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_SPACES = {f"{_TEXT}tab": " ", f"{_TEXT}line-break": "\n"}
_PASSED_OVER = {f"{_TEXT}note", f"{_TEXT}tracked-changes", f"{_OFFICE}annotation",
                f"{_TEXT}table-of-content", f"{_TEXT}ruby-text"}  # fmt: skip
_DEEPEST = 10
_MOST_REPEATED = 200  # cells and rows that are alike; a sheet's end repeats a million empty ones


def read_odt(uri: str, data: bytes) -> Parsed:
    """Raises FileDamaged, FileEncrypted, FileTooComplex."""
    check_is(uri, data, b"PK\x03\x04", "an OpenDocument text (.odt)", within=4)
    names = check_parts(uri, data)
    if "content.xml" not in names:
        raise FileDamaged(f"{uri}: is a ZIP archive and no OpenDocument text; unpack it")
    with ZipFile(BytesIO(data)) as archive:
        if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read(
            "META-INF/manifest.xml"
        ):
            raise FileEncrypted(
                f"{uri}: asks for a password; save a copy without one and ingest that"
            )
        try:
            content = _xml(archive.read("content.xml"))
            meta = _xml(archive.read("meta.xml")) if "meta.xml" in names else None
            styles = _xml(archive.read("styles.xml")) if "styles.xml" in names else None
        except etree.XMLSyntaxError as error:
            raise FileDamaged(f"{uri}: is damaged ({error.msg}); save it again") from error
    body = content.find(f".//{_OFFICE}body/{_OFFICE}text")
    if body is None:
        raise FileDamaged(f"{uri}: holds no OpenDocument text; save it as .odt")
    text = "\n\n".join(_Reading([styles, content]).blocks(body))
    if len(text) > LONGEST:
        raise FileTooComplex(f"{uri}: holds more than {LONGEST} characters; split it")
    title = meta.findtext(f".//{_TITLE}") if meta is not None else None
    return Parsed(FrontMatter(stated_title(title)), text)


def _xml(data: bytes) -> Any:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


class _Reading:
    def __init__(self, parts: list[Any]) -> None:
        """parts: where styles are defined."""
        self._lists: dict[str, Any] = {}
        self._titles = {"Title"}
        self._notes: list[str] = []
        for part in parts:
            for style in part.iter(f"{_TEXT}list-style") if part is not None else ():
                self._lists[style.get(f"{_STYLE}name", "")] = style
            for style in part.iter(f"{_STYLE}style") if part is not None else ():
                if style.get(f"{_STYLE}parent-style-name") == "Title":
                    self._titles.add(style.get(f"{_STYLE}name", ""))

    def blocks(self, body: Any) -> Iterator[str]:
        yield from self._of(body)
        yield from (f"- {note}" for note in self._notes)

    def _of(self, parent: Any) -> Iterator[str]:
        for element in parent:
            tag = element.tag
            if tag in (f"{_TEXT}p", f"{_TEXT}h"):
                yield from self._paragraph(element)
            elif tag == f"{_TEXT}list":
                yield from self._list(element, 0, "")
            elif tag == f"{_TABLE}table":
                yield "\n".join(named_rows(self._rows(element)))
            elif tag not in _PASSED_OVER and isinstance(tag, str):
                yield from self._of(element)

    def _paragraph(self, element: Any) -> Iterator[str]:
        text = _words(element).strip()
        if text and element.tag == f"{_TEXT}h":
            level = min(5, int(element.get(f"{_TEXT}outline-level", "1")))
            yield f"{'#' * (level + 1)} {' '.join(text.split())}"
        elif text:
            title = element.get(f"{_TEXT}style-name") in self._titles
            yield f"# {' '.join(text.split())}" if title else text
        for note in element.iter(f"{_TEXT}note"):
            body = note.find(f"{_TEXT}note-body")
            words = " ".join(" ".join(_words(p).split()) for p in body) if body is not None else ""
            self._notes += [words] if words else []

    def _list(self, element: Any, depth: int, style: str) -> Iterator[str]:
        style = element.get(f"{_TEXT}style-name") or style
        count = 0
        for item in element:
            value = item.get(f"{_TEXT}start-value")
            count = int(value) if value and value.isdecimal() else count + 1
            mark = self._mark(style, depth, count)
            for part in item:
                if part.tag == f"{_TEXT}list" and depth < _DEEPEST:
                    yield from self._list(part, depth + 1, style)
                elif part.tag == f"{_TEXT}h":
                    yield from self._paragraph(part)
                elif text := " ".join(_words(part).split()):
                    yield f"{'  ' * depth}{mark} {text}"

    def _mark(self, style: str, depth: int, count: int) -> str:
        levels = self._lists.get(style)
        for level in levels if levels is not None else ():
            if level.get(f"{_TEXT}level") == str(depth + 1):
                if not level.tag.endswith("list-level-style-number"):
                    return "-"
                start = level.get(f"{_TEXT}start-value", "1")
                number = count - 1 + (int(start) if start.isdecimal() else 1)
                return f"{number}." if level.get(f"{_STYLE}num-format") else "-"
        return "-"

    def _rows(self, table: Any) -> list[list[str]]:
        rows: list[list[str]] = []
        for tr in table.iter(f"{_TABLE}table-row"):
            row: list[str] = []
            for cell in tr:
                at = len(row)
                if cell.tag == f"{_TABLE}covered-table-cell":
                    across = tr.index(cell) > 0 and at and _spans(tr[tr.index(cell) - 1])
                    said = (
                        row[-1] if across else (rows[-1][at] if rows and at < len(rows[-1]) else "")
                    )
                else:
                    said = "\n".join(text for p in self._of(cell) if (text := p))
                row += [said] * _repeated(cell, "columns")
            rows.append(row)
        return rows


def _spans(cell: Any) -> bool:
    covered = cell.tag == f"{_TABLE}covered-table-cell"
    return covered or int(cell.get(f"{_TABLE}number-columns-spanned", "1")) > 1


def _repeated(element: Any, what: str) -> int:
    return min(_MOST_REPEATED, int(element.get(f"{_TABLE}number-{what}-repeated", "1")))


def _words(element: Any) -> str:
    return "".join(_pieces(element))


def _pieces(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag in _SPACES:
            yield _SPACES[child.tag]
        elif child.tag == f"{_TEXT}s":
            yield " "
        elif child.tag not in _PASSED_OVER and isinstance(child.tag, str):
            yield from _pieces(child)
        yield child.tail or ""
