"""PDFs: flowing text, and on which page each quote stands."""

from __future__ import annotations

import io
import re

import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    FloatObject,
    NameObject,
    TextStringObject,
)
from samples import encrypted, pdf, pdf_of_streams

from ingest.formats.pdf import read_pdf
from ingest.formats.pdf_lines import flowing
from ingest.readers import document, made_of
from ingest.split import split
from kb.errors import FileDamaged, FileEncrypted, FileIsBinary, FileWithoutText
from kb.types import Document, Passage

LIMIT = 1_000_000
FULL = "Models whose weights are open can be run by anyone on a machine of their own choice,"


def words(text: str) -> int:
    return len(text.split())


def of(data: bytes) -> Document:
    """Read in this process, which takes no second."""
    return made_of("report.pdf", read_pdf("report.pdf", data))


def holding(found: Document, sentence: str) -> Passage:
    """The one passage with that sentence as a unit."""
    (passage,) = [
        passage
        for passage in split(found, words)
        if any(sentence in found.text[u.start : u.end] for u in passage.units)
    ]
    return passage


# -- pages ---------------------------------------------------------------------------------------

PAGES = (
    [
        "The title of it",
        "A first model costs two dollars.",
        FULL,
        "and the sentence goes on here, which",
    ],
    [],
    [
        "Licences",
        "A second model is free to use.",
        FULL,
        "and this one goes on overleaf, since here is no more room, where it",
    ],
    ["then comes to its end. A third model has a licence of its own."],
)


@pytest.mark.parametrize(
    ("sentence", "heading"),
    [
        ("A first model costs two dollars.", "p.1"),
        ("A second model is free to use.", "p.3 > Licences"),
        ("goes on overleaf", "p.3–p.4 > Licences"),
        ("A third model has a licence of its own.", "p.4 > Licences"),
    ],
)
def test_a_passage_names_the_page_that_its_quote_stands_on(sentence: str, heading: str) -> None:
    assert holding(of(pdf(*PAGES)), sentence).heading == heading


def test_a_page_without_text_still_counts() -> None:
    found = of(pdf([], ["It is on the second page."]))

    assert holding(found, "It is on the second page.").heading == "p.2"


def test_a_text_without_pages_names_none() -> None:
    found = document("a.txt", b"First page.\n\x0c\nSecond page.", LIMIT)

    assert "\f" not in found.text
    assert {passage.heading for passage in split(found, words)} == {""}


def test_a_process_of_its_own_reads_the_same_text() -> None:
    assert document("report.pdf", pdf(*PAGES), LIMIT) == of(pdf(*PAGES))


# -- lines ---------------------------------------------------------------------------------------


def test_lines_become_paragraphs_and_headings_stay_alone() -> None:
    page = ["Open weights", FULL, "which is why so many people like them. They are", "cheap."]

    assert flowing(["\n".join(page)]) == (
        f"Open weights\n\n{FULL} which is why so many people like them. They are cheap."
    )


@pytest.mark.parametrize(
    ("above", "below", "joined"),
    [
        ("the models are proprie-", "tary ones", "the models are proprietary ones"),
        ("the weights are open-", "source ones", "the weights are open-source ones"),
        ("a state-of-the-", "art model", "a state-of-the-art model"),
        ("as good as GPT-", "4 was then", "as good as GPT-4 was then"),
        ("it is an inter\u00ad", "national one", "it is an international one"),
    ],
)
def test_words_cut_at_a_line_end_are_whole_again(above: str, below: str, joined: str) -> None:
    """The text has "open-source" elsewhere, so that hyphen is its own."""
    line = f"Here is a line as long as the others are, so that it is plain that {above}"
    text = flowing([f"An open-source model.\n{line}\n{below} and more."])

    assert f"{joined} and more." in text


