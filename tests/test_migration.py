"""Another splitter or embedder: made beside the serving index, and switched to in one step."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import doomed
import pytest
from killing import assert_clean, assert_whole, one_of_each_kind, run, said, text
from postgres import PostgresServer
from remade import (
    HALVES,
    OtherEmbedder,
    claimed,
    identity,
    migrating,
    migration,
    replacing,
    starting,
    switching,
)
from stores import SPLITTER, Index, document, opened, opened_on_disk

from ingest.comparison import agreement, searching
from kb.errors import IndexMismatch, MigrationIncomplete
from kb.fakes import WordEmbedder
from kb.makes import Makes
from kb.migrating import check_alone, put_vectors
from kb.retrieve import Retriever
from kb.underway import Questions

COLOURS = ("blue", "green", "red")
DOCUMENTS = [document(colour, *text(colour, 10).split("\n")) for colour in COLOURS]
AMBER = document("amber", *text("amber", 70).split("\n"))
QUESTION = "what does the blue model cost"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    """Three documents, one passage a line."""
    with opened_on_disk(tmp_path / "home") as index:
        claimed(index)
        index.publish(*DOCUMENTS)
        yield index


def passages(index: Index, embedder: WordEmbedder | None = None) -> int:
    """Of the current version, found by a search."""
    version = index.catalog.current_version()
    retriever = Retriever(embedder or WordEmbedder(), index.store, index.lookup)
    return len(retriever.search(QUESTION, version, count=100).hits)


# -- beside --------------------------------------------------------------------------------------


def test_what_is_built_beside_is_seen_by_nobody(index: Index) -> None:
    before = said(index)

    built = migration(index).build()

    assert (built.documents, built.passages, built.embedded) == (3, 6, 6)
    assert said(index) == before
    assert_clean(index)
    assert index.catalog.identity() == identity(WordEmbedder(), SPLITTER)


def test_build_that_was_cut_off_goes_on_where_it_was(index: Index) -> None:
    class Stop(Exception):
        pass

    def stop(_what: str, _done: int, _total: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        migration(index).build(stop)

    assert migration(index).build().embedded == 0
    assert switching(index).switch()


def test_ingest_in_between_is_made_up_for(index: Index) -> None:
    migration(index).build()
    index.publish(AMBER, remove=["red"])
    index.upkeep().sweep()
    with pytest.raises(MigrationIncomplete, match="kb migrate"):
        switching(index).switch()

    assert migration(index).build().documents == 1
    assert switching(index).switch()

    version = index.catalog.current_version()
    assert set(index.catalog.live_revisions(version)) == {"amber", "blue", "green"}
    assert_clean(index)


def test_document_that_is_deleted_meanwhile_does_not_come_back(index: Index) -> None:
    migration(index).build()
    index.upkeep().delete("red")

    assert switching(index).switch()

    assert "red model" not in str(said(index))
    assert index.catalog.stored("red", []).passages == 0


def test_build_for_something_else_takes_the_place_of_one_that_was_begun(index: Index) -> None:
    migration(index).build()

    migration(index, OtherEmbedder()).build()
    index.upkeep().sweep()

    making = Makes(index.database).building()
    assert making is not None
    assert making.identity.embedder == OtherEmbedder.name
    assert {make for _, _, make in index.catalog.outdated()} == set()
    assert_clean(index)


def test_build_that_is_abandoned_is_gone_and_can_be_begun_anew(index: Index) -> None:
    before = set(index.catalog.passage_ids())
    migration(index).build()

    Makes(index.database).abandon()

    assert index.catalog.passage_ids() == before
    assert not switching(index).switch()
    assert_clean(index)
    assert migration(index).build().passages == 6
    assert switching(index).switch()


def test_other_weights_under_the_same_name_are_refused(index: Index) -> None:
    with pytest.raises(IndexMismatch, match="other weights"):
        Makes(index.database).begin(replace(identity(WordEmbedder(), SPLITTER), dimension=8))


# -- the switch ----------------------------------------------------------------------------------


def test_after_the_switch_the_old_index_is_gone(index: Index) -> None:
    before = set(index.catalog.passage_ids())
    migrating(index)

    assert index.catalog.identity() == identity(WordEmbedder(), HALVES)
    assert set(index.store.ids()) == index.catalog.passage_ids()
    assert not index.catalog.passage_ids() & before
    assert passages(index) == 6
    assert [one.number for one in index.catalog.versions()] == [2]
    assert index.catalog.revisions_of("blue") == [(DOCUMENTS[0].revision, 2, None)]
    assert_clean(index)


def test_readers_see_one_index_or_the_other_all_through_the_switch(index: Index) -> None:
    done, seen = threading.Event(), []
    lines = passages(index)
    wrong: list[BaseException] = []

    def read() -> None:
        try:
            while not done.is_set():
                with questions.one():
                    seen.append(passages(index))
        except BaseException as error:  # noqa: BLE001  # whatever it is, the test must fail by it
            wrong.append(error)

    questions = Questions()
    switch = switching(index, questions)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    migration(index).build()
    switch.switch()
    while seen[-1] == lines and not wrong:
        pass
    done.set()
    for reader in readers:
        reader.join()

    assert wrong == []
    assert set(seen) == {lines, 6}
    assert_clean(index)


def test_question_that_is_still_read_keeps_the_old_index_until_the_next_change(
    index: Index,
) -> None:
    before = said(index, version=1)
    questions = Questions()
    switch = switching(index, questions)
    migration(index).build()

    with questions.one():
        switch.switch(drain_seconds=0.05)

        assert said(index, version=1) == before
    with index.turn.taken():
        index.upkeep().sweep(keep=0)
    assert len(index.catalog.passage_ids()) == 6


def test_going_back_undoes_a_migration_that_is_kept(index: Index) -> None:
    before = said(index)
    questions = Questions()
    switch = switching(index, questions)
    migration(index).build()
    with questions.one():
        switch.switch(drain_seconds=0.05)

    index.upkeep().roll_back(1)

    assert said(index) == before
    assert_clean(index)


# -- another embedder ----------------------------------------------------------------------------


def test_server_does_not_switch_to_what_it_cannot_ask(index: Index) -> None:
    migration(index, OtherEmbedder()).build()
    before = said(index)

    with pytest.raises(IndexMismatch, match="stop the server"):
        switching(index).switch()

    assert said(index) == before


def test_start_takes_up_what_was_built_for_it(index: Index) -> None:
    replacing(index)

    assert index.catalog.identity() == identity(OtherEmbedder(), HALVES)
    assert passages(index, OtherEmbedder()) == 6
    assert len(list(index.store.ids())) == 6
    assert_clean(index)


def test_start_leaves_alone_what_is_not_whole(index: Index) -> None:
    migration(index, OtherEmbedder()).build()
    index.publish(AMBER)
    before = said(index)

    starting(index)

    assert said(index) == before


def test_index_that_others_may_be_asking_is_not_given_another_embedder(
    postgres_server: PostgresServer,
) -> None:
    one, other = (identity(each, HALVES) for each in (WordEmbedder(), OtherEmbedder()))
    with postgres_server.database() as url, opened(url) as index:
        with pytest.raises(IndexMismatch, match="KB_DATABASE_URL"):
            check_alone(index.database, one, other)
        check_alone(index.database, one, identity(WordEmbedder(), SPLITTER))

        claimed(index)
        index.publish(*DOCUMENTS)
        migrating(index)

        assert passages(index) == 6
        assert_clean(index)


# -- kills ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("change", [migrating, replacing])
def test_killed_at_any_step_the_one_or_the_other_serves_and_the_rest_is_done_later(
    change: doomed.Change, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with opened_on_disk(home) as index:
        claimed(index)
        index.publish(*DOCUMENTS)
        before = said(index)
    shutil.copytree(home, tmp_path / "finished")
    steps = doomed.steps_of(change, tmp_path / "finished")
    with opened_on_disk(tmp_path / "finished") as index:
        made_anew = set(index.catalog.passage_ids())
    assert {"put", "put done", "remove", "COMMIT"} <= set(steps)

    for step in one_of_each_kind(steps):
        killed = tmp_path / str(step)
        shutil.copytree(home, killed)
        assert run(doomed.killed, change, killed, step) == -signal.SIGKILL

        with opened_on_disk(killed) as index:
            index.upkeep(keep=doomed.KEEP).mend()
            if index.catalog.identity() == identity(WordEmbedder(), SPLITTER):
                assert said(index) == before, step
            else:
                assert passages(index, OtherEmbedder() if change is replacing else None) == 6
            assert_clean(index)
            if index.catalog.identity() == identity(WordEmbedder(), SPLITTER):
                change(index)
            index.upkeep().sweep(keep=0)
            assert index.catalog.passage_ids() == made_anew, step
            assert set(index.store.ids()) == made_anew
            assert_clean(index)
        assert_whole(killed)


# -- comparing -----------------------------------------------------------------------------------


def test_both_are_searched_before_the_switch(index: Index) -> None:
    built = migration(index).build()
    old = searching(index.database, WordEmbedder(), 1, None)
    new = searching(index.database, WordEmbedder(), 1, built.make)
    seen = index.retriever.search(QUESTION, 1, count=100).hits

    assert [hit.stored.text for hit in old(QUESTION, 100)] == [hit.stored.text for hit in seen]
    assert len(new(QUESTION, 100)) == 6
    assert 0 < agreement([QUESTION], new, old) < 1
    assert agreement([QUESTION], old, old) == 1.0


def test_new_index_is_weighed_by_its_own_words(index: Index) -> None:
    built = migration(index).build()
    before = searching(index.database, WordEmbedder(), 1, built.make)(QUESTION, 6)
    with index.turn.taken():
        put_vectors(index.database, Makes(index.database), built.make, index.store)
        version = Makes(index.database).switch(built.make)

    after = index.retriever.search(QUESTION, version, count=6).hits
    assert [(h.stored.id, round(h.score, 5)) for h in after] == [
        (h.stored.id, round(h.score, 5)) for h in before
    ]
