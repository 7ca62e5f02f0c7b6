"""What a quote leans on stands above it, at its exact place."""

from __future__ import annotations

from quotes import documents, leaning, quote, units

from kb.context import leans_on
from kb.types import Evidence, PassageKind

TEXT = """# Models

Intro of it all.

## GPT-4o

It is made by OpenAI, e.g. for chats. It costs $5. It
supports images.

- One item.
- It is small. It is cheap.

| Model | Price |
|---|---|
| GPT-4o | $5.00 |
| GPT-4o Pro | $30.00 |
"""


def piece(text: str, statement: str, kind: PassageKind = "prose") -> Evidence:
    return quote(statement, kind, start=text.index(statement))


def quotes_below(statement: str, kind: PassageKind = "prose") -> list[str]:
    return [found.quote for found in leans_on(piece(TEXT, statement, kind), TEXT)]


def test_a_row_leans_on_its_tables_header() -> None:
    assert quotes_below("| GPT-4o Pro | $30.00 |", "row")[0] == "| Model | Price |"


def test_a_sentence_leans_on_the_two_before_it_in_its_paragraph() -> None:
    assert quotes_below("It\nsupports images.") == [
        "It costs $5.",
        "It is made by OpenAI, e.g. for chats.",
        "## GPT-4o",
    ]


def test_a_paragraphs_first_sentence_leans_on_its_heading_alone() -> None:
    assert quotes_below("It is made by OpenAI, e.g. for chats.") == ["## GPT-4o"]


def test_a_list_item_does_not_lean_on_the_item_above() -> None:
    assert quotes_below("It is cheap.") == ["- It is small.", "## GPT-4o"]
    assert quotes_below("It is small.") == ["## GPT-4o"]


def test_headings_are_found_where_they_stand_and_not_where_they_are_spoken_of() -> None:
    text = "Costs\n\nThe Costs are told below in this sentence.\n\nPrices\n\nIt costs $5.\n"
    below = piece(text, "It costs $5.")
    under = Evidence(
        below.source, below.start, below.end, below.quote, below.quote, "", "Costs > Prices", 0.5
    )

    assert [found.quote for found in leans_on(under, text)] == ["Prices", "Costs"]


def test_a_text_without_headings_has_nothing_to_lean_on() -> None:
    assert leans_on(quote("It costs $5."), "It costs $5.") == []


def test_everything_in_the_corpus_leans_on_exact_places_above_it() -> None:
    found = [(piece, above) for piece in units() for above in leaning(piece)]

    assert len(found) > 500
    for piece, above in found:
        text = documents()[piece.source.document_id].text
        assert text[above.start : above.end] == above.quote == above.quote.strip() != ""
        assert above.end <= piece.start