def test_a_word_cut_at_the_end_of_a_page_is_on_the_next() -> None:
    line = "Here is a line as long as the others are, so that it goes on with propri-"

    assert flowing([line, "etary models."]).endswith("it goes on with \fproprietary models.")


def test_ligatures_are_letters() -> None:
    assert flowing(["The ﬁrst eﬃcient ﬂow."]) == "The first efficient flow."


def test_running_headers_footers_and_page_numbers_are_left_out() -> None:
    pages = [
        f"Annual report\n{body}\nPage {number} of 4"
        for number, body in enumerate(["One is here.", "Two is here.", "Three.", "Four."], 1)
    ]

    assert re.split(r"\s+\f\s+", flowing(pages)) == [
        "One is here.",
        "Two is here.",
        "Three.",
        "Four.",
    ]


def test_lines_that_differ_in_more_than_the_page_number_are_text() -> None:
    pages = [f"Model {n} costs {n * n} dollars.\nIt is number {n * 7}." for n in range(1, 6)]

    assert all(f"costs {n * n} dollars" in flowing(pages) for n in range(1, 6))


# -- what a PDF says about itself ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "title"),
    [
        ("A guide to models", "A guide to models"),
        ("Word embeddings", "Word embeddings"),
        ("Microsoft Word - guide.docx", "Open weights"),
        ("untitled", "Open weights"),
        ("guide_final.pdf", "Open weights"),
        ("", "Open weights"),
    ],
)
def test_a_title_in_the_properties_counts_where_it_is_one(stated: str, title: str) -> None:
    page = ["Open weights", "A model with open weights can be run by anyone."]

    assert of(pdf(page, title=stated)).title == title


def test_the_date_of_the_export_is_not_that_of_the_text() -> None:
    assert of(pdf(["Some text is here."], title="A guide")).as_of is None


# -- refusals ------------------------------------------------------------------------------------


def test_a_pdf_that_asks_for_a_password_is_refused() -> None:
    with pytest.raises(FileEncrypted, match=r"^report\.pdf: asks for a password; "):
        of(encrypted(pdf(["Secret."]), "secret"))


def test_a_pdf_that_anyone_may_open_is_read() -> None:
    assert of(encrypted(pdf(["It is readable."]), "")).text == "It is readable."


def test_a_scan_is_refused_with_what_to_do() -> None:
    with pytest.raises(FileWithoutText, match=r"^report\.pdf: its 2 pages are images .*OCR"):
        of(pdf([], []))


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_pdf_that_is_cut_off_is_refused(kept: float) -> None:
    data = pdf(*PAGES)

    with pytest.raises(FileDamaged, match=r"^report\.pdf: is cut off"):
        of(data[: int(len(data) * kept)])


@pytest.mark.parametrize("data", [b"Just text.", b"\x7fELF" + b"\0" * 50, b"PK\x03\x04zip"])
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(FileDamaged, match="not a PDF in spite of its name; "):
        of(data)


def test_a_pdf_of_nonsense_is_refused() -> None:
    with pytest.raises(FileDamaged, match="is damaged"):
        of(b"%PDF-1.7\nnothing here\n%%EOF")


def test_a_pdf_under_a_texts_name_is_told_its_own() -> None:
    with pytest.raises(FileIsBinary, match=r"is a PDF in spite of its name; name it \.pdf"):
        document("report.md", pdf(["Text."]), LIMIT)


def test_text_that_is_drawn_in_any_order_is_read_in_that_order() -> None:
    columns = (
        b"BT /F1 11 Tf 50 750 Td (Left column.) Tj ET BT /F1 11 Tf 300 750 Td (Right column.) Tj ET"
    )

    assert of(pdf_of_streams(columns)).text.split() == ["Left", "column.", "Right", "column."]


# -- where it stands on the page -----------------------------------------------------------------


