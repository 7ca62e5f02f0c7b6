"""Documents become passages that point at their own text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.clean import is_furniture
from ingest.headings import is_byline, plain
from ingest.lines import trimmed_lines
from ingest.sentences import TokenCounter
from ingest.split import MOST, TABLE, WHOLE, split
from kb.types import Document, Passage


def words(text: str) -> int:
    return len(text.split())


def heavy_words(text: str) -> int:
    """Words that weigh so much that little fits into a passage."""
    return 30 * len(text.split())


def document(text: str, title: str = "Title") -> Document:
    return Document("guide.md", title, None, "guide.md", None, text)


def prose(text: str, title: str = "Title", count: TokenCounter = words) -> list[Passage]:
    return [p for p in split(document(text, title), count) if p.kind == "prose"]


def quotes(passage: Passage, text: str) -> list[str]:
    return [text[unit.start : unit.end] for unit in passage.units]


def sentence(number: int, length: int = 10) -> str:
    return f"Sentence {number} " + " ".join(["word"] * (length - 3)) + " ends."


# -- prose ---------------------------------------------------------------------------------------


def test_paragraphs_are_packed_up_to_the_target() -> None:
    text = "\n\n".join(" ".join(sentence(n) for n in range(k, k + 5)) for k in range(0, 30, 5))

    assert [words(p.body) for p in prose(text)] == [150, 150]


def test_a_paragraph_too_long_for_a_passage_is_cut_between_sentences() -> None:
    text = " ".join(sentence(n) for n in range(40))
    passages = prose(text)

    assert len(passages) == 3
    assert all(p.body.endswith(".") and words(p.body) <= WHOLE for p in passages)
    assert max(words(p.body) for p in passages) - min(words(p.body) for p in passages) <= 20


def test_a_sentence_too_long_for_a_passage_is_cut() -> None:
    text = "Word " + "and more, " * 400 + "until it ends."

    assert all(words(p.body) <= MOST for p in prose(text))
    assert " ".join(p.body for p in prose(text)) == text


def test_no_passage_crosses_a_heading() -> None:
    text = "# Title\n\nIntro is here.\n\n## One\n\nFirst.\n\n### Deep\n\nMore.\n\n## Two\n\nEnd."

    assert [(p.heading, p.body) for p in prose(text)] == [
        ("", "Intro is here."),
        ("One", "First."),
        ("One > Deep", "More."),
        ("Two", "End."),
    ]


def test_a_heading_above_nothing_is_kept_as_text() -> None:
    text = "## One\n\n## Two\n\nText is here."

    assert [p.body for p in prose(text)] == ["One", "Text is here."]


def test_a_question_is_the_first_unit_of_its_answer() -> None:
    text = (
        "## FAQ\n\n### Can I fine-tune it?\n\nNo. It is closed to all of us.\n\n### Is it?\n\nYes."
    )
    first, second = prose(text)

    assert first.heading == "FAQ > Can I fine-tune it?"
    assert first.body == "Can I fine-tune it?\n\nNo. It is closed to all of us."
    assert quotes(first, text) == ["Can I fine-tune it?", "No. It is closed to all of us."]
    assert quotes(second, text) == ["Is it?", "Yes."]


def test_the_title_heads_no_passage() -> None:
    text = "# Is it open?\n\nIt is an article about that."

    assert [(p.heading, p.body) for p in prose(text, "Is it open?")] == [
        ("", "It is an article about that.")
    ]


def test_a_list_keeps_the_line_that_leads_into_it() -> None:
    filler = " ".join(sentence(n) for n in range(12))
    items = "\n".join(f"- you need {n} things of this sort" for n in range(6))
    text = f"{filler}\n\nChoose it when:\n\n{items}\n\nThat is all."
    passages = prose(text)

    assert passages[0].body == filler
    assert quotes(passages[1], text)[:2] == ["Choose it when:", "you need 0 things of this sort"]
    assert passages[1].body.startswith(f"Choose it when:\n\n{items}")


def test_items_are_units_without_their_marks() -> None:
    text = "1. First thing\n2) Second thing\n* Third thing.\n  It goes on.\n- [ ] Fourth thing"

    assert quotes(prose(text)[0], text) == [
        "First thing",
        "Second thing",
        "Third thing.\n  It goes on.",
        "Fourth thing",
    ]


def test_an_item_does_not_swallow_the_line_below_the_list() -> None:
    text = "Choose A when:\n- your volume is low\nChoose B when:\n- your volume is high"

    assert quotes(prose(text)[0], text) == [
        "Choose A when:",
        "your volume is low",
        "Choose B when:",
        "your volume is high",
    ]


def test_what_stands_between_bars_is_a_unit() -> None:
    text = "MMLU, 2025:\nGPT-4o: 88.7% | Claude Opus 4.7: ~88% | LLaMA 3.1 70B: 80.5%"

    assert quotes(prose(text)[0], text) == [
        "MMLU, 2025:",
        "GPT-4o: 88.7%",
        "Claude Opus 4.7: ~88%",
        "LLaMA 3.1 70B: 80.5%",
    ]


def test_wrapped_lines_are_one_sentence() -> None:
    text = (
        "This paragraph was wrapped at a width of about seventy characters by an\n"
        "editor, so that Meta stands at the head of this line, and OpenAI and\n"
        "Anthropic stand at the head of another."
    )

    assert quotes(prose(text)[0], text) == [text]


def test_code_is_one_block_without_headings_or_tables() -> None:
    text = "Run it now:\n\n```sh\n# a comment\n| a | b |\n| c | d |\n```\n\nThat is all."
    passages = split(document(text), words)

    assert [p.kind for p in passages] == ["prose"]
    assert quotes(passages[0], text)[1:4] == ["# a comment", "| a | b |", "| c | d |"]


def test_page_furniture_becomes_no_passage() -> None:
    text = "See also: LLMs, Llama\nThe text of it is here.\n4 min read\n← All posts"

    assert [p.body for p in prose(text)] == ["The text of it is here."]


# -- headings of plain text ----------------------------------------------------------------------


PLAIN = """\
Open and Closed Models in 2026
The landscape has split into two camps that we will look at in some more detail here.
The Proprietary Advantage
Models like these push the frontier:
Ease of Use
You need no servers for them.
Pro Tip
Set a budget before you begin with it.
They cost more than they seem to.
Notable Models
- LLaMA is one of them
- Qwen is another
Frequently Asked Questions
Is Llama open source?
Just open-weights. It has a licence of its own.
Can I run it on a MacBook?
Yes, with enough memory.
1. What Comes Next
Nobody knows that."""


def test_bare_lines_of_plain_text_are_headings() -> None:
    passages = prose(PLAIN, "Open and Closed Models in 2026")

    assert [p.heading for p in passages] == [
        "",
        "The Proprietary Advantage",
        "Ease of Use",
        "Ease of Use > Pro Tip",
        "Ease of Use",
        "Notable Models",
        "Frequently Asked Questions > Is Llama open source?",
        "Frequently Asked Questions > Can I run it on a MacBook?",
        "1. What Comes Next",
    ]
    assert passages[6].body.startswith("Is Llama open source?\nJust open-weights.")


def test_a_question_in_a_list_heads_its_answer() -> None:
    text = (
        "FAQ: Open Models\n- Are they open?\nSometimes they are.\n- Are they free?\nNot always so."
    )

    assert [(p.heading, p.body) for p in prose(text)] == [
        ("FAQ: Open Models > Are they open?", "Are they open?\nSometimes they are."),
        ("FAQ: Open Models > Are they free?", "Are they free?\nNot always so."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "This one ends with a full stop.\nAnd this is text.",
        "This one goes on in\nthe next line of it.",
        "alpha begins small\nAnd this is text.",
        "It was asked. Was it so?\nIt was indeed.",
        "One line\nAnother line\nA third line",
        "Twelve 3.1 | Four\nAnd this is text.",
        "The last line",
    ],
)
def test_other_lines_of_plain_text_are_no_headings(text: str) -> None:
    assert {p.heading for p in prose(text)} == {""}


def test_lines_above_the_title_are_text() -> None:
    text = (
        "Acme · all of it\nArticle\n\nWhat Is It?\n\nACME\n2026-06-08 · 4 min read\n\nIt is this."
    )

    assert [(p.heading, p.body) for p in prose(text, "What Is It?")] == [
        ("", "Acme · all of it\nArticle"),
        ("", "It is this."),
    ]


# -- tables --------------------------------------------------------------------------------------


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


# -- promises ------------------------------------------------------------------------------------

WORD = st.sampled_from(
    "open Models cost $5.00 e.g. (MoE) v1.0 Meta's β 3.1 U.S. 日本 naïve **bold**".split()
)
LINE = st.lists(WORD, min_size=1, max_size=25).map(" ".join)
SENTENCES = st.lists(LINE.map(lambda s: s + "."), min_size=1, max_size=6).map(" ".join)
BLOCK = st.one_of(
    SENTENCES,
    LINE,
    LINE.map(lambda s: s + ":"),
    LINE.map(lambda s: s + "?"),
    st.tuples(st.integers(1, 4), LINE).map(lambda t: "#" * t[0] + " " + t[1]),
    st.lists(LINE.map(lambda s: "- " + s), min_size=1, max_size=5).map("\n".join),
    st.lists(st.lists(LINE, min_size=1, max_size=4), min_size=1, max_size=5).map(
        lambda rows: "\n".join("| " + " | ".join(r) + " |" for r in rows)
    ),
    st.sampled_from(
        [
            "| a | b |\n|---|---|\n| c | d |\n| e |",
            "```\ncode here\n```",
            "---",
            "4 min read",
            "A|B\n-|-\nc|d",
            "Who\n4 min read",
            "Under\n=====",
            "See also: x",
            "1. Numbered",
            "a | b: c",
            "- ",
            "```",
            "| |",
            "Tip",
        ]
    ),
    st.text(max_size=40),
)
TEXT = st.lists(BLOCK, min_size=1, max_size=10).flatmap(
    lambda blocks: st.sampled_from(["\n", "\n\n"]).map(lambda gap: gap.join(blocks))
)
COUNTER = st.sampled_from([words, heavy_words, len])


@given(TEXT, COUNTER)
def test_spans_are_inside_the_text_and_units_in_order(text: str, count: TokenCounter) -> None:
    for passage in split(document(text), count):
        assert 0 <= passage.start < passage.end <= len(text)
        for unit in passage.units:
            assert passage.start <= unit.start < unit.end <= passage.end
            assert 0 <= unit.body_start < unit.body_end <= len(passage.body)
            assert text[unit.start : unit.end].strip()
        for left, right in zip(passage.units, passage.units[1:], strict=False):
            assert left.end <= right.start
            assert left.body_end <= right.body_start


@given(TEXT, COUNTER)
def test_the_body_of_prose_is_its_source(text: str, count: TokenCounter) -> None:
    for passage in prose(text, count=count):
        assert passage.body == text[passage.start : passage.end]
        for unit in passage.units:
            assert (unit.body_start, unit.body_end) == (
                unit.start - passage.start,
                unit.end - passage.start,
            )


@given(TEXT, COUNTER)
def test_no_body_is_longer_than_the_encoder_reads(text: str, count: TokenCounter) -> None:
    assert all(count(passage.body) <= MOST for passage in split(document(text), count))


@given(TEXT, COUNTER)
def test_nothing_but_headings_and_furniture_is_left_out(text: str, count: TokenCounter) -> None:
    passages = split(document(text), count)
    covered = {i for p in passages for i in range(p.start, p.end)}
    headings = {name for p in passages for name in p.heading.split(" > ")} | {"Title"}
    lines = trimmed_lines(text)

    for at, (start, end) in enumerate(lines):
        lost = [c for i, c in enumerate(text[start:end], start) if i not in covered and c.isalnum()]
        name = plain(re.sub(r"^(#+|[-*+]) | #+$", "", text[start:end])).lstrip(". ")
        named = name in headings or all(part in headings for part in name.split(" > "))
        left_out = is_furniture(text[start:end]) or is_byline(text, lines, at)
        assert not lost or named or left_out, (text[start:end], passages)


@given(TEXT)
def test_splitting_is_deterministic_and_numbers_passages_in_order(text: str) -> None:
    passages = split(document(text), words)

    assert passages == split(document(text), words)
    assert [p.ordinal for p in passages] == list(range(len(passages)))
    assert len({p.id("s", "e") for p in passages}) == len(passages)


@settings(max_examples=30)
@given(
    st.text(min_size=1, max_size=300).filter(lambda t: any(c.isalnum() for c in t)),
    st.integers(5, 40),
)
def test_an_unknown_word_of_any_length_is_split(word: str, times: int) -> None:
    text = word * times * 100

    assert all(len(p.body) <= 20 * MOST for p in split(document(text), lambda _: 1))
