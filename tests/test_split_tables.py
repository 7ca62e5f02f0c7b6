"""Tables become passages: row by row with their headers, and grouped."""

from __future__ import annotations

from splitting import document, quotes, words

from ingest.split import MOST, TABLE, split

PRICES = """\
Prices as of May:

| Model | Input | Output |
|---|---:|---|
| GPT-4o | $5.00 | $30.00 |
| Gemini 3 Flash |  | $3.00 |
| Claude \\| Opus | $5.00 | $25.00 | extra |
| | | |
| Grok |

After it."""


def test_every_row_is_a_passage_with_its_headers() -> None:
    passages = split(document(PRICES), words)
    rows = [p for p in passages if p.kind == "row"]

    assert [p.body for p in rows] == [
        "Model: GPT-4o; Input: $5.00; Output: $30.00",
        "Model: Gemini 3 Flash; Output: $3.00",
        "Model: Claude | Opus; Input: $5.00; Output: $25.00; extra",
        "Model: Grok",
    ]
    assert PRICES[rows[0].start : rows[0].end] == "| GPT-4o | $5.00 | $30.00 |"
    assert quotes(rows[1], PRICES) == ["| Gemini 3 Flash |  | $3.00 |"]


def test_rows_are_grouped_as_well() -> None:
    (table,) = (p for p in split(document(PRICES), words) if p.kind == "table")

    assert table.body.split("\n")[:2] == [
        "Model: GPT-4o; Input: $5.00; Output: $30.00",
        "Model: Gemini 3 Flash; Output: $3.00",
    ]
    assert PRICES[table.start : table.end].startswith("| Model | Input | Output |\n|---")
    assert [table.body[u.body_start : u.body_end] for u in table.units] == table.body.split("\n")
    assert quotes(table, PRICES)[1] == "| Gemini 3 Flash |  | $3.00 |"


def test_a_long_table_makes_several_groups_of_consecutive_rows() -> None:
    row = "| Row {} | " + "word " * 40 + "|"
    text = "| Name | What |\n|---|---|\n" + "\n".join(row.format(n) for n in range(12))
    groups = [p for p in split(document(text), words) if p.kind == "table"]

    assert [len(p.units) for p in groups] == [4, 4, 4]
    assert all(words(p.body) <= TABLE for p in groups)


def test_a_table_needs_no_rule_under_its_header() -> None:
    text = "| Factor | Open | Closed |\n| Control | Higher | Lower |\n| Time | Slow | Fast |"

    assert [p.body for p in split(document(text), words) if p.kind == "row"] == [
        "Factor: Control; Open: Higher; Closed: Lower",
        "Factor: Time; Open: Slow; Closed: Fast",
    ]


def test_a_ruled_table_needs_no_outer_bars() -> None:
    text = "Name | Cost\n--- | ---\nA | 5\nB | 6\n\nNot | a row"

    assert [p.body for p in split(document(text), words) if p.kind == "row"] == [
        "Name: A; Cost: 5",
        "Name: B; Cost: 6",
    ]


def test_a_first_column_without_a_header_is_its_value() -> None:
    text = "| | Open | Closed |\n|---|---|---|\n| Cost | low | high |"

    assert [p.body for p in split(document(text), words) if p.kind == "row"] == [
        "Cost; Open: low; Closed: high"
    ]


def test_a_row_too_long_for_a_passage_keeps_its_label() -> None:
    text = "| Name | What |\n|---|---|\n| Grok | " + "word " * 600 + "|"
    rows = [p for p in split(document(text), words) if p.kind == "row"]

    assert len(rows) > 2
    assert all(p.body.startswith("Name: Grok; What: word") for p in rows[1:])
    assert all(words(p.body) <= MOST for p in rows)
