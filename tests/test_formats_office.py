"""Presentations, workbooks, OpenDocument, books, e-mail and reStructuredText."""

from __future__ import annotations

import datetime
import io
import zipfile

import pytest
from office_samples import EPUB, MAIL, RST, book, deck, odt, saved, zipped
from openpyxl import Workbook
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingest.formats.eml import read_eml
from ingest.formats.epub import read_epub
from ingest.formats.odt import read_odt
from ingest.formats.pptx import read_pptx
from ingest.formats.rst import read_rst
from ingest.formats.xlsx import read_xlsx, shown
from ingest.readers import document, made_of
from ingest.split import split
from kb.errors import FileDamaged, FileEncrypted
from kb.types import Document

LIMIT = 10_000_000


def words(text: str) -> int:
    return len(text.split())


def rows_of(found: Document) -> list[str]:
    return [p.body for p in split(found, words) if p.kind == "row"]


# -- presentations -------------------------------------------------------------------------------


def test_a_slide_is_a_page_with_its_title_items_and_notes() -> None:
    found = made_of("ferry.pptx", read_pptx("ferry.pptx", deck()))

    assert found.text.split("\f")[0].strip() == (
        "## Ferry timetable\n\n- The first ferry leaves at 6:40.\n\n- Dogs travel free.\n\n"
        "Notes: Mention the strike."
    )
    assert rows_of(found) == ["Ticket: Day; Price: 14 EUR"]
    assert [p.heading for p in split(found, words)][-1] == "p.2 > Fares"


# -- workbooks -----------------------------------------------------------------------------------


def of_book(made: Workbook) -> Document:
    return made_of("berths.xlsx", read_xlsx("berths.xlsx", saved(made)))


def test_a_sheet_is_a_table_under_its_name() -> None:
    found = of_book(book(("Boat", "Fee"), ("Freja", 310)))

    assert found.text == "## Berths\n\n| Boat | Fee |\n|---|---|\n| Freja | 310 |"


def test_lines_above_a_table_and_blank_rows_part_it() -> None:
    made = book(("Fees of 2026",), ("Boat", "Fee"), ("Freja", 310), (None,), ("Crane", "Load"))
    made.active.append(("North", "2 t"))

    assert of_book(made).text.split("\n\n")[1:] == [
        "Fees of 2026",
        "| Boat | Fee |\n|---|---|\n| Freja | 310 |",
        "| Crane | Load |\n|---|---|\n| North | 2 t |",
    ]


def test_a_head_over_several_columns_names_each() -> None:
    made = book(("Ship", "Cars", None), (None, "Day", "Night"), ("Freja", 61, 48), merged="B1:C1")

    assert rows_of(of_book(made)) == ["Ship: Freja; Cars Day: 61; Cars Night: 48"]


def test_hidden_sheets_rows_and_columns_are_not_read() -> None:
    made = book(("Boat", "Fee", "Margin"), ("Freja", 310, 99), ("Idun", 450, 77))
    made.active.row_dimensions[3].hidden = True
    made.active.column_dimensions["C"].hidden = True
    made.create_sheet("Secret")["A1"] = "nobody sees this"
    made["Secret"].sheet_state = "hidden"

    assert of_book(made).text == "## Berths\n\n| Boat | Fee |\n|---|---|\n| Freja | 310 |"


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (0.155, "0.0%", "15.5%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1234.5, '"€"#,##0.00', "€1,234.50"),
        (1234.5, "#,##0.00 [$€-407]", "1,234.50 €"),
        (0.1 + 0.2, "General", "0.3"),
        (12, "General", "12"),
        (True, "General", "TRUE"),
        (datetime.datetime(2026, 5, 1), "dd.mm.yyyy", "2026-05-01"),
        (datetime.datetime(2026, 5, 1, 9, 30), "General", "2026-05-01 09:30"),
        ("  text ", "@", "text"),
        (None, "General", ""),
    ],
)
def test_a_cell_says_what_its_reader_sees(value: object, number_format: str, text: str) -> None:
    assert shown(value, number_format) == text


def test_a_formula_says_its_value() -> None:
    sheet = "xl/worksheets/sheet1.xml"
    old = saved(book(("Sum",), (0,)))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(old)) as archive, zipfile.ZipFile(out, "w") as made:
        for name in archive.namelist():
            part = archive.read(name)
            if name == sheet:
                part = part.replace(b"<v>0</v>", b"<f>40+2</f><v>42</v>", 1)
                part = part.replace(b"<v>0</v>", b"<f>40+2</f><v>42</v>")
            made.writestr(name, part)

    assert "42" in read_xlsx("a.xlsx", out.getvalue()).text


