"""What an ingest will do: every document in exactly one list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.plan import Plan, plan

REVISIONS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["r1", "r2", "r3"]))


def test_documents_are_added_replaced_kept_and_left_alone() -> None:
    wanted = {"new": "r1", "changed": "r2", "same": "r1"}
    live = {"changed": "r1", "same": "r1", "elsewhere": "r1"}

    assert plan(wanted, live) == Plan(("new",), ("changed",), ("same",), ())
    assert plan(wanted, live, prune=True) == Plan(("new",), ("changed",), ("same",), ("elsewhere",))


def test_plan_that_changes_nothing_is_empty() -> None:
    same = {"a": "r1", "b": "r2"}

    assert plan(same, same, prune=True).empty
    assert plan({}, same).empty
    assert not plan({}, same, prune=True).empty


@given(REVISIONS, REVISIONS, st.booleans())
def test_each_document_is_in_exactly_one_list(
    wanted: dict[str, str], live: dict[str, str], prune: bool
) -> None:
    found = plan(wanted, live, prune)

    lists = [found.add, found.replace, found.keep, found.remove]
    every = [document for one in lists for document in one]
    assert sorted(every) == sorted({*wanted, *live} if prune else wanted)
    assert all(list(one) == sorted(one) for one in (*lists, found.changed))
    assert set(found.changed) == {*found.add, *found.replace}


@given(REVISIONS, REVISIONS, st.booleans())
def test_carrying_a_plan_out_leaves_nothing_to_plan(
    wanted: dict[str, str], live: dict[str, str], prune: bool
) -> None:
    found = plan(wanted, live, prune)
    after = {i: r for i, r in live.items() if i not in found.remove}
    after |= {i: wanted[i] for i in found.changed}

    assert plan(wanted, after, prune).empty
    assert {i: after[i] for i in wanted} == wanted
    assert prune == (after == wanted) or set(live) <= set(wanted)
