"""Word documents: what their readers see, in its order, tables as rows."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from docx import Document as NewDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from samples import MAIN, docx, rewritten

from ingest.formats.docx import read_docx
from ingest.formats.office import MOST_UNPACKED
from ingest.readers import document, made_of
from ingest.split import split
from kb.errors import FileDamaged, FileEncrypted, FileTooComplex
from kb.types import Document

LIMIT = 10_000_000


def words(text: str) -> int:
    return len(text.split())


def of(data: bytes) -> Document:
    """Read in this process, which takes no second."""
    return made_of("guide.docx", read_docx("guide.docx", data))


def read_apart(data: bytes) -> Document:
    return document("guide.docx", data, LIMIT)


def with_body(xml: str) -> bytes:
    """A document whose body begins with these paragraphs."""
    made = NewDocument()
    body = parse_xml(f"<w:body {nsdecls('w')}>{xml}</w:body>")
    for at, element in enumerate(list(body)):
        made.element.body.insert(at, element)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_headings_lists_and_tables_keep_their_order_and_kind() -> None:
    found = of(
        docx(
            "# Open models",
            "Some are open.",
            "## Prices",
            "- one item",
            [["Model", "Price"], ["R1", "$0.55 | in"]],
            "The end.",
        )
    )

    assert found.text == (
        "# Open models\n\nSome are open.\n\n## Prices\n\n- one item\n\n"
        "| Model | Price |\n|---|---|\n| R1 | $0.55 \\| in |\n\nThe end."
    )
    assert [p.body for p in split(found, words) if p.kind == "row"] == [
        "Model: R1; Price: $0.55 | in"
    ]


TEXTS = (("M", "Price", "x"), ("A", "1", "2"), ("", "3", "4"))


def test_merged_cells_say_the_same_in_every_row_and_column() -> None:
    made = NewDocument()
    table = made.add_table(3, 3)
    for row, texts in zip(table.rows, TEXTS, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    out = io.BytesIO()
    made.save(out)

    assert of(out.getvalue()).text.split("\n")[2:] == ["| A | 1 | 2 |", "| A | 3 | 4 |"]


RUN = "<w:r><w:t>{}</w:t></w:r>"


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        ("<w:p><w:r><w:t>A</w:t><w:tab/><w:t>B</w:t></w:r></w:p>", "A B"),
        (f"<w:p>{RUN.format('kept ')}<w:ins>{RUN.format('added')}</w:ins></w:p>", "kept added"),
        (
            f"<w:p>{RUN.format('kept')}<w:del><w:r><w:delText>gone</w:delText></w:r></w:del></w:p>",
            "kept",
        ),
        (
            f"<w:p>{RUN.format('seen')}<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>",
            "seen",
        ),
        (f"<w:sdt><w:sdtContent><w:p>{RUN.format('boxed')}</w:p></w:sdtContent></w:sdt>", "boxed"),
        (f"<w:p><w:hyperlink>{RUN.format('linked')}</w:hyperlink></w:p>", "linked"),
    ],
)
def test_what_its_reader_sees_is_read(xml: str, text: str) -> None:
    assert of(with_body(xml)).text == text


@pytest.mark.parametrize(
    ("stated", "title"), [("A guide", "A guide"), ("", "Heading"), ("old.doc", "Heading")]
)
def test_a_title_in_the_properties_counts_where_it_is_one(stated: str, title: str) -> None:
    found = of(docx("# Heading", "Some text is here.", title=stated))

    assert (found.title, found.as_of) == (title, None)


# -- refusals ------------------------------------------------------------------------------------


def test_an_encrypted_document_is_refused() -> None:
    data = b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 90

    with pytest.raises(FileEncrypted, match="asks for a password; "):
        of(data)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.99])
def test_a_document_that_is_cut_off_is_refused(kept: float) -> None:
    data = docx("Some text.")

    with pytest.raises(FileDamaged, match=r"^guide\.docx: is damaged or cut off"):
        of(data[: int(len(data) * kept)])


def test_another_archive_under_its_name_is_not_opened() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("notes.txt", "text")

    with pytest.raises(FileDamaged, match="a ZIP archive and not a Word document"):
        of(out.getvalue())


def saying_its_size_is(data: bytes, size: int) -> bytes:
    """The archive with another size of its main part in its table of contents."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        real = archive.getinfo(MAIN).file_size
    return data.replace(real.to_bytes(4, "little"), size.to_bytes(4, "little"))


def test_parts_that_unpack_to_too_much_are_not_unpacked() -> None:
    with pytest.raises(FileTooComplex, match="unpacks to more than"):
        of(saying_its_size_is(docx("Text."), MOST_UNPACKED))


def test_a_part_that_says_it_is_smaller_is_refused() -> None:
    with pytest.raises(FileDamaged):
        read_apart(saying_its_size_is(docx("Text."), 10))


