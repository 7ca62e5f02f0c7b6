"""Searching one version: by words, by id, by filter; whatever the words are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from stores import Index, OpenIndex, document, entries

from kb.retrieve import content_words
from kb.terms import terms_of
from kb.types import Filters

ANYTHING = Filters()


@pytest.fixture(scope="module")
def index(fresh: OpenIndex) -> Iterator[Index]:
    with fresh() as index:
        index.publish(
            document("open", "Open models publish their weights.", "Größe, naïve, 模型.", "— … —"),
            document(
                "prices",
                "GPT-4o mini costs $0.15; a model may cost less.",
                "He said \"quote\" and 'NEAR' AND OR NOT.",
                publisher="Star Press",
                as_of="2026-05-01",
            ),
            document("other", "Weighing a weight.", publisher="Moon Press", as_of="2026"),
        )
        yield index


def texts(index: Index, *words: str, filters: Filters = ANYTHING, count: int = 20) -> list[str]:
    hits = index.lookup.lexical(words, 1, count, filters)
    stored = index.lookup.load([i for i, _ in hits], 1, ANYTHING)
    return [stored[i].text for i, _ in hits]


# -- words ---------------------------------------------------------------------------------------


def test_words_are_found_in_other_forms_and_cases(index: Index) -> None:
    assert texts(index, "WEIGHTS") == ["Weighing a weight.", "Open models publish their weights."]
    assert texts(index, "modeling") == texts(index, "models")
    assert len(texts(index, "model")) == 2


@pytest.mark.parametrize("word", ["Größe", "GROSSE", "naive", "NAÏVE", "模型"])
def test_accents_and_scripts_are_found(index: Index, word: str) -> None:
    expected = [] if word == "GROSSE" else ["Größe, naïve, 模型."]  # ß is not ss to SQLite

    assert texts(index, word) == expected


def test_more_and_rarer_words_rank_higher(index: Index) -> None:
    assert texts(index, "publish", "weights", "model")[0] == "Open models publish their weights."


def test_word_said_twice_counts_once(index: Index) -> None:
    once = index.lookup.lexical(["model", "weights"], 1, 9, ANYTHING)

    assert index.lookup.lexical(["model", "models", "MODEL", "weights"], 1, 9, ANYTHING) == once


NO_WORDS = [
    "",
    " ",
    '"',
    '""',
    "'",
    "*",
    "^",
    "-",
    "_",
    "(",
    ":",
    "{}",
    "\\",
    "\0",
    ";--",
    "—",
    "🙂",
]


@pytest.mark.parametrize("word", [*NO_WORDS, "\ud800", "x" * 100_000, "z\0y"])
def test_what_is_in_no_passage_finds_nothing(index: Index, word: str) -> None:
    assert texts(index, word) == []


@pytest.mark.parametrize("word", ['"quote"', "quote*", "^quote", "(quote)", "body:quote", "quote;"])
def test_signs_around_a_word_mean_nothing(index: Index, word: str) -> None:
    found = texts(index, word)

    assert found == ["He said \"quote\" and 'NEAR' AND OR NOT."]


@pytest.mark.parametrize("word", ["AND", "OR", "NOT", "NEAR", "NEAR("])
def test_operators_of_the_query_language_are_words(index: Index, word: str) -> None:
    assert texts(index, word) == ["He said \"quote\" and 'NEAR' AND OR NOT."]


def test_dash_inside_a_word_is_two_words(index: Index) -> None:
    assert texts(index, "GPT-4o") == ["GPT-4o mini costs $0.15; a model may cost less."]
    assert texts(index, "GPT-5") == texts(index, "GPT")


def test_no_words_find_nothing(index: Index) -> None:
    assert index.lookup.lexical([], 1, 10, ANYTHING) == []


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_categories=()), max_size=12), max_size=6),
    st.integers(1, 5),
)
@example(["weight", "\ud800", '" OR "1"="1'], 3)
def test_any_words_at_all_give_a_ranking_of_that_version(
    index: Index, words: list[str], count: int
) -> None:
    found = index.lookup.lexical(words, 1, count, ANYTHING)

    assert len(found) <= count
    assert [s for _, s in found] == sorted((s for _, s in found), reverse=True)
    assert all(score > 0 for _, score in found)
    assert index.lookup.among([i for i, _ in found], 1, ANYTHING) == [i for i, _ in found]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_question_can_be_searched(index: Index, question: str) -> None:
    index.lookup.lexical(content_words(question), 1, 60, ANYTHING)


def test_question_of_a_thousand_words_can_be_searched(index: Index) -> None:
    words = [f"word{n}" for n in range(1000)]

    assert texts(index, *words, "publish") == ["Open models publish their weights."]


def test_terms_are_spelled_as_the_full_text_index_spells_them() -> None:
    assert terms_of(["Weighing", "weighs", "GPT-4o_mini"]) == ["4o", "gpt", "mini", "weigh"]
    assert terms_of(["…", ""]) == terms_of([]) == []


# -- ties and counts -----------------------------------------------------------------------------


def test_equal_scores_come_by_id_whatever_came_first(fresh: OpenIndex) -> None:
    twins = [document(f"twin{n}", "same words here", "something else") for n in range(30)]
    rankings = []
    for order in (twins, twins[::-1]):
        with fresh() as index:
            version = index.publish(*order)
            rankings.append(index.lookup.lexical(["words"], version, 7, ANYTHING))

    expected = sorted(entries(twin)[0][0] for twin in twins)[:7]
    assert [i for i, _ in rankings[0]] == expected
    assert rankings[0] == rankings[1]


def test_ranking_is_that_of_a_catalog_which_holds_only_this_version(fresh: OpenIndex) -> None:
    kept = [document(f"d{n}", "open model " * (n % 3 + 1), f"price {n}") for n in range(9)]
    words = ["open", "price", "model"]
    with fresh() as alone:
        version = alone.publish(*kept)
        expected = alone.lookup.lexical(words, version, 50, ANYTHING)
    with fresh() as index:
        index.publish(document("gone", *["open open open"] * 20), *kept[:4])
        version = index.publish(*kept[4:], remove=["gone"])
        before = index.lookup.lexical(words, version, 50, ANYTHING)
        index.stage(document("staged", *["price model"] * 50))

        assert index.lookup.lexical(words, version, 50, ANYTHING) == before == expected


# -- filters -------------------------------------------------------------------------------------

FILTERS = {
    "document": (Filters(document_ids=("open", "other")), {"open", "other"}),
    "publisher": (Filters(publishers=("Star Press", "Moon Press")), {"prices", "other"}),
    "from": (Filters(as_of_from="2026-02"), {"prices"}),
    "to a year": (Filters(as_of_to="2026"), {"prices", "other"}),
    "to a month": (Filters(as_of_to="2026-04"), {"other"}),
    "both": (Filters(as_of_from="2026-01", as_of_to="2026-05-01"), {"prices"}),
    "two kinds": (Filters(document_ids=("open", "prices"), publishers=("Star Press",)), {"prices"}),
    "nothing": (Filters(publishers=("star press",)), set()),
    "no wildcards": (Filters(as_of_to="%"), set()),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_let_through_exactly_those_documents(index: Index, name: str) -> None:
    filters, expected = FILTERS[name]
    every = sorted(index.catalog.passage_ids())
    words = ["weight", "model", "cost", "naive"]
    of = {i: one.source.document_id for i, one in index.lookup.load(every, 1, ANYTHING).items()}

    loaded = index.lookup.load(every, 1, filters)

    inside = [i for i in every if of[i] in expected]
    assert sorted(loaded) == inside
    assert index.lookup.among(every, 1, filters) == inside
    assert [i for i, _ in index.lookup.matching(1, filters, 100)] == inside
    assert index.lookup.count(1, filters) == len(inside)
    assert index.lookup.lexical(words, 1, 50, filters) == [
        (i, score) for i, score in index.lookup.lexical(words, 1, 50, ANYTHING) if i in inside
    ]


def test_matching_gives_no_more_than_was_asked_for(index: Index) -> None:
    assert len(index.lookup.matching(1, ANYTHING, 2)) == 2


def test_ids_that_do_not_exist_are_left_out(index: Index) -> None:
    assert index.lookup.load(["never there"], 1, ANYTHING) == {}
    assert index.lookup.among(["never there"], 1, ANYTHING) == []
    assert index.lookup.load([], 1, ANYTHING) == {}


def test_more_ids_than_one_query_can_name_are_loaded(fresh: OpenIndex) -> None:
    with fresh() as index:
        version = index.publish(document("long", *(f"line {n}" for n in range(1100))))
        every = sorted(index.catalog.passage_ids())

        assert sorted(index.lookup.load(every, version, ANYTHING)) == every
        assert index.lookup.among(every, version, ANYTHING) == every
        assert len(index.lookup.matching(version, ANYTHING, 2000)) == 1100


def test_version_that_does_not_exist_holds_nothing(index: Index) -> None:
    every = sorted(index.catalog.passage_ids())

    assert index.lookup.lexical(["weight"], 0, 10, ANYTHING) == []
    assert index.lookup.load(every, 0, ANYTHING) == {}
    assert index.lookup.among(every, 0, ANYTHING) == []
