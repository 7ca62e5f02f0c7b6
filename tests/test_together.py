"""What a sentence puts together stands together in one place of its quotes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from quotes import quote, row, units

from kb.together import apart
from kb.types import Evidence

GEMINI = row("Family: Gemini; Provider: Google; Access: AI Studio; Vertex AI")
GROK = row("Family: Grok; Provider: xAI; Access: xAI API", start=100)
MAKERS = quote("Closed systems come from OpenAI, Anthropic and Google.", start=300)
MACS = quote("Memory of 64–128GB is supported by the M4 Max and the M5 Max.", start=400)
M5_PRO = quote("On the M5 Pro, with a bandwidth of 307 GB/s, it runs well.", start=600)
PRICE = row("Model: Claude Opus 4.7; Price: $5", start=700)
OPUS = quote("Anthropic makes Claude Opus 4.7 in San Francisco.", start=800)
ALPS = quote("The Alps are part of the Great Range.", start=900)
OMEO = quote("Its coldest place is Omeo.", start=1200)

Pairs = list[tuple[str, bool]]


@pytest.mark.parametrize(
    ("sentence", "pieces", "pairs"),
    [
        ("Google is behind Grok.", [MAKERS, GROK], [("Google + Grok", True)]),
        ("Gemini is in AI Studio and the xAI API.", [GEMINI, GROK], [("Gemini + xAI", True)]),
        ("xAI is behind Grok.", [MAKERS, GROK], []),
        ("Google is behind Grok.", [MAKERS], []),  # one place: what it lacks is told otherwise
        ("xAI makes Grok, which Mistral sells.", [MAKERS, GROK], []),  # nor what none states
        # over a third
        ("Anthropic's Claude Opus 4.7 costs $5.", [OPUS, PRICE], []),
        ("Anthropic takes $5.", [OPUS, PRICE], []),  # a maker may stand for its models
        ("In Francisco it costs $5.", [OPUS, PRICE], [("Francisco + 5", False)]),
        # members of a list
        ("Google and xAI make models.", [MAKERS, GROK], []),
        # two clauses, each whole in itself
        ("Grok is by xAI, while Gemini is by Google.", [GEMINI, GROK], []),
        ("Grok is by xAI and Gemini is by Google.", [GEMINI, GROK], []),
        (
            "Grok is by Google and Gemini is by xAI.",
            [GEMINI, GROK],
            [
                ("Grok + Google", True),
                ("Grok + Gemini", True),
                ("Google + xAI", True),
                ("Gemini + xAI", True),
            ],
        ),
        # a capitalised word may be no name
        (
            "The Omeo Alps are part of the Great Range.",
            [ALPS, OMEO],
            [("Omeo + Great", False), ("Omeo + Range", False)],
        ),
        # a measure and its figure
        ("The M5 Max has a bandwidth of 128GB.", [MACS, M5_PRO], [("bandwidth of 128", True)]),
        ("The M5 Max has memory of 128GB.", [MACS, M5_PRO], []),
        ("The M5 Max has a size of 128GB.", [MACS, M5_PRO], []),
        ("", [MAKERS, GROK], []),
    ],
)
def test_what_no_place_states_together_is_told(
    sentence: str, pieces: list[Evidence], pairs: Pairs
) -> None:
    assert list(apart(sentence, pieces)) == pairs


def test_a_heading_names_what_stands_under_it() -> None:
    under = replace(quote("It is made by xAI.", start=5000), heading="Grok")
    assert list(apart("xAI makes Grok.", [MAKERS, under])) == []


@pytest.mark.parametrize(
    ("following", "pairs"),
    [
        ("It is sold by Mistral.", []),
        ("The model is sold by Mistral.", []),
        ("Falcon is sold by Mistral.", [("Grok + Mistral", True)]),
    ],
)
def test_the_next_sentence_goes_on_about_what_the_one_before_names(
    following: str, pairs: Pairs
) -> None:
    first = quote("Grok is a model.")
    second = quote(following, start=first.end + 1)
    assert list(apart("Grok is sold by Mistral.", [second, first])) == pairs


def test_a_sentence_further_on_does_not() -> None:
    first = quote("Grok is a model.")
    for second in (
        quote("It is sold by Mistral.", start=first.end + 50),
        quote("It is sold by Mistral.", start=first.end + 1, document="other"),
    ):
        assert list(apart("Grok is sold by Mistral.", [first, second]))


@given(st.sampled_from(units()), st.sampled_from(units()))
def test_what_a_source_says_itself_is_never_doubted(said: Evidence, other: Evidence) -> None:
    assert not [pair for pair in apart(said.quote, [said, other]) if pair[1]]
