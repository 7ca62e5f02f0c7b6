"""A doubt says what kind of mistake it is, about which words, and whether it is certain."""

from __future__ import annotations

import pytest
from quotes import quote, row

from kb.types import Evidence
from kb.verify import Doubt, Needs, doubts, joined

GPT = row("Model: GPT-4o; Input (per 1M tokens): $5.00; Output (per 1M tokens): $30.00")
GPT_PRO = row(
    "Model: GPT-4o Pro; Input (per 1M tokens): $30.00; Output (per 1M tokens): $180.00", 99
)
SWE = quote("On SWE-bench Pro, Claude Opus 4.7 reaches 64.3%, ahead of GPT-4o with 58.6%.")
MAVERICK = quote("LLaMA 4 Maverick has 17B active of a total of 400B parameters.")
MMLU = row("Feature: MMLU; Open-source LLMs: 80–82%; Proprietary LLMs: 88–90%")
SLASHED = quote("GPT-4o costs $5/$30.")
ALWAYS = "Closed models are not always better."


def certain(failure: str, about: str) -> Doubt:
    return Doubt(failure, about, certain=True)  # type: ignore[arg-type]  # a Failure's words


def open_to_question(failure: str, about: str) -> Doubt:
    return Doubt(failure, about, certain=False)  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize(
    ("sentence", "pieces", "found"),
    [
        ("GPT-4o costs $7 or $8.", [GPT], [certain("figure", "7")]),
        (
            "According to Gartner, GPT-4o costs $5 for 1M input tokens.",
            [GPT],
            [certain("name", "Gartner")],
        ),
        (
            "GPT-4o costs $180.00 per 1M output tokens.",
            [GPT, GPT_PRO],
            [open_to_question("subject", "180.00"), certain("subject", "180.00")],
        ),
        (
            "Claude Opus 4.7 scores 58.6% and GPT-4o 64.3%.",
            [SWE],
            [certain("subject", "58.6%"), certain("subject", "64.3%")],
        ),
        (
            "Mistral Large is released under Apache 2.0.",
            [
                row("Model: Mistral Large; License: research only", 9000),
                row("Model: Qwen 3; License: Apache 2.0"),
            ],
            [
                certain("subject", "Apache 2.0"),
                certain("together", "Mistral Large + Apache 2.0"),
            ],
        ),
        (
            "Google is behind Grok.",
            [quote("Google makes models.", start=9000), row("Model: Grok; Provider: xAI")],
            [certain("together", "Google + Grok")],
        ),
        (
            "On SWE-bench Verified, Claude Opus 4.7 reaches 64.3%.",
            [SWE],
            [certain("name", "bench Verified"), certain("name", "bench Verified")],
        ),
        ("GPT-4o costs $30 per 1M input tokens.", [GPT], [certain("column", "30")]),
        ("GPT-4o: a million tokens in and out cost $5.", [GPT], [certain("column", "5")]),
        (
            "Its input and output tokens cost $5.",
            [GPT],
            [certain("column", "5"), open_to_question("column", "5")],
        ),
        ("GPT-4o costs $5 for input and $30 for output.", [GPT], []),
        (
            "LLaMA 4 Maverick has a context window of 400B tokens.",
            [MAVERICK],
            [certain("column", "400B")],
        ),
        (
            "Open-source LLMs score 88–90%.",
            [MMLU],
            [open_to_question("column", "88"), open_to_question("column", "90%")],
        ),
        ("GPT-4o costs $30/$5.", [SLASHED], [open_to_question("column", "30/$5")]),
        (
            "Closed models are always better.",
            [quote(ALWAYS)],
            [certain("polarity", "Closed models are always better.")],
        ),
        (
            "Closed models are always better.",
            [row(f"Note: {ALWAYS}")],
            [open_to_question("polarity", "Closed models are always better.")],
        ),
        (
            "Shopify reported lower costs.",
            [quote("Stripe reported lower costs.")],
            [open_to_question("name", "Shopify")],
        ),
        (
            "5M tokens cost $12.50 a day.",
            [quote("At 5M tokens, it costs $12.50 + $75 = $87.50 a day.")],
            [certain("figure", "12.50")],
        ),
        (
            "GPT-4o was released in December 2025.",
            [quote("GPT-4o has a training cutoff of December 2025.")],
            [certain("column", "December 2025")],
        ),
        (
            "Opus has the better score of 81%, while Flash has 82%.",
            [quote("Opus has 81%, Flash has 82%: the better score.")],
            [certain("figure", "81%")],
        ),
        (
            "The hourly cost of it is $0.20.",
            [quote("Running 1M tokens on it costs $0.20.")],
            [certain("column", "0.20")],
        ),
        (
            "They take text, vision and sound.",
            [row("Model: Grok; Modalities: text, vision")],
            [certain("item", "sound")],
        ),
    ],
    ids=lambda value: None,
)
def test_each_mistake_is_named_with_the_words_that_it_is_in(
    sentence: str, pieces: list[Evidence], found: list[Doubt]
) -> None:
    assert doubts(sentence, pieces) == found


def test_a_denial_is_seen_in_whichever_quote_it_opens() -> None:
    claude = quote("Claude is by Anthropic.")
    denied = quote("No fine-tuning of Claude is offered.", start=100)
    sentence = "Fine-tuning of Claude is offered."

    assert doubts(sentence, [claude, denied]) == [certain("polarity", sentence)]


