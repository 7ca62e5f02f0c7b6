"""Small presentations, workbooks, books and letters, for the tests of their readers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches


def zipped(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def deck() -> bytes:
    made = Presentation()
    first = made.slides.add_slide(made.slide_layouts[1])
    first.shapes.title.text = "Ferry timetable"
    first.placeholders[1].text = "The first ferry leaves at 6:40.\nDogs travel free."
    first.notes_slide.notes_text_frame.text = "Mention the strike."
    second = made.slides.add_slide(made.slide_layouts[5])
    second.shapes.title.text = "Fares"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(5), Inches(1)).table
    for at, text in enumerate(("Ticket", "Price", "Day", "14 EUR")):
        table.cell(at // 2, at % 2).text = text
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def book(*rows: Sequence[object], merged: str = "") -> Workbook:
    made = Workbook()
    for row in rows:
        made.active.append(list(row))
    if merged:
        made.active.merge_cells(merged)
    made.active.title = "Berths"
    return made


def saved(made: Workbook) -> bytes:
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


ODT = """<office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:automatic-styles>
 <text:list-style style:name="L1"><text:list-level-style-number text:level="1"
 style:num-format="1"/></text:list-style></office:automatic-styles>
 <office:body><office:text>{}</office:text></office:body></office:document-content>"""


def odt(inside: str) -> bytes:
    return zipped({"content.xml": ODT.format(inside)})


OPF = """<package xmlns="http://www.idpf.org/2007/opf"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The harbour book</dc:title>
 </metadata><manifest>
 <item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>
 <item id="a" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>
 <spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
 <rootfile full-path="OEBPS/book.opf"/></rootfiles></container>"""
CHAPTER = "<html><body><article><h1>{0}</h1><p>{1}</p></article></body></html>"
EPUB = {
    "META-INF/container.xml": CONTAINER,
    "OEBPS/book.opf": OPF,
    "OEBPS/two.xhtml": CHAPTER.format("Dusk", "The lamp is lit at nine in the evening by Ida."),
    "OEBPS/one.xhtml": CHAPTER.format("Dawn", "The bell is rung at five in the morning by Jon."),
}


MAIL = b"""\
From: Ida Berg <ida@harbour.example>
To: crew@harbour.example
Date: Tue, 05 May 2026 09:12:00 +0200
Subject: =?utf-8?q?Caf=C3=A9_opens?=
MIME-Version: 1.0
Content-Type: text/plain; charset="iso-8859-1"
Content-Transfer-Encoding: quoted-printable

The caf=E9 opens on 12 May.
"""


RST = b"""\
Sluice
======

Opening
-------

3. Lower the gate.
4. Wait.

Gate
  The part that moves.

.. versionadded:: 2.0
   A third gate.

.. include:: /etc/hostname

===== ======
Gate  Width
===== ======
East  4 m
===== ======
"""
