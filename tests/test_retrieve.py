"""Question to ranked passages: of one version, whatever order things were written in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import Index, document, opened

from kb.retrieve import DEPTH, EXACT_LIMIT, Found, content_words
from kb.types import Document, Filters

WORDS = ("model", "weights", "price", "licence", "token", "open", "closed", "gpu", "2026", "R1")
LINE = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
PUBLISHERS = st.sampled_from([None, "Star", "Moon"])
DATES = st.sampled_from([None, "2024", "2025-03", "2025-11-30", "2026-01"])
ONE = st.builds(
    lambda id, lines, publisher, date: document(id, *lines, publisher=publisher, as_of=date),
    st.sampled_from("abcdefgh"),
    st.lists(LINE, min_size=1, max_size=4),
    PUBLISHERS,
    DATES,
)
DOCUMENTS = st.lists(ONE, min_size=1, max_size=8, unique_by=lambda one: one.id)
FEW = st.lists(ONE, min_size=1, max_size=4, unique_by=lambda one: one.id)
QUESTION = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
FILTERS = st.builds(
    Filters,
    document_ids=st.lists(st.sampled_from("abcdefgh"), max_size=3).map(tuple),
    publishers=st.lists(st.sampled_from(["Star", "Moon"]), max_size=2).map(tuple),
    as_of_from=st.sampled_from([None, "2025", "2025-06"]),
    as_of_to=st.sampled_from([None, "2025", "2025-03", "2026-12"]),
)
ALL = 1000


@pytest.fixture
def index() -> Iterator[Index]:
    with opened() as index:
        yield index


STAGES = ("dense", "lexical", "late")


def assert_same(found: Found, expected: Found) -> None:
    """The same hits in the same order, with the same scores. "fused" is left out: it counts ranks,
    and which of two equal cosines is the greater is decided by the last bit of a product."""
    assert [hit.stored.id for hit in found.hits] == [hit.stored.id for hit in expected.hits]
    assert measured(found) == pytest.approx(measured(expected), abs=1e-5)


def measured(found: Found) -> dict[tuple[str, str], float]:
    """(passage id, stage) to score; "" is the score that ranks."""
    scores = {(hit.stored.id, ""): hit.score for hit in found.hits}
    for hit in found.hits:
        scores |= {(hit.stored.id, n): hit.scores[n] for n in STAGES if n in hit.scores}
    return scores


def passes(one: Document, filters: Filters) -> bool:
    """By the definition: `as_of_to` takes in all that begins with it."""
    date = one.as_of
    if filters.document_ids and one.id not in filters.document_ids:
        return False
    if filters.publishers and one.publisher not in filters.publishers:
        return False
    if filters.as_of_from and (date is None or date < filters.as_of_from):
        return False
    end = filters.as_of_to
    return not end or (date is not None and (date <= end or date.startswith(end)))


# -- order ---------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS, QUESTION, st.randoms(use_true_random=False))
def test_order_of_ingestion_does_not_show(documents, question: str, chance) -> None:
    rankings = []
    for _ in range(2):
        with opened() as index:
            version = index.publish(*documents)
            rankings.append(index.retriever.search(question, version, count=ALL))
        chance.shuffle(documents)

    assert_same(*rankings)


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, QUESTION)
def test_version_that_came_in_steps_ranks_as_one_that_came_at_once(
    documents: list[Document], question: str
) -> None:
    with opened() as index:
        version = index.publish(*documents)
        expected = index.retriever.search(question, version, count=ALL)
    with opened() as index:
        index.publish(*(document(one.id, "model price of before") for one in documents))
        for one in documents:
            version = index.publish(one)

        assert_same(index.retriever.search(question, version, count=ALL), expected)


def test_equal_passages_are_ranked_by_id(index: Index) -> None:
    version = index.publish(*(document(f"twin{n}", "open weights of a model") for n in range(9)))

    hits = index.retriever.search("open weights", version, count=ALL).hits

    assert len({hit.score for hit in hits}) == 1
    assert [hit.stored.id for hit in hits] == sorted(hit.stored.id for hit in hits)
    assert len(hits) == 9


def test_best_come_first_and_no_more_than_asked_for(index: Index) -> None:
    version = index.publish(
        document("a", "The price of closed models is per token.", "Weather in the north."),
        document("b", "Open weights can be run at home.", "The price of bread."),
    )

    hits = index.retriever.search("what is the price per token", version, count=3).hits

    assert hits[0].stored.text == "The price of closed models is per token."
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len(hits) == 3


# -- filters -------------------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(DOCUMENTS, QUESTION, FILTERS)
def test_filtered_search_finds_what_the_unfiltered_one_finds_there(
    documents: list[Document], question: str, filters: Filters
) -> None:
    inside = {one.id for one in documents if passes(one, filters)}
    with opened() as index:
        version = index.publish(*documents)
        every = index.retriever.search(question, version, count=ALL)

        found = index.retriever.search(question, version, filters, count=ALL)

    measured = {hit.stored.id: hit.scores for hit in every.hits}
    assert {hit.stored.id for hit in found.hits} == {
        hit.stored.id for hit in every.hits if hit.stored.source.document_id in inside
    }
    for hit in found.hits:
        for stage in STAGES:
            expected = measured[hit.stored.id].get(stage)
            assert hit.scores.get(stage) == pytest.approx(expected, abs=1e-5)


def test_filters_that_let_nothing_through_find_nothing(index: Index) -> None:
    version = index.publish(document("a", "open model", publisher="Star"))

    assert index.retriever.search("model", version, Filters(publishers=("Moon",))).hits == ()


# -- versions ------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(FEW, min_size=2, max_size=3), QUESTION)
def test_pinned_version_ranks_the_same_whatever_is_ingested_later(
    rounds: Sequence[list[Document]], question: str
) -> None:
    with opened() as index:
        seen: dict[int, Found] = {}
        for documents in rounds:
            pairs = index.stage(*documents)
            retriever = index.retriever
            for version, before in seen.items():
                assert_same(retriever.search(question, version, count=ALL), before)
            version = index.catalog.flip(pairs, remove=["a", "b"])
            seen[version] = retriever.search(question, version, count=ALL)
        for version, before in seen.items():
            assert_same(index.retriever.search(question, version, count=ALL), before)


def test_empty_index_finds_nothing(index: Index) -> None:
    assert index.retriever.search("anything at all", 0).hits == ()


def test_removed_document_is_never_found(index: Index) -> None:
    index.publish(document("a", "the secret price"), document("b", "the open price"))
    version = index.publish(remove=["a"])

    hits = index.retriever.search("secret price", version, count=ALL).hits

    assert [hit.stored.source.document_id for hit in hits] == ["b"]


# -- what else the vector store holds -------------------------------------------------------------


def dense(found: Found) -> set[str]:
    """Texts of the hits that were near by their vectors."""
    return {hit.stored.text for hit in found.hits if "dense" in hit.scores}


def test_retired_and_staged_passages_take_no_place_of_live_ones(index: Index) -> None:
    crowd = document("crowd", *(f"open weights {n}" for n in range(200)))
    live = [f"open source weights are {n} in number" for n in range(DEPTH)]
    index.publish(crowd, document("live", *live))
    index.publish(document("crowd", "nothing of the kind"))
    version = index.catalog.current_version()
    index.stage(document("more", *(f"open weights {n}" for n in range(300, 500))))

    found = index.retriever.search("open weights", version, count=ALL)

    assert dense(found) == set(live)


def test_filters_that_let_many_through_still_fill_the_places(index: Index) -> None:
    size = EXACT_LIMIT + 100
    version = index.publish(
        document("near", *(f"open weights {n}" for n in range(size)), publisher="Star"),
        document("far", *(f"prices of {n} tokens" for n in range(size)), publisher="Moon"),
    )

    found = index.retriever.search(
        "open weights", version, Filters(publishers=("Moon",)), count=ALL
    )

    assert len(dense(found)) == DEPTH
    assert all(text.startswith("prices") for text in dense(found))


# -- words ---------------------------------------------------------------------------------------


def test_function_words_are_left_out_unless_only_they_are_there() -> None:
    assert content_words("What is the price of GPT-4o?") == ["price", "gpt", "4o"]
    assert content_words("The price, the PRICE") == ["price"]
    assert content_words("What is it about?") == ["what", "is", "it", "about"]
    assert content_words(" ?! ") == []
