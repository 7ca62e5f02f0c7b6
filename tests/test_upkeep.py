"""Sweeping, deleting and mending: what stays, what goes, and what a reader sees meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from stores import (
    EMBEDDER,
    SPLITTER,
    CountingEmbedder,
    Index,
    document,
    entries,
    opened,
    opened_on_disk,
)

from kb.errors import DocumentNotFound, StoreInUse, VersionNotFound
from kb.lookup import Lookup
from kb.ownership import Turn
from kb.types import Filters

ANYTHING = Filters()
MOON = document("moon", "The moon is made of rock.", "It circles the earth.")
NEW_MOON = document("moon", "The moon is made of cheese.", "It circles the earth.")
MARS = document("mars", "Mars is a planet of rust.")
SUN = document("sun", "The sun is a ball of gas.", "It is hot.", "Plants like it.")


@pytest.fixture
def index() -> Iterator[Index]:
    with opened() as index:
        yield index


def words(index: Index, word: str, version: int) -> set[str]:
    hits = index.lookup.lexical([word], version, 100, ANYTHING)
    return {one.text for one in index.lookup.load([i for i, _ in hits], version, ANYTHING).values()}


def hits(index: Index, version: int) -> list[tuple[str, float]]:
    found = index.retriever.search("alford", version).hits
    return [(hit.stored.text, hit.score) for hit in found]


def consistent(index: Index) -> bool:
    return set(index.store.ids()) == index.catalog.needed_ids() == index.catalog.passage_ids()


# -- what answers quote --------------------------------------------------------------------------


def test_revision_that_an_answer_quotes_outlives_its_versions_as_text(index: Index) -> None:
    index.answers.quoted = [("moon", MOON.revision)]
    for one in (MOON, NEW_MOON, document("moon", "third"), document("moon", "fourth")):
        index.publish(one)

    index.upkeep(keep=1).sweep()

    assert index.catalog.document("moon", MOON.revision) == MOON
    since = [number for _, number, _ in index.catalog.revisions_of("moon")]
    assert since == [1, 3, 4]  # the second was quoted by nobody
    assert index.catalog.ids_of("moon", MOON.revision) == []
    assert consistent(index)
    assert index.upkeep(keep=1).sweep() == 0


def test_quoted_revision_goes_when_its_answers_have_gone(index: Index) -> None:
    index.answers.quoted = [("moon", MOON.revision)]
    for one in (MOON, NEW_MOON, document("moon", "third")):
        index.publish(one)
    index.upkeep(keep=0).sweep()
    index.answers.quoted = []

    index.upkeep(keep=0).sweep()

    assert [since for _, since, _ in index.catalog.revisions_of("moon")] == [3]
    assert index.catalog.unneeded() == []


def test_text_that_was_kept_alone_can_become_current_again(index: Index) -> None:
    index.answers.quoted = [("moon", MOON.revision)]
    for one in (MOON, NEW_MOON, document("moon", "third")):
        index.publish(one)
    index.upkeep(keep=0).sweep()
    assert not index.catalog.staged("moon", MOON.revision, SPLITTER)

    version = index.publish(MOON)

    assert words(index, "rock", version) == {"The moon is made of rock."}
    assert index.catalog.full_text_faults() == []
    index.upkeep(keep=0).sweep()
    assert consistent(index)


# -- going back ----------------------------------------------------------------------------------


def test_going_back_embeds_nothing_and_is_searched_like_the_old_version(
    index: Index, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("# A\n\nThe weighbridge at Alford weighs 40 tonnes.\n")
    index.pipeline(keep=3).run([tmp_path])
    (tmp_path / "a.md").write_text("# A\n\nThe weighbridge at Alford weighs 60 tonnes.\n")
    index.pipeline(keep=3).run([tmp_path])
    before = hits(index, 1)

    version = index.upkeep(keep=3).roll_back(1)

    assert version == 3
    assert hits(index, 3) == before
    assert "40 tonnes" in str(before)
    embedder = CountingEmbedder()
    (tmp_path / "a.md").write_text("# A\n\nThe weighbridge at Alford weighs 40 tonnes.\n")
    assert index.pipeline(embedder, keep=3).run([tmp_path]).plan.keep == ("a.md",)
    assert embedder.calls == []


def test_going_back_to_what_is_current_makes_no_version(index: Index) -> None:
    index.publish(MOON)

    assert index.upkeep().roll_back(1) == 1
    assert [one.number for one in index.catalog.versions()] == [1]


def test_going_back_to_a_version_that_was_swept_is_refused(index: Index) -> None:
    for one in (MOON, NEW_MOON, document("moon", "third")):
        index.publish(one)
    index.upkeep(keep=1).sweep()

    with pytest.raises(VersionNotFound, match="those that are: 2, 3"):
        index.upkeep(keep=1).roll_back(1)

    assert index.catalog.current_version() == 3


# -- deleting ------------------------------------------------------------------------------------


def test_receipt_counts_what_went_and_what_is_left(index: Index) -> None:
    index.publish(MOON, MARS)
    index.publish(NEW_MOON)
    index.answers.quoted = [("moon", MOON.revision), ("moon", NEW_MOON.revision), ("mars", "x")]

    receipt = index.upkeep().delete("moon")

    removed = receipt.removed
    assert (removed.revisions, removed.passages, removed.vectors) == (2, 4, 4)
    assert (removed.lexical_rows, removed.answers) == (4, 2)
    assert receipt.left.nothing
    assert receipt.version == 3
    assert [document for document, _ in index.answers.quoted] == ["mars"]
    with pytest.raises(DocumentNotFound):
        index.upkeep().delete("moon")


def test_versions_that_held_a_deleted_document_count_and_rank_as_if_it_had_never_been(
    index: Index,
) -> None:
    index.publish(MOON, MARS, SUN)
    index.publish(NEW_MOON)
    for version in (1, 2):  # what is remembered of them is from before
        assert words(index, "made", version)
        assert index.lookup.count(version, Filters(publishers=())) == 6
    with opened() as never:
        never.publish(MARS, SUN)

        index.upkeep().delete("moon")

        for version in (1, 2, 3):
            assert words(index, "made", version) == set()
            assert index.lookup.lexical(["planet"], version, 9, ANYTHING) == (
                never.lookup.lexical(["planet"], 1, 9, ANYTHING)
            )
            counted, fresh = index.lookup.frequencies(version), never.lookup.frequencies(1)
            assert counted.passages == fresh.passages
            assert np.array_equal(counted.containing, fresh.containing)
    assert [one.documents for one in index.catalog.versions()] == [2, 2, 2]


def test_rows_of_a_deleted_document_are_never_given_to_another(index: Index) -> None:
    """Or what a reader of an earlier version remembers would point at the other's passages."""
    index.publish(MARS)
    index.publish(SUN)
    elsewhere = Lookup(index.database)  # another server's: nobody tells it of the deletion
    assert elsewhere.lexical(["hot"], 2, 9, ANYTHING)

    index.upkeep().delete("sun")
    index.publish(document("venus", "Venus is hot too.", "It is near.", "It is bright."))

    assert elsewhere.lexical(["hot"], 2, 9, ANYTHING) == []
    assert elsewhere.load(sorted(index.catalog.passage_ids()), 2, ANYTHING).keys() == {
        identity for identity, _, _ in entries(MARS)
    }
    assert words(index, "hot", 4) == {"Venus is hot too."}