def placed(*texts: tuple[float, float, str], size: float = 11) -> bytes:
    """Texts at (from the left, from the foot), drawn in this order."""
    drawn = ("BT /F1 {} Tf {} {} Td ({}) Tj ET".format(size, *text) for text in texts)
    return "\n".join(drawn).encode("cp1252")


LEFT = [
    "The harbour board met in the",
    "old hall and agreed to dredge",
    "the inner basin. It will cost",
    "8,300 EUR and take two weeks.",
]
RIGHT = [
    "The pilot boat is to be sold",
    "in autumn, for which the board",
    "asks 15,750 EUR. A new one is",
    "being built at the east yard.",
]
ROWS = [
    (place, 700 - 14 * at, column[at])
    for at in range(4)
    for place, column in ((60, LEFT), (320, RIGHT))
]
TEXT_OF = {side: " ".join(lines) for side, lines in (("left", LEFT), ("right", RIGHT))}


@pytest.mark.parametrize("order", [ROWS, ROWS[::-1], [*ROWS[1::2], *ROWS[::2]]])
def test_columns_are_read_one_after_the_other_in_whatever_order_they_are_drawn(
    order: list[tuple[float, float, str]],
) -> None:
    found = of(pdf_of_streams(placed((60, 740, "Harbour news"), *order)))

    assert found.text == f"Harbour news\n\n{TEXT_OF['left']}\n\n{TEXT_OF['right']}"


def test_a_sentence_goes_on_in_the_next_column() -> None:
    left = [*LEFT[:3], "8,300 EUR, which will be paid"]
    rows = [(60, 700 - 14 * at, line) for at, line in enumerate(left)]
    rows += [(320, 700 - 14 * at, line) for at, line in enumerate(["from the reserve.", *RIGHT])]

    assert "which will be paid from the reserve." in of(pdf_of_streams(placed(*rows))).text


def table_at(top: float, *rows: tuple[str, ...]) -> list[tuple[float, float, str]]:
    return [
        (60 + 150 * column, top - 20 * at, cell)
        for at, row in enumerate(rows)
        for column, cell in enumerate(row)
        if cell
    ]


HEAD = ("Boat", "Length", "Berth fee")


def test_cells_beside_each_other_are_a_table() -> None:
    texts = table_at(700, HEAD, ("Freja", "9 m", "310 EUR"), ("Idun", "", "450 EUR"))

    assert of(pdf_of_streams(placed(*texts))).text == (
        "| Boat | Length | Berth fee |\n|---|---|---|\n"
        "| Freja | 9 m | 310 EUR |\n| Idun | | 450 EUR |"
    )


def test_rows_overleaf_are_under_the_head_of_their_table() -> None:
    first = placed(*table_at(700, HEAD, ("Freja", "9 m", "310 EUR"), ("Idun", "11 m", "450 EUR")))
    second = placed(*table_at(700, ("Saga", "7 m", "260 EUR")))

    found = of(pdf_of_streams(first, second))

    rows = [p for p in split(found, words) if p.kind == "row"]
    assert rows[-1].body == "Boat: Saga; Length: 7 m; Berth fee: 260 EUR"
    assert rows[-1].heading == "p.2"


def test_another_table_in_the_same_places_has_its_own_head() -> None:
    first = table_at(700, HEAD, ("Freja", "9 m", "310 EUR"), ("Idun", "11 m", "450 EUR"))
    second = table_at(500, ("Crane", "Load", "Price a lift"), ("North", "2 t", "40 EUR"))

    text = of(pdf_of_streams(placed(*first, (60, 560, "The cranes are these."), *second))).text

    assert "| Crane | Load | Price a lift |\n|---|---|---|\n| North | 2 t | 40 EUR |" in text


def test_a_name_and_what_is_beside_it_are_a_list() -> None:
    texts = table_at(700, ("Owner:", "Ida Berg"), ("Berth:", "14"), ("Until:", "May"))

    assert of(pdf_of_streams(placed(*texts))).text.split("\n\n") == [
        "- Owner: Ida Berg",
        "- Berth: 14",
        "- Until: May",
    ]