# -- OpenDocument --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ('<text:h text:outline-level="1">Kiln</text:h>', "## Kiln"),
        ("<text:p>One<text:s/>two<text:span> three</text:span>.</text:p>", "One two three."),
        (
            '<text:list text:style-name="L1"><text:list-item><text:p>Fill.</text:p>'
            "</text:list-item><text:list-item><text:p>Fire.</text:p></text:list-item></text:list>",
            "1. Fill.\n\n2. Fire.",
        ),
        (
            "<text:p>It costs 9 EUR<text:note><text:note-body><text:p>In 2025.</text:p>"
            "</text:note-body></text:note>.</text:p>",
            "It costs 9 EUR.\n\n- In 2025.",
        ),
        (
            "<table:table><table:table-row><table:table-cell><text:p>Clay</text:p>"
            "</table:table-cell><table:table-cell><text:p>Heat</text:p></table:table-cell>"
            "</table:table-row><table:table-row><table:table-cell><text:p>Red</text:p>"
            "</table:table-cell><table:table-cell><text:p>1100</text:p></table:table-cell>"
            "</table:table-row></table:table>",
            "| Clay | Heat |\n|---|---|\n| Red | 1100 |",
        ),
    ],
)
def test_an_opendocument_text_is_read(inside: str, text: str) -> None:
    assert made_of("a.odt", read_odt("a.odt", odt(inside))).text == text


# -- books ---------------------------------------------------------------------------------------


def test_a_books_chapters_are_read_in_its_order() -> None:
    found = made_of("book.epub", read_epub("book.epub", zipped(EPUB)))

    assert found.title == "The harbour book"
    assert 0 <= found.text.index("rung at five") < found.text.index("lit at nine")


def test_a_book_that_is_locked_is_refused() -> None:
    locked = {**EPUB, "META-INF/encryption.xml": "<encryption/>"}

    with pytest.raises(FileEncrypted, match="locked by its seller"):
        read_epub("book.epub", zipped(locked))


# -- e-mail --------------------------------------------------------------------------------------


def test_an_email_says_who_wrote_when_and_what() -> None:
    found = made_of("a.eml", read_eml("a.eml", MAIL))

    assert (found.title, found.as_of) == ("Café opens", "2026-05-05")
    assert "- From: Ida Berg <ida@harbour.example>" in found.text
    assert found.text.endswith("The café opens on 12 May.")


def test_what_is_no_email_is_refused() -> None:
    with pytest.raises(FileDamaged, match="is no e-mail"):
        read_eml("a.eml", b"Just a text.\n")


# -- reStructuredText ----------------------------------------------------------------------------


def test_restructured_text_keeps_its_structure() -> None:
    found = made_of("a.rst", read_rst("a.rst", RST))

    assert found.title == "Sluice"
    assert found.text.split("\n\n")[-5:] == [
        "3. Lower the gate.",
        "4. Wait.",
        "Gate: The part that moves.",
        "versionadded: 2.0 A third gate.",
        "| Gate | Width |\n|---|---|\n| East | 4 m |",
    ]


# -- all of them ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.pptx", "a.xlsx", "a.odt", "a.epub"])
@pytest.mark.parametrize("data", [b"PK\x03\x04cut off", zipped({"notes.txt": "text"}), b"text"])
def test_what_is_something_else_is_refused_by_name(name: str, data: bytes) -> None:
    with pytest.raises(FileDamaged, match=rf"^{name}: is "):
        document(name, data, LIMIT)


def test_each_is_read_in_a_process_of_its_own() -> None:
    made = {
        "a.pptx": deck(),
        "a.xlsx": saved(book(("Boat", "Fee"), ("Freja", 310))),
        "a.odt": odt("<text:p>Text.</text:p>"),
        "a.epub": zipped(EPUB),
        "a.eml": MAIL,
        "a.rst": RST,
    }

    assert all(document(name, data, LIMIT).text for name, data in made.items())


def test_a_charts_figures_are_a_table() -> None:
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("Boats", (12, 7))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, Inches(4), Inches(3), data)
    out = io.BytesIO()
    made.save(out)

    assert "| East | 12 |\n| West | 7 |" in read_pptx("a.pptx", out.getvalue()).text
