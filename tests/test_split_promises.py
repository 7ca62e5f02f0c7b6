"""What holds for the passages of every text."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from splitting import document, prose, words

from ingest.clean import is_furniture
from ingest.headings import is_byline, plain
from ingest.lines import trimmed_lines
from ingest.sentences import TokenCounter
from ingest.split import MOST, split


def heavy_words(text: str) -> int:
    """Words that weigh so much that little fits into a passage."""
    return 30 * len(text.split())


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