def test_a_note_at_the_foot_stands_in_no_sentence() -> None:
    body = [FULL, "which the licence of each of them allows, though not always for every use that"]
    first = placed(*((50, 700 - 14 * at, line) for at, line in enumerate([FULL, *body])))
    note = placed((50, 60, "1 See the annex."), size=8)
    second = placed((50, 700, "somebody may have in mind. It costs nothing."))

    text = of(pdf_of_streams(first + b"\n" + note, second)).text

    assert "every use that \fsomebody may have in mind." in text
    assert "1 See the annex." in text


def test_a_mark_that_is_set_high_is_no_figure_of_the_number() -> None:
    drawn = (
        b"BT /F1 11 Tf 60 700 Td (It cost 470) Tj /F1 6 Tf 4 Ts (2) Tj 0 Ts /F1 11 Tf ( EUR.) Tj ET"
    )

    assert of(pdf_of_streams(drawn)).text == "It cost 470² EUR."


def filled(data: bytes, **fields: str) -> bytes:
    """With fields of a form, each right of what is drawn at (60, 700) and below."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    for at, (name, value) in enumerate(fields.items()):
        box = ArrayObject(FloatObject(edge) for edge in (120, 697 - 20 * at, 300, 712 - 20 * at))
        field = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Annot"),
                NameObject("/Subtype"): NameObject("/Widget"),
                NameObject("/FT"): NameObject("/Tx"),
                NameObject("/T"): TextStringObject(name),
                NameObject("/V"): TextStringObject(value),
                NameObject("/Rect"): box,
            }
        )
        notes = writer.pages[0].setdefault(NameObject("/Annots"), ArrayObject())
        notes.append(writer._add_object(field))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_what_is_filled_in_stands_beside_its_name() -> None:
    form = pdf_of_streams(placed((60, 700, "Owner"), (60, 680, "Berth"), (60, 660, "Signed")))

    text = of(filled(form, a="Ida Berg", b="14")).text

    assert text.split("\n\n") == ["Owner Ida Berg", "Berth 14", "Signed"]


def test_letters_that_no_font_names_are_no_text() -> None:
    """A font whose codes are names of its own, as subsets without a map have."""
    names = b" ".join(b"/g%d" % n for n in range(65, 91))
    own = b"/Encoding << /Type /Encoding /Differences [65 %s] >>" % names
    data = pdf_of_streams(placed((60, 700, "THE PUMP RUNS AT SIX BAR ALL DAY")))

    gibberish = data.replace(
        b"/BaseFont /Helvetica /Encoding /WinAnsiEncoding", b"/BaseFont /X " + own
    )

    with pytest.raises(FileWithoutText, match=r"text layer can't be read.*OCR"):
        of(gibberish)


def test_no_title_is_not_called_anonymous() -> None:
    assert (
        of(pdf(["Open weights", "They are open."], title="\\(anonymous\\)")).title == "Open weights"
    )


def test_letters_that_only_their_glyphs_name_are_text() -> None:
    """As programs for diagrams draw them: glyphs of their own, under the letters' usual names."""
    names = b" ".join(b"/%c" % n for n in range(65, 91))
    glyphs = b" ".join(b"/%c 5 0 R" % n for n in range(65, 91))
    own = (
        b"/Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [0.1 0 0 0.1 0 0] /FirstChar 65 "
        b"/LastChar 90 /Widths [" + b"6 " * 26 + b"] /CharProcs << " + glyphs + b" >> "
        b"/Encoding << /Type /Encoding /Differences [65 " + names + b"] >>"
    )
    usual = b"/Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding"
    data = pdf_of_streams(placed((60, 700, "BOATS IN THE HARBOUR")))

    assert of(data.replace(usual, own)).text.split() == ["BOATS", "IN", "THE", "HARBOUR"]
