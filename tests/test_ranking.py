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
    without_repetitions,
)
from kb.types import Hit, Passage, Source, StoredPassage, TokenVectors, Unit


def tokens(*vectors: Sequence[int]) -> TokenVectors:
    """Tokens in two dimensions; a unit vector is 127 long."""
    count = len(vectors)
    places = np.arange(count, dtype=np.uint16)
    return TokenVectors(places, places, np.array(vectors, np.int8).reshape(count, 2))


EAST, NORTH, BETWEEN = (127, 0), (0, 127), (90, 90)  # BETWEEN: cosine 90/127 with both


def test_each_question_token_takes_its_best_cosine_in_each_group() -> None:
    best = best_matches(tokens(EAST, NORTH), [tokens(EAST), tokens(BETWEEN, NORTH), tokens()])

    assert best == pytest.approx(np.array([[1, 90 / 127, 0], [0, 1, 0]]), abs=1e-6)
    assert best.dtype == np.float32


def test_no_group_lends_its_tokens_to_another() -> None:
    groups = [tokens(NORTH, NORTH), tokens(), tokens(BETWEEN), tokens(EAST), tokens(NORTH, EAST)]

    best = best_matches(tokens(EAST), groups)

    assert best == pytest.approx(np.array([[0, 0, 90 / 127, 1, 1]]), abs=1e-6)


@pytest.mark.parametrize(
    ("question", "groups"),
    [
        (tokens(EAST), [tokens(), tokens()]),
        (tokens(EAST), []),
        (tokens(), [tokens(EAST), tokens()]),
        (tokens(), []),
    ],
)
def test_where_one_side_has_no_tokens_nothing_matches(
    question: TokenVectors, groups: list[TokenVectors]
) -> None:
    best = best_matches(question, groups)

    assert best.shape == (len(question.ids), len(groups))
    assert best.dtype == np.float32
    assert not best.any()


def test_coverage_is_the_mean_of_the_best_cosines_weighted_by_rarity() -> None:
    best = np.array([[1.0, 0.5], [0.0, 1.0]], np.float32)

    covered = max_sim_idf(best, np.array([3.0, 1.0], np.float32))

    assert covered == pytest.approx([0.75, 0.625])


def test_power_lets_one_word_that_is_there_outweigh_several_that_are_related() -> None:
    best = np.array([[1.0, 0.6], [0.0, 0.6]], np.float32)
    idf = np.ones(2, np.float32)

    assert max_sim_idf(best, idf) == pytest.approx([0.5, 0.6])
    assert max_sim_idf(best, idf, power=2) == pytest.approx([0.5, 0.6**2])
    assert max_sim_idf(best, idf, power=4) == pytest.approx([0.5, 0.6**4])


def test_cosine_below_zero_never_counts_for_a_text_however_it_is_raised() -> None:
    best = np.array([[-0.9]], np.float32)

    assert max_sim_idf(best, np.ones(1, np.float32), power=4).tolist() == [0.0]


def test_what_points_the_other_way_takes_from_the_share() -> None:
    best = np.array([[-0.5], [1.0]], np.float32)

    assert max_sim_idf(best, np.ones(2, np.float32)) == pytest.approx([0.25])


def test_question_without_weight_is_covered_by_nothing() -> None:
    covered = max_sim_idf(np.ones((0, 2), np.float32), np.ones(0, np.float32))

    assert covered.tolist() == [0.0, 0.0]
    assert covered.dtype == np.float32


def test_rare_token_weighs_more() -> None:
    containing = np.array([9, 0], np.int32)

    idf = inverse_document_frequency(np.array([0, 1], np.uint16), containing, 10)

    assert idf == pytest.approx(np.log([2, 11]))
    assert idf.dtype == np.float32


def test_fusion_is_the_table_worked_out_by_hand() -> None:
    fused = reciprocal_rank_fusion([["a", "b", "c"], ["b", "d"]])

    assert [item for item, _ in fused] == ["b", "a", "d", "c"]
    assert dict(fused) == pytest.approx(
        {"b": 1 / 62 + 1 / 61, "a": 1 / 61, "d": 1 / 62, "c": 1 / 63}
    )


def test_equal_ranks_are_fused_in_the_order_of_their_ids() -> None:
    fused = reciprocal_rank_fusion([["a", "z"], ["b", "c"]])

    assert [item for item, _ in fused] == ["a", "b", "c", "z"]


