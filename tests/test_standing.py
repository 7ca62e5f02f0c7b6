"""What an update does to stored answers: which of them lost the text that they quote."""

from __future__ import annotations

from dataclasses import replace

import pytest
from answers import BILLS, COSTS, answered, refused
from hypothesis import given
from hypothesis import strategies as st
from shelf import PRICES, WEIGHTS, publish

from kb.journal import Journal
from kb.standing import MOST_AFFECTED, Affected, affected, place_of, standings
from kb.wiring import KnowledgeBase


@pytest.fixture
def journal(kb: KnowledgeBase) -> Journal:
    return kb.journal


def updated(kb: KnowledgeBase, old: str, new: str) -> int:
    """Publishes the prices anew with this difference; returns the version."""
    assert old in PRICES.text
    return publish(kb, [replace(PRICES, text=PRICES.text.replace(old, new))])


# -- which are affected --------------------------------------------------------------------------


def test_an_answer_whose_quote_changed_has_lost_support(kb: KnowledgeBase) -> None:
    kb.journal.record(answered("costs", [(COSTS, PRICES)]))
    kb.journal.record(answered("bills", [(BILLS, PRICES)]))

    found = affected(kb.database, 1, updated(kb, "$2.00", "$3.00"))

    assert found.answers == (Affected("costs", "changed", (PRICES.id,)),)
    assert found.total == 1


def test_an_answer_whose_document_is_gone_has_lost_support(kb: KnowledgeBase) -> None:
    kb.journal.record(answered("both", [(COSTS, PRICES), ("run them offline.", WEIGHTS)]))

    found = affected(kb.database, 1, publish(kb, [], remove=[PRICES.id]))

    assert found.answers == (Affected("both", "removed", (PRICES.id,)),)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("A proprietary vendor can", "A vendor may"),  # somewhere else
        ("# What", "A new first paragraph.\n\n# What"),  # it moved
        ("million input tokens", "million\ninput   tokens"),  # its lines break elsewhere
    ],
)
def test_an_update_that_leaves_the_quote_affects_nothing(
    kb: KnowledgeBase, old: str, new: str
) -> None:
    kb.journal.record(answered("costs", [(COSTS, PRICES)]))

    assert affected(kb.database, 1, updated(kb, old, new)).total == 0


def test_what_was_lost_before_is_not_reported_again(kb: KnowledgeBase) -> None:
    kb.journal.record(answered("costs", [(COSTS, PRICES)]))
    second = updated(kb, "$2.00", "$3.00")
    third = updated(kb, "$2.00", "$4.00")

    assert affected(kb.database, 1, second).total == 1
    assert affected(kb.database, second, third).total == 0


def test_a_refusal_had_no_support_to_lose(kb: KnowledgeBase) -> None:
    kb.journal.record(refused("no", COSTS, PRICES))

    assert affected(kb.database, 1, updated(kb, "$2.00", "$3.00")).total == 0


def test_a_report_names_the_newest_and_counts_all(kb: KnowledgeBase) -> None:
    clock = iter(range(1_800_000_000, 1_900_000_000))
    journal = Journal(kb.database, 30_000, lambda: float(next(clock)))
    for n in range(MOST_AFFECTED + 5):
        journal.record(answered(f"a{n}", [(COSTS, PRICES)]))

    found = affected(kb.database, 1, updated(kb, "$2.00", "$3.00"))

    assert found.total == MOST_AFFECTED + 5
    newest = [f"a{n}" for n in range(MOST_AFFECTED + 4, 4, -1)]
    assert [one.id for one in found.answers] == newest


# -- one answer's sources ------------------------------------------------------------------------


def test_a_reader_is_told_where_a_quote_stands_by_now(kb: KnowledgeBase) -> None:
    answer = answered("a1", [(COSTS, PRICES), (BILLS, PRICES), ("run them offline.", WEIGHTS)])
    version = updated(kb, "vendors bill every token. The", "vendors bill by the hour. Now the")
    text = PRICES.text.replace("vendors bill every token. The", "vendors bill by the hour. Now the")
    removed = publish(kb, [], remove=[WEIGHTS.id])

    changed, gone, kept = standings(kb.database, answer, version)
    removed_now = standings(kb.database, answer, removed)[2]

    assert (kept.state, kept.revision) == ("current", WEIGHTS.revision)
    assert (gone.state, gone.start) == ("changed", None)
    assert changed.state == "changed"  # "The" became "the"
    assert changed.revision == replace(PRICES, text=text).revision
    assert (removed_now.state, removed_now.revision) == ("removed", None)


def test_a_quote_that_moved_is_found_at_its_new_place(kb: KnowledgeBase) -> None:
    answer = answered("a1", [(COSTS, PRICES)])
    version = updated(kb, "# What", "First of all.\n\n# What")

    (found,) = standings(kb.database, answer, version)

    text = kb.catalog.document(PRICES.id, found.revision or "").text
    assert found.state == "moved"
    assert text[found.start : found.end] == COSTS


# -- the same words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quote", "cited", "text", "stands"),
    [
        ("It costs $2", "It costs $2", "It costs $2.50", False),
        ("It costs $2", "It costs $2", "It costs $20", False),
        ("It costs $2", "It costs $2", "It costs $2. More", True),
        ("costs $2.", "It costs $2.", "It costs $2.50", False),
        ("5 GB", "needs 5 GB", "needs 1.5 GB", False),
        ("5 GB", "needs 5 GB", "needs 25 GB", False),
        ("R1", "R1MIT", "R1MIT and more", True),  # cells run together: cited like that
        ("R1", "R1 is", "R12 is", False),
        ("a  b", "a  b", "a\nb", True),
        ("(a.b)", "(a.b)", "(axb)", False),
        (" ", " ", "anything", False),
    ],
)
def test_a_quote_stands_only_as_whole_words_and_figures(
    quote: str, cited: str, text: str, stands: bool
) -> None:
    place = place_of(quote, cited, cited.index(quote), text)

    assert (place is not None) == stands


@given(st.text("ab1. \n", min_size=1, max_size=12), st.text("ab1. \n", max_size=30), st.data())
def test_a_place_holds_the_words_of_the_quote(quote: str, text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))

    place = place_of(quote, quote, 0, text[:start] + quote + text[start:])

    if place is not None:
        found = (text[:start] + quote + text[start:])[slice(*place)]
        assert found.split() == quote.split()


@given(st.text("ab1.\n $", min_size=1, max_size=30), st.data())
def test_a_quote_stands_in_the_text_that_it_is_from(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    quote = text[start : data.draw(st.integers(start + 1, len(text)))].strip()
    if quote:
        at = text.index(quote, start)
        assert place_of(quote, text, at, text) == (at, at + len(quote))
