"""PDFs: flowing text, and on which page each quote stands."""

from __future__ import annotations

import re

import pytest
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
