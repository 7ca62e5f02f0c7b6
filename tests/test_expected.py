"""Evidence without the kind of figure that is asked for, of what is asked about, is no answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from quotes import quote, row

from kb.expected import bearing, fits

GROK = row("Model family: Grok; Provider: xAI; Latest release (date): Grok 4 (2025)")
OPUS = quote("Claude Opus 4.7 costs $5 per million tokens of input.", start=200)
SCORE = quote("On Terminal-Bench 2.0, GPT-4o scores 82.7%.", start=400)
GEMINI = row("Model: Gemini 3.1 Pro; Context window: 1M tokens", start=600)


@pytest.mark.parametrize(
    ("question", "fitting"),
    [
        ("What does xAI charge for Grok 4?", False),  # a price, but another model's
        ("What does Claude Opus 4.7 cost?", True),
        ("How did Gemini 3.1 Pro do on Terminal-Bench 2.0?", False),
        ("How did GPT-4o do on Terminal-Bench 2.0?", True),
        ("When was Grok 4 released?", True),
        ("When was Claude Opus 4.7 released?", False),
        ("Which model leads Terminal-Bench 2.0?", True),
        ("When should we take Claude Opus 4.7?", True),  # asks for a reason, not for a day
        ("Does Grok 4 cost more than $5?", True),  # whatever is said of it may answer that
        ("What does Claude Opus 4.7 cost, and who makes Grok 4?", True),
        ("Who makes the best of them?", True),
    ],
)
def test_a_figure_is_asked_of_one_thing(question: str, fitting: bool) -> None:
    assert fits(question, [GROK, OPUS, SCORE, GEMINI]) is fitting


@pytest.mark.parametrize(
    "stated",
    ["The mine was pumped dry in 1712.", "It ended 11,000 years ago.", "It opened on May 5."],
)
def test_a_time_is_told_in_many_ways(stated: str) -> None:
    assert fits("When was the mine opened?", [quote(stated)])
    assert not fits("When was the mine opened?", [quote("The mine was opened by a duke.")])


def test_a_heading_names_what_its_sentences_are_about() -> None:
    under = replace(quote("The price is $2 for input."), heading="Gemini 3 Flash")
    assert fits("What is the price of Gemini 3 Flash?", [under])


def test_what_is_free_has_a_price() -> None:
    free = quote("Falcon 3 can be used free of charge.")
    assert fits("What does Falcon 3 cost?", [free])


def test_what_is_quoted_besides_names_the_device_or_the_benchmark_that_is_asked_of() -> None:
    own = quote("An RTX 4090 costs $1.50 an hour.")
    other = quote("An A100 costs $2 an hour.", start=100)
    assert bearing("What does an RTX 4090 come to per hour?", [own, other]) == [own]
    assert bearing("What does a graphics card come to per hour?", [own, other]) == [own, other]


def test_a_benchmark_that_only_describes_a_model_keeps_nothing_out() -> None:
    lead = quote("On SWE-bench Pro, Claude Opus 4.7 leads.")
    sold = quote("Claude is sold on AWS Bedrock.", start=100)
    asked = "The model that leads SWE-bench Pro is sold on which clouds?"
    assert bearing(asked, [lead, sold]) == [lead, sold]
