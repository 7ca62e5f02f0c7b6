"""CSV, JSON and notebooks: rows keep their headers, and values the form they are written in."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import notebook

from ingest.formats.json import MOST_LEVELS
from ingest.formats.notebook import read_notebook
from ingest.readers import document, made_of
from ingest.split import MOST, split
from kb.errors import EncodingInvalid, FileDamaged, FileEmpty, FileTooComplex
from kb.reading import Lost
from kb.types import Document

LIMIT = 5_000_000


def words(text: str) -> int:
    return len(text.split())


def of(name: str, content: str | bytes) -> Document:
    return document(name, content.encode() if isinstance(content, str) else content, LIMIT)


def rows(found: Document) -> list[str]:
    return [passage.body for passage in split(found, words) if passage.kind == "row"]


# -- CSV -----------------------------------------------------------------------------------------

ROWS = ["Model: GPT-4o; Price: 5.00", "Model: R1; Price: 0.55"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rows_of_any_dialect_keep_their_headers(
    separator: str, newline: str, encoding: str
) -> None:
    lines = [["Model", "Price"], ["GPT-4o", "5.00"], ["R1", "0.55"]]
    text = newline.join(separator.join(line) for line in lines)

    assert rows(of("prices.csv", text.encode(encoding))) == ROWS


def test_quoted_cells_may_hold_separators_newlines_and_bars() -> None:
    text = 'Model,Note\r\nR1,"open, cheap\nand ""free"" | good"\r\n'

    assert rows(of("a.csv", text)) == ['Model: R1; Note: open, cheap and "free" | good']


def test_a_decimal_comma_does_not_separate() -> None:
    assert rows(of("a.csv", "Model;Price;Old\nGPT-4o;5,00;6,00\nR1;0,55;0,60")) == [
        "Model: GPT-4o; Price: 5,00; Old: 6,00",
        "Model: R1; Price: 0,55; Old: 0,60",
    ]


def test_a_separator_that_the_file_names_counts() -> None:
    assert rows(of("a.csv", "sep=;\r\nA;B\r\n1,2;3,4\r\n")) == ["A: 1,2; B: 3,4"]


def test_lines_above_the_header_are_text() -> None:
    found = of("a.csv", "Prices in May\n\nModel,Price\nR1,0.55\n")

    assert found.title == "Prices in May"
    assert rows(found) == ["Model: R1; Price: 0.55"]


def test_a_file_without_a_header_loses_no_row() -> None:
    assert rows(of("a.csv", "GPT-4o,5.00\nR1,0.55")) == ["GPT-4o; 5.00", "R1; 0.55"]


def test_years_may_be_headers() -> None:
    assert rows(of("a.csv", "Model,2024,2025\nR1,1,2")) == ["Model: R1; 2024: 1; 2025: 2"]


def test_rows_of_unequal_length_are_kept() -> None:
    assert rows(of("a.csv", "A,B,C\n1,2\n3,4,5,6\n,,\n7,8,9")) == [
        "A: 1; B: 2",
        "A: 3; B: 4; C: 5; 6",
        "A: 7; B: 8; C: 9",
    ]


def test_what_old_excel_writes_is_read_and_other_code_pages_are_not_guessed() -> None:
    assert rows(of("a.csv", "Modèle;Prix\nR1;5 €".encode("cp1252"))) == ["Modèle: R1; Prix: 5 €"]
    with pytest.raises(EncodingInvalid):
        of("a.csv", "Модель;Цена\nR1;5".encode("cp1251"))
    with pytest.raises(EncodingInvalid):
        of("a.csv", "Żółw;Cena\nŁódź;5".encode("cp1250"))


def test_an_open_quotation_mark_is_told() -> None:
    with pytest.raises(FileDamaged, match="quotation mark"):
        of("a.csv", 'A,B\n1,"' + "x" * 200_000)


def test_a_wide_table_is_split_into_parts_that_name_their_row() -> None:
    header = ",".join(f"column{n}" for n in range(500))
    found = of("a.csv", f"{header}\nR1,{','.join(str(n) for n in range(1, 500))}\n")
    parts = rows(found)

    assert all(words(part) <= MOST for part in parts)
    assert all(part.startswith("column0: R1; ") for part in parts)
    said = {cell for part in parts for cell in part.split("; ")}
    assert said == {"column0: R1", *(f"column{n}: {n}" for n in range(1, 500))}
    assert len(parts) < 10


def test_a_long_table_keeps_every_row() -> None:
    text = "Model,Price\n" + "".join(f"model {n},{n}.50\n" for n in range(1, 3000))

    assert rows(of("a.csv", text)) == [f"Model: model {n}; Price: {n}.50" for n in range(1, 3000)]


CELL = st.text(alphabet='ab1 ,;|"\n\\-<', max_size=6)


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=2, max_size=6))
def test_every_row_points_at_its_own_line(cells: list[list[str]]) -> None:
    lines = [["x", *row] for row in cells]
    text = "\n".join(",".join('"' + c.replace('"', '""') + '"' for c in row) for row in lines)
    found = of("a.csv", text)

    for passage in split(found, words):
        assert found.text[passage.start : passage.end].strip()


# -- JSON ----------------------------------------------------------------------------------------


def test_an_array_of_objects_is_a_table_with_its_numbers_as_they_are_written() -> None:
    text = '[{"model": "R1", "price": 0.550, "open": true}, {"model": "o1", "price": 1.5e1}]'

    assert rows(of("prices.json", text)) == [
        "model: R1; price: 0.550; open: true",
        "model: o1; price: 1.5e1",
    ]


def test_objects_inside_a_row_are_columns() -> None:
    text = '[{"model": "R1", "price": {"in": 1, "out": 2}, "tags": ["open", "cheap"]}]'

    assert rows(of("a.json", text)) == ["model: R1; price in: 1; price out: 2; tags: open, cheap"]


def test_alike_objects_under_keys_are_a_table() -> None:
    assert rows(of("a.json", '{"R1": {"price": 1}, "o1": {"price": 15}}')) == [
        "R1; price: 1",
        "o1; price: 15",
    ]


def test_a_nested_object_is_text_under_headings() -> None:
    value = {"models": {"R1": {"about": "x " * 150, "licence": {"name": "MIT", "free": True}}}}
    found = of("a.json", json.dumps(value))

    assert {p.heading for p in split(found, words)} == {
        "models > R1 > about",
        "models > R1 > licence",
    }
    assert "- name: MIT\n- free: true" in found.text


def test_an_object_may_say_what_it_is() -> None:
    found = of("a.json", '{"title": "Prices", "publisher": "Acme", "as_of": "2026-05", "n": 1}')

    assert (found.title, found.publisher, found.as_of) == ("Prices", "Acme", "2026-05")


def test_data_that_is_called_like_a_date_is_data() -> None:
    assert of("a.json", '{"as_of": "last week", "n": 1}').as_of is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", FileDamaged),
        ('{"a": 1, "a": 2}', FileDamaged),
        ("{'a': 1}", FileDamaged),
        ("[]", FileEmpty),
        ("[" * 100_000, FileTooComplex),
        ("[" * (MOST_LEVELS + 2) + "1" + "]" * (MOST_LEVELS + 2), FileTooComplex),
        ('{"a":' * 5000 + "1" + "}" * 5000, FileTooComplex),
    ],
)
def test_json_that_makes_no_sense_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^a\.json: .*; "):
        of("a.json", text)


def test_objects_with_keys_of_their_own_make_no_giant_table() -> None:
    value = [{f"key{n}": n} for n in range(3000)]
    found = of("a.json", json.dumps(value))

    assert len(found.text) < 200_000
    assert "key2999: 2999" in found.text


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


@given(VALUE)
def test_every_word_of_a_value_is_in_the_text(value: object) -> None:
    marked = {"kept": value, "word": "zebra", "list": ["lion", {"deep": ["tiger"]}]}
    text = of("a.json", json.dumps(marked)).text

    assert all(animal in text for animal in ("zebra", "lion", "tiger"))


# -- notebooks -----------------------------------------------------------------------------------


def opened(*cells: tuple[str, str, str]) -> Document:
    return made_of("a.ipynb", read_notebook("a.ipynb", notebook(*cells)))


def test_a_notebook_is_its_prose_code_and_what_it_printed() -> None:
    found = opened(
        ("markdown", "# Prices\n\nText.", ""), ("code", "print(1)", "\x1b[31m1\x1b[0m\n")
    )

    assert found.title == "Prices"
    assert found.text == "# Prices\n\nText.\n\n```python\nprint(1)\n```\n\n```text\n1\n```"


def test_long_output_is_cut_and_says_so() -> None:
    found = opened(("code", "run()", "line\n" * 1000))

    assert found.text.count("line") == 40
    assert "[…]" in found.text


def test_code_with_fences_stays_one_block() -> None:
    found = opened(("code", 'x = "```"\n# no heading', ""), ("markdown", "# Real", ""))

    assert found.title == "Real"


@pytest.mark.parametrize("data", [b"{}", b"[]", b"{", b'{"nbformat": 4}', b'{"cells": 3}'])
def test_what_is_no_notebook_is_refused(data: bytes) -> None:
    with pytest.raises(FileDamaged, match=r"^a\.ipynb: .*; "):
        document("a.ipynb", data, LIMIT)


# -- one object a line, and outputs --------------------------------------------------------------

TICKETS = ['{"ticket": "B-1", "hours": 2}', '{"ticket": "B-2", "hours": 5}']


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ndjson"])
@pytest.mark.parametrize("between", ["\n", "\r\n", "\n\n", " "])
def test_objects_one_after_the_other_are_a_table(name: str, between: str) -> None:
    found = of(name, between.join(TICKETS))

    assert rows(found) == ["ticket: B-1; hours: 2", "ticket: B-2; hours: 5"]
    assert found.reading.clean


def test_a_line_that_is_no_json_is_told() -> None:
    lines = [f'{{"ticket": "B-{n}", "hours": {n}}}' for n in range(1, 9)]
    found = of("a.jsonl", "\n".join([*lines[:3], '{"ticket": "B-', *lines[3:]]))

    assert len(rows(found)) == 8
    assert found.reading.lost == (Lost("line that is no JSON", 1, "line 4"),)


def test_a_file_of_tabs_is_a_table() -> None:
    assert rows(of("a.tsv", "Model\tPrice\nR1\t0.55")) == ["Model: R1; Price: 0.55"]


def output(data: dict[str, str], **more: object) -> dict[str, object]:
    return {"output_type": "display_data", "data": data, "metadata": {}, **more}


def test_an_output_is_read_as_its_reader_sees_it() -> None:
    html = "<table><tr><th>Well</th><th>Depth</th></tr><tr><td>East</td><td>14 m</td></tr></table>"
    outputs = [
        output({"text/html": html, "text/plain": "<table object>"}),
        output({"text/markdown": "The **east** well."}),
        output({"image/png": "iVBORw0KGgo=", "text/plain": "<Figure>"}),
        {"output_type": "error", "ename": "KeyError", "evalue": "'depth'", "traceback": []},
    ]
    cell = {
        "cell_type": "code",
        "execution_count": 1,
        "id": "a",
        "metadata": {},
        "outputs": outputs,
        "source": "wells()",
    }
    held = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}

    found = made_of("a.ipynb", read_notebook("a.ipynb", json.dumps(held).encode()))

    assert rows(found) == ["Well: East; Depth: 14 m"]
    assert "<table object>" not in found.text
    assert "The **east** well." in found.text
    assert "KeyError: 'depth'" in found.text
    assert Lost("picture", 1) in found.reading.lost