def test_rankings_of_any_sequence_can_be_fused() -> None:
    assert reciprocal_rank_fusion([("b", "a"), ["a", "b"]]) == [
        ("a", 1 / 61 + 1 / 62),
        ("b", 1 / 61 + 1 / 62),
    ]


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
    assert relative_to_best({"a": 0.5, "b": 0.25}) == {"a": 1.0, "b": 0.5}


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
        ("Is GPT-4o better than Llama 3.1?", "GPT-4o costs $5.", 0.5),
        ("Is GPT-4o better than Llama 3.1?", "Llama 4 needs one GPU.", -0.5),
    ],
)
def test_name_agrees_only_where_its_version_does(
    question: str, text: str, agreement: float
) -> None:
    assert name_agreement(question, text) == agreement


# -- repetitions ---------------------------------------------------------------------------------

TEN = "one two three four five six seven eight nine ten"


def hit(
    name: str,
    start: int,
    end: int,
    body: str,
    document: str = "guide",
    revision: str = "1",
) -> Hit:
    unit = Unit(0, len(body), start, end)
    passage = Passage(document, revision, 0, "prose", start, end, "", body, (unit,))
    source = Source(document, revision, document, None, document, None)
    return Hit(StoredPassage(name, passage, source, body, tokens()), 1.0, {})


def kept(*hits: Hit, per_document: int = 9) -> list[str]:
    return [one.stored.id for one in without_repetitions(hits, per_document)]


def test_a_span_inside_a_better_one_is_dropped_and_a_wider_one_is_kept() -> None:
    list_ = hit("list", 100, 200, "a list of items")

    assert kept(list_, hit("item", 100, 200, "the same")) == ["list"]
    assert kept(list_, hit("item", 120, 150, "an item")) == ["list"]
    assert kept(list_, hit("before", 99, 200, "begins before")) == ["list", "before"]
    assert kept(list_, hit("after", 100, 201, "ends after")) == ["list", "after"]
    assert kept(hit("item", 120, 150, "an item"), list_) == ["item", "list"]


def test_the_same_place_of_another_text_is_no_repetition() -> None:
    first = hit("first", 100, 200, "a list of items")

    assert kept(first, hit("elsewhere", 120, 150, "an item", document="other")) == [
        "first",
        "elsewhere",
    ]
    assert kept(first, hit("earlier", 120, 150, "an item", revision="0")) == ["first", "earlier"]


def test_words_that_a_better_hit_of_another_text_says_are_not_said_again() -> None:
    said = hit("said", 0, 50, TEN)

    assert kept(said, hit("copy", 0, 50, TEN.upper(), document="other")) == ["said"]
    nine = hit("nine", 0, 50, TEN.removesuffix(" ten"), document="other")
    assert kept(said, nine) == ["said"]
    eight = hit("eight", 0, 50, TEN.removesuffix(" nine ten"), document="other")
    assert kept(said, eight) == ["said", "eight"]
    other_ten = hit("other", 0, 50, TEN.replace("ten", "eleven"), document="other")
    assert kept(said, other_ten) == ["said", "other"]
    assert kept(hit("loud", 0, 50, TEN.upper()), hit("copy", 0, 50, TEN, document="other")) == [
        "loud"
    ]


def test_no_document_has_more_than_its_share_and_the_order_is_kept() -> None:
    hits = [hit(f"g{n}", 100 * n, 100 * n + 50, f"guide {n}") for n in range(3)]
    others = [hit(f"o{n}", 100 * n, 100 * n + 50, f"other {n}", "other") for n in range(3)]
    every = [hits[0], others[0], hits[1], hits[2], others[1], others[2]]

    assert kept(*every, per_document=1) == ["g0", "o0"]
    assert kept(*every, per_document=2) == ["g0", "o0", "g1", "o1"]
    assert kept(*every, per_document=3) == [one.stored.id for one in every]
    assert kept(*every, per_document=0) == []


def test_what_was_dropped_does_not_count_against_its_document() -> None:
    hits = [
        hit("whole", 0, 100, "a list"),
        hit("part", 10, 20, "an item"),
        hit("next", 200, 300, "what follows"),
    ]

    assert kept(*hits, per_document=2) == ["whole", "next"]