def test_deleted_text_is_in_no_file_any_more(tmp_path: Path) -> None:
    lines = [f"Secret number {n} is heliotrope{n}." for n in range(200)]
    with opened_on_disk(tmp_path) as index:
        index.publish(document("secret", *lines), MARS)

        index.upkeep().delete("secret")

        found = b"".join(path.read_bytes() for path in tmp_path.glob("catalog.sqlite3*"))
    assert b"Mars is a planet" in found
    assert b"Secret number" not in found


def test_deleting_waits_for_its_turn_and_says_what_it_waits_for(index: Index) -> None:
    turn = Turn(index.database)
    busy, done = threading.Event(), threading.Event()

    def ingest() -> None:
        with turn.taken():
            busy.set()
            done.wait(10)

    other = threading.Thread(target=ingest)
    other.start()
    busy.wait(10)
    try:
        with pytest.raises(StoreInUse, match="when its job has ended"), turn.taken(0.01):
            pass
    finally:
        done.set()
        other.join()
    with turn.taken(0.01):
        pass


# -- mending -------------------------------------------------------------------------------------


def test_start_puts_back_lost_vectors_and_removes_those_of_nothing(index: Index) -> None:
    index.publish(MOON, MARS)
    lost = entries(MOON)[0][0]
    index.store.remove([lost])
    index.store.put(["0" * 32], EMBEDDER.embed_query("orphan").pooled[np.newaxis])

    found = index.upkeep().mend()

    assert (found.missing, found.orphaned) == ((lost,), ("0" * 32,))
    assert consistent(index)
    assert index.upkeep().mend().healthy


def test_start_keeps_what_an_ingest_that_was_cut_off_had_staged(index: Index) -> None:
    index.publish(MOON)
    index.stage(MARS)

    index.upkeep().mend()

    assert index.catalog.staged("mars", MARS.revision, SPLITTER)
    assert set(index.store.ids()) == index.catalog.passage_ids()


def test_start_forgets_answers_whose_document_was_deleted(index: Index) -> None:
    index.publish(MOON)
    index.answers.quoted = [("moon", MOON.revision), ("gone", "sha256:x")]

    index.upkeep().mend()

    assert index.answers.quoted == [("moon", MOON.revision)]
