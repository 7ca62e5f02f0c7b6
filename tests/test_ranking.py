"""Rank arithmetic against figures worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.ranking import (
    best_matches,
    inverse_document_frequency,
    max_sim_idf,
    name_agreement,
    ordered,
    reciprocal_rank_fusion,
    relative_to_best,
)
from kb.types import TokenVectors


def tokens(*vectors: Sequence[int]) -> TokenVectors:
    """Tokens in two dimensions; a unit vector is 127 long."""
    count = len(vectors)
    places = np.arange(count, dtype=np.uint16)
    return TokenVectors(places, places, np.array(vectors, np.int8).reshape(count, 2))


EAST, NORTH, BETWEEN = (127, 0), (0, 127), (90, 90)  # BETWEEN: cosine 90/127 with both


def test_each_question_token_takes_its_best_cosine_in_each_group() -> None:
    best = best_matches(tokens(EAST, NORTH), [tokens(EAST), tokens(BETWEEN, NORTH), tokens()])

    assert best == pytest.approx(np.array([[1, 90 / 127, 0], [0, 1, 0]]), abs=1e-6)


def test_coverage_is_the_mean_of_the_best_cosines_weighted_by_rarity() -> None:
    best = np.array([[1.0, 0.5], [0.0, 1.0]], np.float32)

    covered = max_sim_idf(best, np.array([3.0, 1.0], np.float32))

    assert covered == pytest.approx([0.75, 0.625])


def test_power_lets_one_word_that_is_there_outweigh_several_that_are_related() -> None:
    best = np.array([[1.0, 0.6], [0.0, 0.6]], np.float32)
    idf = np.ones(2, np.float32)

    assert max_sim_idf(best, idf) == pytest.approx([0.5, 0.6])
    assert max_sim_idf(best, idf, power=4) == pytest.approx([0.5, 0.6**4])


def test_cosine_below_zero_never_counts_for_a_text_however_it_is_raised() -> None:
    best = np.array([[-0.9]], np.float32)

    assert max_sim_idf(best, np.ones(1, np.float32), power=4).tolist() == [0.0]


def test_question_without_weight_is_covered_by_nothing() -> None:
    assert max_sim_idf(np.ones((0, 2), np.float32), np.ones(0, np.float32)).tolist() == [0.0, 0.0]


def test_rare_token_weighs_more() -> None:
    containing = np.array([9, 0], np.int32)

    idf = inverse_document_frequency(np.array([0, 1], np.uint16), containing, 10)

    assert idf == pytest.approx(np.log([2, 11]))


def test_fusion_is_the_table_worked_out_by_hand() -> None:
    fused = reciprocal_rank_fusion([["a", "b", "c"], ["b", "d"]])

    assert [item for item, _ in fused] == ["b", "a", "d", "c"]
    assert dict(fused) == pytest.approx(
        {"b": 1 / 62 + 1 / 61, "a": 1 / 61, "d": 1 / 62, "c": 1 / 63}
    )


@given(st.lists(st.permutations("abcdef"), max_size=4).flatmap(
    lambda rankings: st.tuples(st.just(rankings), st.permutations(rankings))
))  # fmt: skip
def test_fusion_does_not_depend_on_the_order_of_the_rankings(
    pair: tuple[list[list[str]], list[list[str]]],
) -> None:
    rankings, shuffled = pair

    assert reciprocal_rank_fusion(rankings) == reciprocal_rank_fusion(shuffled)


@given(st.permutations([("a", 1.0), ("b", 1.0), ("c", 0.5), ("d", 1.0)]))
def test_equal_scores_are_ordered_by_id_whatever_came_first(
    items: list[tuple[str, float]],
) -> None:
    assert ordered(dict(items)) == ["a", "b", "d", "c"]


def test_word_scores_are_shares_of_the_best() -> None:
    assert relative_to_best({"a": 8.0, "b": 2.0, "c": -1.0}) == {"a": 1.0, "b": 0.25, "c": 0.0}


@pytest.mark.parametrize("scores", [{}, {"a": 0.0}, {"a": -2.0}])
def test_where_no_word_matches_there_is_no_share(scores: dict[str, float]) -> None:
    assert set(relative_to_best(scores).values()) <= {0.0}


@pytest.mark.parametrize(
    ("question", "text", "agreement"),
    [
        ("What does GPT-4o cost?", "GPT-4o costs $5.", 1.0),
        ("What does GPT-4o cost?", "GPT-4o mini costs $1.", 0.5),
        ("What does Llama 3.1 need?", "Llama 4 needs one GPU.", -1.0),
        ("What does Llama 3.1 need?", "A GPU is needed.", 0.0),
        ("What happened in early 2023?", "In early 2024 prices fell.", 0.0),
    ],
)
def test_name_agrees_only_where_its_version_does(
    question: str, text: str, agreement: float
) -> None:
    assert name_agreement(question, text) == agreement
