"""A price is of the period and at the amount that its quote gives."""

from __future__ import annotations

import pytest
from quotes import quote, row

from kb.rates import elsewhere, misrated
from kb.types import Evidence

TOKENS = quote("On a self-hosted Scout, running 1M tokens costs ~$0.20–0.30 of GPU time.")
HOURLY = row("Model: Scout; Approx. Cost: ~$2/hr on a single H100", start=500)
FIFTY = quote("At 50M tokens/day, the Opus API costs $750/day.")
FIVE = quote("At 5M tokens/day, an A100 costs ~$2.50/day.", start=500)
BELOW = quote("Below 5M tokens/day, the API costs $20 less.", start=900)


@pytest.mark.parametrize(
    ("sentence", "piece", "wrong"),
    [
        ("The hourly cost of Scout is ~$0.20–0.30.", TOKENS, ["0.20"]),
        ("Scout costs $0.20 an hour.", TOKENS, ["0.20"]),
        ("Scout costs $0.20 for 1M tokens.", TOKENS, []),
        ("Scout costs $2 an hour.", HOURLY, []),
        ("Scout's hourly cost is $2.", HOURLY, []),
        ("Scout's monthly cost is $2/hr.", HOURLY, ["2"]),
        ("Scout runs for months.", HOURLY, []),
        ("Scout costs $9 a month.", HOURLY, []),  # nobody says so: that is found elsewhere
    ],
)
def test_a_price_is_for_the_period_of_its_quote(
    sentence: str, piece: Evidence, wrong: list[str]
) -> None:
    assert list(misrated(sentence, [piece])) == wrong


@pytest.mark.parametrize(
    ("question", "sentence", "piece", "other"),
    [
        ("What does Opus cost at 5M tokens daily?", "Opus costs $750/day.", FIFTY, True),
        ("What of five million tokens a day?", "Opus costs $750/day.", FIFTY, True),
        ("What does Opus cost at 50M tokens daily?", "Opus costs $750/day.", FIFTY, False),
        ("What does an A100 cost at 5M tokens?", "An A100 costs ~$2.50/day.", FIVE, False),
        ("What does an A100 cost at 2M tokens?", "An A100 costs ~$2.50/day.", FIVE, True),
        ("What about 2M tokens a day?", "The API costs $20 less.", BELOW, False),  # a limit
        ("What about 50 mil tokens?", "Opus costs $750/day.", FIFTY, False),
        ("What does Opus cost for 5 people?", "Opus costs $750/day.", FIFTY, False),
        ("What does Opus cost?", "Opus costs $750/day.", FIFTY, False),
        ("What does Opus do at 5M tokens?", "Opus works.", FIFTY, False),
    ],
)
def test_a_figure_holds_at_the_amount_that_was_asked_about(
    question: str, sentence: str, piece: Evidence, other: bool
) -> None:
    assert elsewhere(question, sentence, [piece]) is other
