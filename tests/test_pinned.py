"""A question that has begun ends on the corpus version that it began with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from conftest import MakeKb
from postgres import PostgresServer
from shelf import PRICES, WEIGHTS, publish
from stores import document, opened

from kb.errors import VersionNotFound
from kb.events import Answered, Ask, Event, EvidenceFound
from kb.types import Answer
from kb.wiring import KnowledgeBase

QUESTION = Ask("What does the Gemini API cost for a million input tokens?")


def answered(
    kb: KnowledgeBase, meanwhile: Callable[[], None], when: type[Event] = EvidenceFound
) -> Answer:
    """meanwhile: what happens once, while the question waits for the model."""
    happened = False
    for event in kb.events(QUESTION):
        if isinstance(event, when) and not happened:
            happened = True
            meanwhile()
        if isinstance(event, Answered):
            return event.answer
    raise AssertionError("no answer")


def versions(kb: KnowledgeBase, count: int) -> None:
    for n in range(count):
        publish(kb, [replace(WEIGHTS, text=f"{WEIGHTS.text}\nNote {n}.\n")])
        with kb.turn.taken():
            kb.upkeep.sweep()


def test_versions_that_come_meanwhile_change_nothing(make_kb: MakeKb) -> None:
    kb = make_kb(keep_versions=1)
    alone = answered(kb, lambda: None)

    kb = make_kb(keep_versions=1)
    one = answered(kb, lambda: versions(kb, 5))

    assert (one.outcome, one.text, one.withheld) == (alone.outcome, alone.text, 0)
    assert one.corpus_version == 1


def test_a_document_that_is_replaced_meanwhile_is_quoted_as_it_was(make_kb: MakeKb) -> None:
    kb = make_kb(keep_versions=1)

    def meanwhile() -> None:
        publish(kb, [replace(PRICES, text="# Prices\n\nNothing is known of prices.\n")])
        versions(kb, 4)

    one = answered(kb, meanwhile)

    assert one.outcome == "answered"
    assert "$2.00" in one.text


def test_a_version_that_nobody_reads_any_more_goes_with_the_next_sweep(make_kb: MakeKb) -> None:
    kb = make_kb(keep_versions=1)
    answered(kb, lambda: versions(kb, 5))

    with kb.turn.taken():
        kb.upkeep.sweep()

    with pytest.raises(VersionNotFound):
        kb.catalog.require_version(1)


def test_a_question_that_its_asker_leaves_holds_nothing(make_kb: MakeKb) -> None:
    kb = make_kb(keep_versions=1)
    leaving = kb.events(QUESTION)
    next(leaving)
    leaving.close()

    versions(kb, 4)

    with pytest.raises(VersionNotFound):
        kb.catalog.require_version(1)


def test_a_question_whose_document_is_deleted_meanwhile_is_asked_once_more(make_kb: MakeKb) -> None:
    kb = make_kb()

    one = answered(kb, lambda: kb.upkeep.delete(PRICES.id) and None)

    assert "$2.00" not in one.text
    assert PRICES.id not in {each.source.document_id for each in (*one.citations, *one.nearest)}


def test_another_replica_s_sweep_leaves_what_is_read_here(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, opened(url) as here, opened(url) as there:
        begun = here.publish(document("moon", "The moon is made of rock."))
        with here.catalog.pinned(begun):
            for n in range(4):
                there.publish(document("moon", f"The moon is made of cheese {n}."))
            there.upkeep(keep=1).sweep()
            assert here.catalog.live_revisions(begun)
            here.catalog.require_version(begun)

        there.upkeep(keep=1).sweep()
        with pytest.raises(VersionNotFound):
            here.catalog.require_version(begun)
