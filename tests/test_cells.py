"""A row's statement comes apart into the cells that it was put together from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from quotes import units

from kb.cells import cells

HEADERS = st.text("abc ($)%XYZ", min_size=1, max_size=20).map(str.strip).filter(bool)
VALUES = st.text("abc ;,.$5–()", max_size=30).filter(lambda v: not v.endswith(";"))


def test_values_may_hold_semicolons() -> None:
    row = "Model: GPT-4o; Access: API; ChatGPT; Copilot; Input (per 1M tokens): $5.00"

    assert [(cell.header, cell.value) for cell in cells(row)] == [
        ("Model", "GPT-4o"),
        ("Access", "API; ChatGPT; Copilot"),
        ("Input (per 1M tokens)", "$5.00"),
    ]


def test_a_cell_without_a_header_has_the_empty_one() -> None:
    (cell,) = cells("just text")

    assert (cell.header, cell.value) == ("", "just text")


@given(st.lists(st.tuples(HEADERS, VALUES), min_size=1, max_size=5))
def test_what_was_put_together_comes_apart_again(row: list[tuple[str, str]]) -> None:
    statement = "; ".join(f"{header}: {value}" for header, value in row)
    found = cells(statement)

    assert [(cell.header, cell.value) for cell in found] == row


@given(st.text("ab:;| \n", max_size=60))
def test_cells_and_their_separators_are_the_whole_statement(statement: str) -> None:
    found = cells(statement)

    assert "; ".join(statement[cell.start : cell.end] for cell in found) == statement


def test_every_row_of_the_corpus_begins_with_its_subject() -> None:
    rows = [piece for piece in units() if piece.kind == "row"]

    assert len(rows) > 50
    assert all(len(cells(piece.statement)) > 1 for piece in rows)
    assert all(cells(piece.statement)[0].header for piece in rows)
