"""Sentences that don't follow from their quotes are found out, and true ones are left alone.

claims.json holds sentences about the corpus, written by hand: paraphrases that hold, and the ways
in which a small model gets things wrong. `on`: what the quotes that they rest on contain.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from quotes import leaning, quote, row, sentences, stating

from kb.citations import Bound, bind
from kb.subjects import loose_figures, source_figures
from kb.types import Evidence
from kb.verify import Doubt, doubts

CLAIMS = json.loads((Path(__file__).parent / "claims.json").read_text(encoding="utf-8"))
TRUE = [claim for claim in CLAIMS if claim["holds"]]
FALSE = [claim for claim in CLAIMS if not claim["holds"]]

GPT = row("Model: GPT-4o; Input (per 1M tokens): $5.00; Output (per 1M tokens): $30.00")
GPT_PRO = row(
    "Model: GPT-4o Pro; Input (per 1M tokens): $30.00; Output (per 1M tokens): $180.00", 99
)
SWE = quote("On SWE-bench Pro, Claude Opus 4.7 reaches 64.3%, ahead of GPT-4o with 58.6%.")
FAMILY = row(
    "Model family: Llama; Releases: Llama 2 (July 2023), Llama 4 Scout/Maverick (April 5, 2025); "
    "Notes: Scout with 109B total, 17B active, 16 experts; Maverick with 400B total, 128 experts"
)


def bound_to(claim: str, *pieces: Evidence) -> Bound:
    return bind(claim, (), pieces, [1.0] * len(pieces), leaning)


def named(claim: dict[str, Any]) -> str:
    """An id that can be typed."""
    return re.sub(r"\W+", "-", claim["claim"], flags=re.ASCII)[:60]


@cache
def found_in(claim: str, on: tuple[str, ...]) -> tuple[Doubt, ...]:
    bound = bound_to(claim, *map(stating, on))
    return tuple(doubts(claim, bound.pieces))


def checked(claim: dict[str, Any]) -> tuple[Doubt, ...]:
    return found_in(claim["claim"], tuple(claim["on"]))


def failures(sentence: str, *pieces: Evidence) -> set[tuple[str, bool]]:
    return {(doubt.failure, doubt.certain) for doubt in doubts(sentence, pieces)}


def refuted(sentence: str, *pieces: Evidence) -> bool:
    return any(doubt.certain for doubt in doubts(sentence, pieces))


# -- claims about the corpus ---------------------------------------------------------------------


@pytest.mark.parametrize("claim", TRUE, ids=named)
def test_no_true_claim_is_refuted(claim: dict[str, Any]) -> None:
    assert not [doubt for doubt in checked(claim) if doubt.certain]


def test_few_true_claims_are_doubted() -> None:
    doubted = [claim["claim"] for claim in TRUE if checked(claim)]

    assert len(doubted) <= 0.05 * len(TRUE), doubted


def test_four_in_five_false_claims_are_refuted() -> None:
    left = [c["claim"] for c in FALSE if not any(doubt.certain for doubt in checked(c))]

    assert len(left) <= 0.2 * len(FALSE), left


def test_no_false_claim_goes_without_a_doubt() -> None:
    assert [claim["claim"] for claim in FALSE if not checked(claim)] == []


def test_every_sentence_of_the_corpus_follows_from_itself() -> None:
    doubted = {piece.statement: found for piece in sentences()
               if (found := doubts(piece.statement, [piece]))}  # fmt: skip

    assert doubted == {}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_sentence_with_another_figure_is_refuted(data: st.DataObject) -> None:
    piece = data.draw(st.sampled_from([p for p in sentences() if loose_figures(p.statement)]))
    text = piece.statement
    figure = data.draw(st.sampled_from(loose_figures(text)))
    digits = [m.start() for m in re.finditer(r"[1-9]", text[figure.start : figure.end])]
    assume(digits)
    at = figure.start + data.draw(st.sampled_from(digits))
    changed = text[:at] + str(int(text[at]) % 9 + 1) + text[at + 1 :]
    there = [f for f in loose_figures(changed) if f.start <= at < f.end]
    assume(there and not any(f.stated_by(known) for f in there for known in source_figures(text)))

    assert refuted(changed, piece)


# -- one mistake at a time -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "sentence",
    [
        "GPT-4o costs $50 per 1M input tokens.",
        "GPT-4o costs $0.50 per 1M input tokens.",
        "GPT-4o costs €5 per 1M input tokens.",
        "GPT-4o costs $5M for input.",
    ],
)
def test_a_wrong_figure_is_refuted(sentence: str) -> None:
    assert ("figure", True) in failures(sentence, GPT)


@pytest.mark.parametrize(
    "sentence",
    [
        "GPT-4o mini costs $5 for 1M input tokens.",
        "Claude Opus 4.7 costs $5 for 1M input tokens.",
        "GPT-4 costs $5 for 1M input tokens.",
        "Zephyrion-9 costs $5 for 1M input tokens.",
        "According to Gartner, GPT-4o costs $5 for 1M input tokens.",
    ],
)
def test_a_name_that_no_quote_states_is_refuted(sentence: str) -> None:
    assert ("name", True) in failures(sentence, GPT)


@pytest.mark.parametrize(
    "sentence",
    [
        "GPT-4o costs $180.00 per 1M output tokens.",
        "GPT-4o Pro costs $5.00 per 1M input tokens.",
    ],
)
def test_a_row_does_not_lend_its_value_to_another_rows_model(sentence: str) -> None:
    assert ("subject", True) in failures(sentence, GPT, GPT_PRO)


@pytest.mark.parametrize(
    "sentence",
    [
        "Claude Opus 4.7 scores 58.6% and GPT-4o 64.3%.",
        "On SWE-bench Pro, GPT-4o reaches 64.3%, ahead of Claude Opus 4.7 with 58.6%.",
        "GPT-4o and Claude Opus 4.7 score 64.3% and 58.6%.",
        "GPT-4o is ahead of Claude Opus 4.7, with 64.3% against 58.6%.",
        "64.3% for GPT-4o and 58.6% for Claude Opus 4.7 were reached.",
    ],
)
def test_figures_swapped_between_two_models_are_refuted(sentence: str) -> None:
    assert ("subject", True) in failures(sentence, SWE)


@pytest.mark.parametrize(
    "sentence",
    [
        "Claude Opus 4.7 scores 64.3% and GPT-4o 58.6%.",
        "GPT-4o and Claude Opus 4.7 score 58.6% and 64.3%.",
        "Claude Opus 4.7 is ahead of GPT-4o, with 64.3% against 58.6%.",
        "58.6% for GPT-4o and 64.3% for Claude Opus 4.7 were reached.",
        "GPT-4o (58.6%) is behind Claude Opus 4.7 (64.3%).",
        "Opus 4.7 scores 64.3% on SWE-bench Pro.",
    ],
)
def test_figures_with_their_own_models_are_left_alone(sentence: str) -> None:
    assert failures(sentence, SWE) == set()


def test_inside_a_row_figures_belong_to_the_model_next_to_them() -> None:
    assert failures("Llama 4 Scout has 16 experts.", FAMILY) == set()
    assert failures("Llama 4 Maverick was released on April 5, 2025.", FAMILY) == set()
    assert refuted("Llama 4 Scout has 128 experts.", FAMILY)
    assert refuted("Llama 2 was released on April 5, 2025.", FAMILY)


@pytest.mark.parametrize(
    ("sentence", "piece"),
    [
        ("GPT-4o costs $30 per 1M input tokens.", GPT),
        ("The input price of GPT-4o is $30.", GPT),
        ("For output, GPT-4o charges $5.", GPT),
        ("GPT-4o costs $30 for input and $5 for output.", GPT),
        ("GPT-4o costs $30 for input.", quote("GPT-4o is priced at $5/$30 (input/output).")),
        ("GPT-4o costs $5 for output.", quote("GPT-4o costs $5 for input and $30 for output.")),
    ],
)
def test_an_output_price_is_not_taken_for_the_input_price(sentence: str, piece: Evidence) -> None:
    assert ("column", True) in failures(sentence, piece)


@pytest.mark.parametrize(
    "sentence",
    [
        "GPT-4o costs $5 for input and $30 for output.",
        "GPT-4o costs $5/$30 per 1M input/output tokens.",
        "GPT-4o costs $5 and $30 per 1M input and output tokens.",
        "Input costs $5.00, output $30.00 with GPT-4o.",
        "GPT-4o's output price of $30 is higher than its input price.",
    ],
)
def test_prices_in_their_own_columns_are_left_alone(sentence: str) -> None:
    assert failures(sentence, GPT) == set()


def test_a_figure_is_not_borrowed_from_a_quote_about_something_else() -> None:
    stripe = quote("Stripe reported that its inference costs fell by 73 percent.")
    other = quote("On MMLU, GPT-4o scores 88.7%.", start=0, document="other")

    assert ("subject", True) in failures("Stripe's inference costs fell by 88.7%.", stripe, other)


def test_a_headers_figure_counts_for_the_rows_below_it() -> None:
    header = quote("| Model | Input (per 1M tokens) |")
    below = row("Model: GPT-4o; Input: $5.00", start=60)

    assert not refuted("GPT-4o costs $5 per 1M input tokens.", below, header)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Anthropic offers fine-tuning for Claude.", "There is no fine-tuning for Claude."),
        ("Closed models are always better.", "Closed models are not always better."),
        ("Behemoth is publicly released.", "Behemoth is announced but not publicly released."),
        ("Google does not offer fine-tuning.", "Google offers fine-tuning for Gemini."),
    ],
)  # fmt: skip
def test_what_the_quote_denies_is_refuted(sentence: str, source: str) -> None:
    assert ("polarity", True) in failures(sentence, quote(source))


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Claude can be fine-tuned.", "Claude cannot be fine-tuned via the API."),
        ("It is used in finance and in healthcare.", "It is used only in healthcare."),
        ("Only Llama allows commercial use.", "Llama allows commercial use."),
        ("All releases are under MIT.", "The releases are under MIT, except one."),
        ("It is cheaper below 10M tokens a day.", "It is cheaper above 10M tokens a day."),
        ("Llama is the cheapest model.", "Llama is a cheap model."),
        ("Llama leads on every benchmark.", "Llama leads on one benchmark."),
        ("Shopify reported lower costs.", "Stripe reported lower costs."),
        ("It has 671B active parameters.", "It has 671B total parameters, 37B active."),
    ],
)  # fmt: skip
def test_a_model_is_asked_where_the_quote_says_it_less_plainly(sentence: str, source: str) -> None:
    found = failures(sentence, quote(source))

    assert found
    assert not any(certain for _, certain in found)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Claude is not available for fine-tuning.", "There is no fine-tuning of Claude."),
        ("It can be reached via an API.", "It can be reached only via an API."),
        ("Teams without GPUs should use an API.", "Teams should use an API if they lack GPUs."),
        ("It costs at most $5.", "It costs up to $5."),
        ("Not every model is open.", "Some models are not open."),
        ("Claude Opus 4.7 leads.", "Claude Opus 4.7 is ahead of all others."),
    ],
)
def test_the_same_in_other_words_is_left_alone(sentence: str, source: str) -> None:
    assert failures(sentence, quote(source)) == set()


def test_an_editions_score_is_not_another_editions() -> None:
    verified = quote("On SWE-bench Verified, Claude Opus 4.7 scores 87.6%.", start=100)
    heading = quote("### SWE-bench Pro: Agentic Coding")

    assert refuted("Claude Opus 4.7 scores 87.6% on SWE-bench Pro.", verified, heading)


def test_a_figure_of_parameters_is_not_given_to_tokens() -> None:
    source = "LLaMA 4 Maverick has 17B active of a total of 400B parameters, and a window of 1M."
    assert ("column", True) in failures(
        "LLaMA 4 Maverick has a context window of 400B tokens.", quote(source)
    )
    assert not failures("LLaMA 4 Maverick has a total of 400B parameters.", quote(source))
    assert not failures("LLaMA 4 Maverick has 400B total parameters.", quote(source))
