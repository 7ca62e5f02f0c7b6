"""What the model writes comes as whole sentences, however its stream is cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.sentences import Written, completed, read, split

PIECES = st.lists(
    st.sampled_from(
        ["It costs $5.", " [1]", " [1, 2]", "[3]", " Next one is e.g. Meta", "\n", "- ", "1. ",
         " [12", " vLLM runs.", " Inc. The", "。", "…", " approx. 3.5", " No. 5", "?", " x", "!",
         "]", " [passage 3]", " **Bold.**", " and", '"', "(", ") "]
    ),
    max_size=12,
).map("".join)  # fmt: skip
LETTERS = st.text("aB1 .!?\"')([],;\n-*e。…v", max_size=60)


@pytest.mark.parametrize(
    "marked",
    [
        "It costs $5.00. [1]|The other costs $3.50. [2]",
        "It costs $5.[1][2]|The next costs more.",
        "It costs $5 [1].|The next costs $3 [2, 3].",
        "Labs such as Meta, e.g. with Llama 3.1, publish weights.|Others don't.",
        "Mistral vs. Qwen is open.|Yes!|Really?|It is.",
        "It needs 80 GB.|vLLM runs it.|gpt-4o mini doesn't.",
        "It was built by Acme Inc. and others.|They sell it.",
        'The vendor says "open."|It is not.',
        "**It is bold.**|It is plain.",
        "1. Llama is open.\n|2. GPT is closed.",
        "- Llama\n|- GPT is closed.|It costs more.",
        "The gap is 4 pts. [1] [2]|It grew.",
        "See No. 5 of it.|It ends.",
    ],
)
def test_sentences_end_at_the_bars(marked: str) -> None:
    expected = [part.strip() for part in marked.split("|")]

    assert split(marked.replace("\n|", "\n").replace("|", " ")) == expected


def test_a_sentence_comes_as_soon_as_the_next_one_has_begun() -> None:
    stream = iter(["It costs ", "$5. [1]", " The ", "rest is never asked for"])
    sentences = completed(stream)

    assert next(sentences) == "It costs $5. [1]"
    assert next(stream) == "rest is never asked for"


@settings(max_examples=400)
@given(st.one_of(PIECES, LETTERS), st.lists(st.integers(0, 80), max_size=8))
def test_how_the_stream_is_cut_makes_no_difference(text: str, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(edges)]

    assert list(completed(pieces)) == split(text) == list(completed(text))


@settings(max_examples=400)
@given(st.one_of(PIECES, LETTERS))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    assert "".join("".join(split(text)).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() != "" for sentence in split(text))


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It costs $5 [1].", Written("It costs $5.", (1,))),
        ("It costs $5. [2, 3] [2]", Written("It costs $5.", (2, 3))),
        ("- **GPT-4o** costs $5 [1][2].", Written("GPT-4o costs $5.", (1, 2))),
        ("2. It is open [passage 3].", Written("It is open.", (3,))),
        ("According to passage 1, it is open.", Written("It is open.", (1,))),
        ("Passages 1 and 2 state that it is open.", Written("It is open.", (1, 2))),
        ("## Costs", Written("Costs", ())),
        ("It was released in [2024].", Written("It was released in [2024].", ())),
        ("[1]", Written("", (1,))),
        ("3.5 million users.", Written("3.5 million users.", ())),
    ],
)
def test_markers_and_list_marks_are_taken_out(sentence: str, expected: Written) -> None:
    assert read(sentence) == expected
