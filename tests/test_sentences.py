"""Where sentences end, and where they don't."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import cut, sentences


def split_at_bars(marked: str) -> tuple[str, list[str]]:
    """A text and its sentences, from one with a bar wherever a sentence has to end."""
    return marked.replace("|", " "), marked.split("|")


@pytest.mark.parametrize(
    "marked",
    [
        "It is used by labs, e.g. Meta and others.|It costs $5.00 per 1M tokens.|That is all.",
        "We all run LLaMA 3.1 8B here.|The rest of us runs v1.0 Beta still.",
        "The U.S. Congress met on the law.|The companies moved to the U.S.|They stayed there.",
        "This is open vs. Proprietary in short.|Vaswani et al. Showed it in 2017.",
        "The plans need 10M tokens/day (or more).|(It was all of it.)|Then it ended.",
        'The vendor calls it "open source."|The law says "closed."|It matters.',
        "Is it really all that open?|Yes, it is in most cases!|It is...|Maybe it is.",
        '"Why is that so?" he asked them.|They said nothing.',
        "See No. 5 and Fig. 3 for all that.|It is in vol. 2.|They said no.|It ended.",
        "Some of them run it in prod.|vLLM runs it fast.|gpt-4o is slower than that.",
        "See the baseline scores. arXiv:2009.03300 has them.|It does.",
        "It is shown in the paper.[1]|Others saw it too.[2][3]|It holds.",
        "**This is a sentence in bold.**|It is not.",
        "It was founded by J. Smith in D.C. in 2019.|Plan B. came later than that.",
        "The firm Acme Inc. Sells it to all.|They sell it to Acme Inc.|The rest is history.",
    ],
)
def test_sentences_end_at_the_bars(marked: str) -> None:
    text, expected = split_at_bars(marked)

    assert [text[a:b] for a, b in sentences(text, 0, len(text))] == expected


def test_chinese_and_japanese_sentences_need_no_space() -> None:
    text = "これは長い日本語の文です。次の文もあります。終わり。"
    found = [text[a:b] for a, b in sentences(text, 0, len(text))]

    assert found == ["これは長い日本語の文です。次の文もあります。", "終わり。"]


def test_a_short_opening_stays_with_what_explains_it() -> None:
    text = "No. It is available only for the old models. Google offers it."

    assert [text[a:b] for a, b in sentences(text, 0, len(text))] == [
        "No. It is available only for the old models.",
        "Google offers it.",
    ]


def test_only_the_given_part_of_a_text_is_read() -> None:
    text = "Left out of it. This sentence is inside of it. Left out too."
    start, end = text.index("This"), text.index(" Left out too")

    assert sentences(text, start, end) == [(start, end)]


@given(st.text(alphabet="aB1 .!?\"')(。…\n\t[", max_size=80), st.data())
def test_sentences_hold_every_character_once_and_in_order(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = sentences(text, start, end)

    assert "".join("".join(text[a:b] for a, b in found).split()) == "".join(text[start:end].split())
    assert all(a < b for a, b in found)
    assert all(left[1] <= right[0] for left, right in pairwise(found))


@given(st.text(alphabet="abc ,;.", max_size=120), st.integers(1, 20))
def test_pieces_are_within_the_limit_and_lose_nothing(text: str, limit: int) -> None:
    pieces = [piece for piece in cut(text, (0, len(text)), limit, len) if text]

    assert all(b - a <= limit for a, b in pieces if text[a:b].strip())
    assert "".join("".join(text[a:b] for a, b in pieces).split()) == "".join(text.split())


def test_pieces_end_with_clauses_where_they_can() -> None:
    text = "the first of the clauses is here, and the second of them is there"

    assert [text[a:b] for a, b in cut(text, (0, len(text)), 8, lambda s: len(s.split()))] == [
        "the first of the clauses is here,",
        "and the second of them is there",
    ]
