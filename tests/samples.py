"""Small files of the formats that are no text, built here so that nothing is taken on trust."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import nbformat
from docx import Document
from pypdf import PdfReader, PdfWriter

Lines = Sequence[str]
MAIN = "word/document.xml"  # the part of a .docx that holds its text


def pdf(*pages: Lines, title: str | None = None) -> bytes:
    """A page for each sequence of lines; "fi" drawn as its ligature where it is written so."""
    return pdf_of_streams(*(_drawn(lines) for lines in pages), title=title)


def pdf_of_streams(*streams: bytes, title: str | None = None) -> bytes:
    """A page for each content stream, compressed."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(streams)))
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode(),
        font,
    ]
    for number, stream in enumerate(streams):
        packed = zlib.compress(stream, 9)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % (5 + 2 * number)
        )
        objects.append(
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
        )
    if title is not None:
        objects.append(f"<< /Title ({title}) /CreationDate (D:20200101000000Z) >>".encode())
    return _file(objects, has_info=title is not None)


def encrypted(data: bytes, password: str) -> bytes:
    """Only an owner's password where `password` is empty: then anyone may read it."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(password, owner_password="owner", algorithm="AES-256")
    return _written(writer)


def docx(*blocks: str | Sequence[Lines], title: str = "") -> bytes:
    """Paragraphs, as headings where they begin with "#" and as items with "-"; rows of cells as
    tables."""
    document = Document()
    document.core_properties.title = title
    for block in blocks:
        if isinstance(block, str):
            marks, _, text = block.partition(" ")
            if marks and set(marks) == {"#"}:
                document.add_heading(text, len(marks) - 1)
            elif marks == "-":
                document.add_paragraph(text, style="List Bullet")
            else:
                document.add_paragraph(block)
            continue
        table = document.add_table(0, len(block[0]))
        for row in block:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    return _written(document)


def rewritten(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The archive with every part as `change` gives it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as made:
        for name in old.namelist():
            made.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def notebook(*cells: tuple[str, str, str]) -> bytes:
    """Cells as (kind, source, what it printed)."""
    made = []
    for number, (kind, source, printed) in enumerate(cells):
        outputs = [nbformat.v4.new_output("stream", text=printed)] if printed else []
        cell = (
            nbformat.v4.new_code_cell(source, outputs=outputs)
            if kind == "code"
            else nbformat.v4.new_markdown_cell(source)
        )
        cell["id"] = f"cell-{number}"
        made.append(cell)
    return nbformat.writes(nbformat.v4.new_notebook(cells=made)).encode()


def _drawn(lines: Lines) -> bytes:
    drawn = b"BT /F1 11 Tf 14 TL 50 750 Td "
    for line in lines:
        escaped = line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        drawn += b"(%s) Tj T* " % escaped.encode("cp1252")
    return drawn + b"ET"


def _file(objects: Sequence[bytes], has_info: bool) -> bytes:
    out = b"%PDF-1.7\n"
    offsets = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    info = b" /Info %d 0 R" % len(objects) if has_info else b""
    return out + (
        b"trailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, info, start)
    )


def _written(document: Any) -> bytes:
    out = io.BytesIO()
    save = getattr(document, "save", None) or document.write
    save(out)
    return out.getvalue()