def test_one_row_among_the_quotes_leaves_a_denial_open_to_question() -> None:
    pieces = [quote(ALWAYS), row("Model: GPT-4o", 200)]

    assert [doubt.certain for doubt in doubts("Closed models are always better.", pieces)] == [
        False
    ]


@pytest.mark.parametrize(
    ("sentence", "source", "doubted"),
    [
        ("Shopify reported lower costs.", "Stripe reported lower costs.", True),
        ("Shopify reported lower costs.", "At SHOPIFY lower costs were reported.", False),
        ("Shopify's reported costs fell.", "Costs fell.", True),
        ("Shop reported lower costs.", "Shopify reported lower costs.", False),
        ("Costs reported were lower.", "The cost was reported as lower.", False),
    ],
)
def test_a_first_word_with_a_verb_behind_it_may_be_somebody(
    sentence: str, source: str, doubted: bool
) -> None:
    somebody = [doubt for doubt in doubts(sentence, [quote(source)]) if doubt.failure == "name"]

    assert bool(somebody) is doubted


# -- what a sentence needs -----------------------------------------------------------------------


def test_a_version_is_a_names_and_no_figure() -> None:
    needs = Needs.of("Llama 4 Scout has 16 experts.")

    assert [figure.value for figure in needs.figures] == [16]
    assert len(needs) == 2
    assert needs.unmet("Llama 4 Scout has 16 experts.").met
    assert not Needs.of("Llama has 4 models.").unmet("There is Llama 4.").met


def test_needs_are_met_only_when_neither_a_figure_nor_a_name_is_left() -> None:
    needs = Needs.of("Llama 4 Scout has 16 experts.")

    assert not needs.unmet("Llama 4 Scout has experts.").met
    assert not needs.unmet("Another one has 16 experts.").met
    assert len(needs.unmet("Another one has 16 experts.")) == 1
    assert Needs.of("It is open.").met


def test_quotes_are_joined_so_that_nothing_is_read_across_them() -> None:
    assert (
        joined([quote("The cap is 5"), quote("million users")]) == "The cap is 5\n;\nmillion users"
    )


JAILBREAKS = quote("Jailbreaking and misuse are not prevented by proprietary training data.")


@pytest.mark.parametrize(
    ("sentence", "certainly"),
    [
        ("Proprietary models can't be jailbroken.", True),
        ("Proprietary training data can't be misused.", True),
        ("Proprietary training data is not public.", False),
        ("Proprietary training data does not prevent jailbreaking.", False),
        ("Proprietary models can be jailbroken.", False),
    ],
    ids=["possible", "by_the_same_thing", "of_another_thing", "the_same_words", "affirmed"],
)
def test_what_is_not_prevented_is_possible(sentence: str, certainly: bool) -> None:
    found = doubts(sentence, [JAILBREAKS])
    assert certainly == (Doubt("polarity", sentence, certain=True) in found)


def test_columns_are_told_apart_by_part_of_a_hyphenated_header() -> None:
    piece = row("Dimension: MMLU; Open-weights models: 80%; Proprietary models: 88%")
    assert doubts("Open models reach 88%.", [piece]) == [open_to_question("column", "88%")]
    assert doubts("Open models reach 80%.", [piece]) == []


def test_a_figure_is_the_only_named_model_s() -> None:
    piece = quote("A setup of 4× A100 80GB (or H100) is needed for LLaMA 4 Maverick.")
    said = "gpt-oss needs a setup of 4× A100 80GB, as LLaMA 4 Maverick does."
    assert [d.failure for d in doubts("The bigger gpt oss needs 4× A100 80GB.", [piece])] == [
        "name", "subject", "subject"
    ]  # fmt: skip
    assert "subject" in {d.failure for d in doubts(said, [piece])}
    assert doubts("LLaMA 4 Maverick needs 4× A100 80GB.", [piece]) == []


def test_a_sentence_above_lends_no_figure_of_a_model_of_its_own() -> None:
    qwen = quote("Qwen 2.5 72B, with 128K of context, excels at Chinese.")
    spark = quote("Details about Muse Spark are sparse.", start=500)
    nowhere_together = open_to_question("together", "Spark + 128K")
    assert doubts("Muse Spark supports 128K of context.", [spark, qwen]) == [
        certain("subject", "128K"),
        nowhere_together,
    ]
    plain = quote("The context is 128K.")
    assert doubts("Muse Spark supports 128K of context.", [spark, plain]) == [nowhere_together]


def test_a_maker_may_stand_for_its_models() -> None:
    cost = quote("At 50M tokens/day, the Claude Opus 4.7 API costs $750/day.")
    claude = quote("Anthropic makes Claude.", start=500)
    assert doubts("Anthropic will charge us $750 per day.", [cost, claude]) == [
        open_to_question("subject", "750")
    ]


def test_one_missing_name_is_enough() -> None:
    found = doubts("GPT-4o and Zephyrion-9 beat Gemma 3.", [quote("GPT-4o is good.")])
    assert [doubt.about for doubt in found if doubt.failure == "name"] == ["Zephyrion-9"]


def test_four_letters_tell_that_a_first_word_is_known() -> None:
    assert doubts("Shoppers paid less.", [quote("In shops less was paid.")]) == []
