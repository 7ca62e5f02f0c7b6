"""Word documents: what their readers see, in its order, tables as rows."""

from __future__ import annotations

import io
import zipfile

import pytest
from docx import Document as NewDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from samples import MAIN, docx, rewritten

from ingest.formats.docx import MOST_UNPACKED, read_docx
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

    with pytest.raises(FileDamaged, match="a ZIP archive and no Word document"):
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
