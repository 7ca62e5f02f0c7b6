"""Documents become passages that point at their own text: prose, and headings of plain text."""

from __future__ import annotations

import pytest
from splitting import document, prose, quotes, words

from ingest.split import MOST, WHOLE, split


def sentence(number: int, length: int = 10) -> str:
    return f"Sentence {number} " + " ".join(["word"] * (length - 3)) + " ends."


# -- prose -----------------------------------------------------------------------------------------


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


# -- headings of plain text ------------------------------------------------------------------------


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
