"""Figures mean the same however they are written, and nothing else."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.figures import Figure, figures, unstated

MONTHS = (
    "January February March April May June July August September October November December".split()
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$5", "5 dollars"),
        ("$5", "$5.00"),
        ("US$5", "5 USD"),
        ("10 cents", "$0.10"),
        ("€5", "5 euros"),
        ("700M", "700 million"),
        ("700M", "700,000,000"),
        ("50,000", "50 thousand"),
        ("ten million", "10M"),
        ("a million tokens", "1,000,000 tokens"),
        ("per million tokens", "per 1M tokens"),
        ("36T", "36 trillion"),
        ("$1.5 billion", "$1,500M"),
        ("128k", "128,000"),
        ("73 percent", "73%"),
        ("seventy-three percent", "73%"),
        ("one-tenth", "a tenth"),
        ("half of it", "50%"),
        ("twice", "2×"),
        ("10-fold", "ten times"),
        ("5–10×", "5 to 10 times"),
        ("5–10M", "between 5 and 10 million"),
        ("2–3 billion", "2B to 3B"),
        ("$0.50–2.00/hr", "$0.50 to $2.00 per hour"),
        ("$2/hr", "$2 an hour"),
        ("~$750–1,500/day", "$750 to $1500 a day"),
        ("5M tokens/day", "5 million tokens a day"),
        ("307 GB/s", "307GB per second"),
        ("10^25", "10²⁵"),
        ("10^25", "1e25"),
        ("10^25", "10 to the power of 25"),
        ("3×10^25", "3e25"),
        ("Aug 5, 2025", "5 August 2025"),
        ("Aug 5, 2025", "2025-08-05"),
        ("the 5th of August, 2025", "August 5 2025"),
        ("April 6", "6 April"),
        ("sixteen experts", "16 experts"),
    ],
)
def test_these_state_each_other(one: str, other: str) -> None:
    assert figures(one)
    assert unstated(one, other) == []
    assert unstated(other, one) == []


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("October 2024", "October 12, 2024"),
        ("2024", "October 12, 2024"),
        ("in 2025", "released in April 2025"),
        ("October 12", "October 12, 2024"),
        ("$5.00", "Price ($): 5.00"),
        ("88%", "MMLU score: 88"),
        ("5 per 1M tokens", "$5 per 1M tokens"),
    ],
)
def test_a_more_precise_source_states_the_claim(claim: str, source: str) -> None:
    assert unstated(claim, source) == []


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("$5", "$50"),
        ("$5", "$0.5"),
        ("$5", "€5"),
        ("$5", "5 GPUs"),
        ("17B", "17"),
        ("17", "17B"),
        ("700M", "700B"),
        ("12 million", "12"),
        ("1.5", "15"),
        ("73%", "73 files"),
        ("5%", "5×"),
        ("one-tenth", "10 GPUs"),
        ("40GB", "40MB"),
        ("3 years", "3 months"),
        ("$2 per hour", "$2 per day"),
        ("20 tokens/second", "20 tokens a minute"),
        ("October 12, 2024", "October 2024"),
        ("October 2024", "2024"),
        ("2024", "April 2025"),
        ("2025-08-05", "2025-08-06"),
        ("April 6", "April 7, 2026"),
        ("10^25", "10^26"),
        ("4 models", "GPT-4o"),
        ("8 models", "Mixtral 8x7B"),
        ("100 GPUs", "an H100"),
    ],
)
def test_these_do_not_state_the_claim(claim: str, source: str) -> None:
    assert unstated(claim, source)


@pytest.mark.parametrize(
    "text",
    ["GPT-4o", "Mixtral 8x7B", "an H100", "DeepSeek-V3", "v2.1", "3.1.4", "no one", "one of them",
     "a third model", "it may", "a day", "the second reason"],
)  # fmt: skip
def test_no_figure_is_read_into(text: str) -> None:
    assert figures(text) == []


def test_each_end_of_a_range_or_a_pair_has_the_unit_that_is_given_once() -> None:
    assert [(f.kind, f.value) for f in figures("5–10M and $0.20–0.30, $5/$25, 2–4×")] == [
        ("number", Decimal(5_000_000)),
        ("number", Decimal(10_000_000)),
        ("money", Decimal("0.2")),
        ("money", Decimal("0.3")),
        ("money", Decimal(5)),
        ("money", Decimal(25)),
        ("times", Decimal(2)),
        ("times", Decimal(4)),
    ]


def test_a_list_is_no_range() -> None:
    assert [f.kind for f in figures("$5 and 10 GPUs")] == ["money", "number"]


@given(st.decimals(min_value="0.01", max_value="99999", places=2))
def test_a_price_is_stated_by_every_way_to_write_it_and_by_no_other_price(price: Decimal) -> None:
    spellings = [f"${price}", f"${price:,}", f"{price} dollars", f"USD {price}", f"{price} USD"]
    others = [f"${price * 10}", f"${price + 1}", f"€{price}", f"{price}%", f"${price}M"]

    assert not any(unstated(a, b) for a in spellings for b in spellings)
    assert all(unstated(spellings[0], other) for other in others)


@given(st.integers(1, 999))
def test_magnitudes_multiply(number: int) -> None:
    for letter, word, zeros in (("K", "thousand", 3), ("M", "million", 6), ("B", "billion", 9)):
        whole = f"{number * 10**zeros:,}"

        assert not unstated(f"{number}{letter}", whole)
        assert not unstated(f"{number} {word}", f"{number}{letter}")
        assert unstated(f"{number}{letter}", str(number))


@given(st.dates(date(1990, 1, 1), date(2040, 12, 31)), st.integers(1, 40))
def test_a_date_is_stated_by_every_way_to_write_it_and_by_no_other_date(
    day: date, days: int
) -> None:
    month = MONTHS[day.month - 1]
    spellings = [
        day.isoformat(),
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month[:3]} {day.day}, {day.year}",
    ]
    other = date.fromordinal(day.toordinal() + days).isoformat()

    assert not any(unstated(a, b) for a in spellings for b in spellings)
    assert not unstated(f"in {month} {day.year}", spellings[2])
    assert not unstated(f"in {day.year}", spellings[1])
    assert all(unstated(spelling, other) for spelling in spellings)


words = st.sampled_from(
    ["$", "5", "1,000", ".", "0", "–", "/", " ", "M", "million", "%", "GPT-4o", "May", "2025",
     "one", "ten", "half", "^", "10", "x", "per", "hour", "of", "the", "²", "e", ",",
     "st", "\n", "€"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(words, max_size=14).map("".join)))
def test_figures_stand_in_order_inside_the_text_and_apart(text: str) -> None:
    found = figures(text)

    assert all(0 <= f.start < f.end <= len(text) for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(st.lists(words, max_size=14).map(" ".join))
def test_every_text_states_its_own_figures(text: str) -> None:
    assert all(figure.stated_by(figure) for figure in figures(text))


def test_what_a_price_is_for_is_kept_apart_from_the_price() -> None:
    (price, tokens) = figures("$5.00 per 1M tokens")

    assert (price, tokens) == (
        Figure("money", Decimal(5), 1, 5, unit="$"),
        Figure("number", Decimal(1_000_000), 10, 12),
    )