def test_entities_are_not_expanded() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "bomb"}">' for n in range(10))

    def change(name: str, part: bytes) -> bytes:
        if name != MAIN:
            return part
        head, rest = part.split(b"?>", 1)
        return (
            head + b"?><!DOCTYPE x [" + entities.encode() + b"]>" + rest.replace(b"Text.", b"&e9;")
        )

    with pytest.raises(FileDamaged, match=r"^guide\.docx: "):
        read_apart(rewritten(docx("Text.", "More."), change))


def test_a_table_nested_without_end_is_refused() -> None:
    cell = "<w:tbl><w:tr><w:tc>"
    deep = cell * 300 + "<w:p/>" + "</w:tc></w:tr></w:tbl>" * 300

    def change(name: str, part: bytes) -> bytes:
        return (
            part.replace(b"<w:body>", b"<w:body>" + deep.encode()) if "document" in name else part
        )

    with pytest.raises((FileDamaged, FileTooComplex)):
        read_apart(rewritten(docx("Text."), change))


# -- numbers -------------------------------------------------------------------------------------

LEVEL = (
    '<w:lvl w:ilvl="{}"><w:start w:val="{}"/><w:numFmt w:val="{}"/><w:lvlText w:val="{}"/></w:lvl>'
)


def with_lists(xml: str, levels: str, nums: str = "") -> bytes:
    """Paragraphs in a list 90 with these levels, which num 90 is of; nums: further ones."""
    made = NewDocument()
    root = made.part.numbering_part.element
    numbering = f'<w:abstractNum w:abstractNumId="90">{levels}</w:abstractNum>'
    root.insert(0, parse_xml(f"<w:x {nsdecls('w')}>{numbering}</w:x>")[0])
    num = '<w:num w:numId="90"><w:abstractNumId w:val="90"/></w:num>' + nums
    for element in list(parse_xml(f"<w:x {nsdecls('w')}>{num}</w:x>")):
        root.append(element)
    body = parse_xml(f"<w:body {nsdecls('w')}>{xml}</w:body>")
    for at, element in enumerate(list(body)):
        made.element.body.insert(at, element)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def item(text: str, level: int = 0, num: int = 90, style: str = "") -> str:
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    place = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{num}"/></w:numPr>'
    return f"<w:p><w:pPr>{styled}{place}</w:pPr>{RUN.format(text)}</w:p>"


def lines(data: bytes) -> list[str]:
    return [line for line in of(data).text.split("\n") if line]


def test_numbers_that_word_counts_are_read() -> None:
    levels = LEVEL.format(0, 3, "decimal", "%1.") + LEVEL.format(1, 1, "lowerLetter", "%2)")
    paragraphs = item("Fuel") + item("diesel", 1) + item("petrol", 1) + item("Oil") + item("5W", 1)

    assert lines(with_lists(paragraphs, levels)) == [
        "3. Fuel",
        "  a) diesel",
        "  b) petrol",
        "4. Oil",
        "  a) 5W",
    ]


def test_a_heading_has_the_number_of_its_section() -> None:
    levels = LEVEL.format(0, 4, "decimal", "%1") + LEVEL.format(1, 1, "decimal", "%1.%2")
    paragraphs = item("Safety", 0, style="Heading1") + item("Masks", 1, style="Heading2")

    assert lines(with_lists(paragraphs, levels)) == ["## 4 Safety", "### 4.1 Masks"]


def test_words_of_a_number_are_read() -> None:
    levels = LEVEL.format(0, 1, "upperRoman", "Article %1 –")

    assert lines(with_lists(item("Name") + item("Seat"), levels)) == [
        "- Article I – Name",
        "- Article II – Seat",
    ]


def test_a_list_that_was_begun_anew_counts_from_its_start() -> None:
    again = (
        '<w:num w:numId="91"><w:abstractNumId w:val="90"/><w:lvlOverride w:ilvl="0">'
        '<w:startOverride w:val="1"/></w:lvlOverride></w:num>'
    )
    paragraphs = item("one") + item("two") + item("first", num=91) + item("second", num=91)

    found = lines(with_lists(paragraphs, LEVEL.format(0, 1, "decimal", "%1."), again))

    assert found == ["1. one", "2. two", "1. first", "2. second"]


def test_a_list_goes_on_after_a_paragraph() -> None:
    levels = LEVEL.format(0, 1, "decimal", "%1.")
    paragraphs = item("one") + f"<w:p>{RUN.format('Between.')}</w:p>" + item("two")

    assert lines(with_lists(paragraphs, levels)) == ["1. one", "Between.", "2. two"]


def test_the_lists_of_the_styles_are_numbered() -> None:
    made = NewDocument()
    for text in ("Boil.", "Pour."):
        made.add_paragraph(text, style="List Number")
    out = io.BytesIO()
    made.save(out)

    assert lines(out.getvalue()) == ["1. Boil.", "2. Pour."]


# -- formulas and signs --------------------------------------------------------------------------

M = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def m(name: str, *parts: str) -> str:
    return f"<m:{name}>{''.join(parts)}</m:{name}>"


def t(text: str) -> str:
    return m("r", m("t", text))


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        (t("R=12×380"), "R=12×380"),
        (m("f", m("num", t("a+b")), m("den", t("2"))), "(a+b)/2"),
        (m("sSup", m("e", t("x")), m("sup", t("2"))), "x^2"),
        (m("sSub", m("e", t("x")), m("sub", t("n+1"))), "x_(n+1)"),
        (m("rad", m("deg"), m("e", t("y"))), "√(y)"),
        (m("d", m("e", t("a"))), "(a)"),
        (
            m("nary", m("naryPr", '<m:chr m:val="∑"/>'), m("sub", t("i")), m("sup", t("n")))[:-9]
            + m("e", t("k"))
            + "</m:nary>",
            "∑_i^n k",
        ),
        (m("m", m("mr", m("e", t("1")), m("e", t("0")))), "[1, 0]"),
        (m("unheardOf", m("e", t("kept"))), "kept"),
    ],
)
def test_formulas_are_read_in_a_line(inside: str, text: str) -> None:
    formula = f"<m:oMath {M}>{inside}</m:oMath>"

    found = of(with_body(f"<w:p>{RUN.format('It is ')}{formula}{RUN.format(' EUR.')}</w:p>"))

    assert found.text == f"It is {text} EUR."


@pytest.mark.parametrize(
    ("sign", "text"),
    [
        ('<w:sym w:font="Wingdings" w:char="F0FE"/>', "☑"),
        ('<w:sym w:font="Wingdings" w:char="F0A8"/>', "☐"),
        ('<w:sym w:font="Symbol" w:char="F0B3"/>', "≥"),
        ('<w:sym w:font="Symbol" w:char="F061"/>', "α"),
    ],
)
def test_signs_of_the_symbol_fonts_are_read(sign: str, text: str) -> None:
    assert of(with_body(f"<w:p><w:r>{sign}<w:t> so</w:t></w:r></w:p>")).text == f"{text} so"


@pytest.mark.parametrize(("set_high", "text"), [("6", "10⁶"), ("th", "10th")])
def test_a_number_that_is_set_high_is_not_run_into_the_one_before(set_high: str, text: str) -> None:
    high = '<w:rPr><w:vertAlign w:val="superscript"/></w:rPr>'
    run = f"<w:r>{high}<w:t>{set_high}</w:t></w:r>"

    assert of(with_body(f"<w:p>{RUN.format('10')}{run}</w:p>")).text == text


def test_a_text_box_is_a_paragraph_of_its_own_once() -> None:
    box = f"<w:txbxContent><w:p>{RUN.format('In the box.')}</w:p></w:txbxContent>"
    both = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent>"
    )

    found = of(with_body(f"<w:p>{RUN.format('Beside ')}<w:r>{both}</w:r>{RUN.format('it.')}</w:p>"))

    assert found.text == "Beside it.\n\nIn the box."


# -- tables --------------------------------------------------------------------------------------


def test_names_in_bold_are_those_of_the_values_beside_them() -> None:
    made = NewDocument()
    table = made.add_table(2, 2)
    for row, (name, value) in zip(table.rows, (("Owner", "Ida"), ("Berth", "14")), strict=True):
        row.cells[0].paragraphs[0].add_run(name).bold = True
        row.cells[1].text = value
    out = io.BytesIO()
    made.save(out)

    assert lines(out.getvalue()) == ["- Owner: Ida", "- Berth: 14"]


def test_a_header_of_two_rows_names_each_column_with_both() -> None:
    made = NewDocument()
    table = made.add_table(3, 3)
    rows = (("Ship", "Cars", ""), ("", "Day", "Night"), ("Freja", "61", "48"))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 0).merge(table.cell(1, 0))
    out = io.BytesIO()
    made.save(out)

    assert lines(out.getvalue())[0::2] == [
        "| Ship | Cars Day | Cars Night |",
        "| Freja | 61 | 48 |",
    ]


# -- strict --------------------------------------------------------------------------------------


def strict(data: bytes) -> bytes:
    """The document as "Strict Open XML" names everything."""
    ordinary = re.compile(rb"http://schemas\.openxmlformats\.org/(\w+)/2006/(?!metadata)")

    def change(name: str, part: bytes) -> bytes:
        if not name.endswith((".xml", ".rels")) or name == "[Content_Types].xml":
            return part
        return ordinary.sub(
            lambda m: m[0] if m[1] == b"package" else b"http://purl.oclc.org/ooxml/%s/" % m[1], part
        )

    return rewritten(data, change)


def test_a_strict_document_is_read_as_any_other() -> None:
    made = docx("# Kiln", "It is fired.", [["Clay", "Heat"], ["Red", "1100"]])

    assert strict(made) != made
    assert of(strict(made)).text == of(made).text
