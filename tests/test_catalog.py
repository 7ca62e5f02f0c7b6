"""The catalog: what is staged is unseen, and what a version holds never changes."""

from __future__ import annotations

import math
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import Connection
from stores import EMBEDDER, SPLITTER, Index, document, entries, opened

from kb.catalog import Catalog
from kb.database import Database
from kb.errors import (
    DocumentNotFound,
    IndexMismatch,
    RevisionNotFound,
    StoreUnavailable,
    VersionNotFound,
    WeighbridgeError,
)
from kb.lexical import K1, B
from kb.types import Document, Filters, IndexIdentity, Source

ANYTHING = Filters()
MOON = document("moon", "The moon is made of rock.", "It circles the earth.", as_of="2026-05")
MARS = document("mars", "Mars is a planet of rust.", publisher="Star Press")
NEW_MOON = document("moon", "The moon is made of rock.", "It circles the earth slowly.")


@pytest.fixture
def index() -> Iterator[Index]:
    with opened() as index:
        yield index


def found_by(index: Index, word: str, version: int) -> set[str]:
    hits = index.lookup.lexical([word], version, 100, ANYTHING)
    return {index.lookup.load([i], version, ANYTHING)[i].text for i, _ in hits}


# -- versions ------------------------------------------------------------------------------------


def test_empty_catalog_is_version_0_and_holds_nothing(index: Index) -> None:
    assert index.catalog.current_version() == 0
    index.catalog.require_version(0)
    assert index.catalog.documents(0) == []
    assert index.lookup.lexical(["moon"], 0, 10, ANYTHING) == []
    assert index.lookup.frequencies(0).passages == 0
    assert index.lookup.matching(0, ANYTHING, 10) == []


def test_staged_revision_is_unseen_until_it_is_flipped(index: Index) -> None:
    first = index.publish(MARS)

    pairs = index.stage(MOON)

    assert index.catalog.current_version() == first
    assert [one.source.document_id for one in index.catalog.documents(first)] == ["mars"]
    assert found_by(index, "moon", first) == set()
    assert index.lookup.load([i for i, _, _ in entries(MOON)], first, ANYTHING) == {}
    with pytest.raises(DocumentNotFound):
        index.catalog.revisions_of("moon")

    second = index.catalog.flip(pairs)

    assert found_by(index, "moon", second) == {"The moon is made of rock."}
    assert found_by(index, "moon", first) == set()


def test_version_replaces_adds_and_removes_at_once(index: Index) -> None:
    old = index.publish(MOON, MARS)

    new = index.publish(NEW_MOON, document("sun", "The sun is hot."), remove=["mars"])

    assert index.catalog.live_revisions(old) == {"moon": MOON.revision, "mars": MARS.revision}
    assert set(index.catalog.live_revisions(new)) == {"moon", "sun"}
    assert found_by(index, "slowly", old) == set()
    assert found_by(index, "slowly", new) == {"It circles the earth slowly."}
    assert found_by(index, "rust", new) == set()


def test_flip_of_what_was_never_staged_changes_nothing(index: Index) -> None:
    version = index.publish(MOON)
    pairs = index.stage(MARS)

    with pytest.raises(RevisionNotFound, match="not staged"):
        index.catalog.flip([*pairs, ("moon", "sha256:of-a-file-that-changed")], remove=["moon"])

    assert index.catalog.current_version() == version
    assert index.catalog.live_revisions(version) == {"moon": MOON.revision}


def test_flip_that_breaks_off_changes_nothing() -> None:
    def no_clock() -> float:
        raise StoreUnavailable("the clock stopped")

    with opened() as index:
        version = index.publish(MOON)
        pairs = index.stage(MARS)
        broken = Catalog(index.database, now=no_clock)

        with pytest.raises(StoreUnavailable):
            broken.flip(pairs, remove=["moon"])

        assert index.catalog.current_version() == version
        assert index.catalog.live_revisions(version) == {"moon": MOON.revision}
        assert index.catalog.live_revisions(version + 1) == {"moon": MOON.revision}


def test_document_that_comes_back_is_of_both_times(index: Index) -> None:
    first = index.publish(MOON)
    second = index.publish(NEW_MOON)
    third = index.publish(MOON)

    assert [index.catalog.live_revisions(v)["moon"] for v in (first, second, third)] == [
        MOON.revision,
        NEW_MOON.revision,
        MOON.revision,
    ]
    assert index.catalog.revisions_of("moon") == [
        (MOON.revision, 1, 2),
        (NEW_MOON.revision, 2, 3),
        (MOON.revision, 3, None),
    ]


def test_version_that_is_not_kept_is_refused(index: Index) -> None:
    for lines in ("a", "b", "c", "d"):
        index.publish(document("moon", lines))

    index.catalog.retire(keep=1)

    index.catalog.require_version(4)
    index.catalog.require_version(3)
    for gone in (1, 2, 5):
        with pytest.raises(VersionNotFound, match="omit corpus_version"):
            index.catalog.require_version(gone)


# -- what is stored ------------------------------------------------------------------------------


def test_documents_are_listed_with_their_sizes(index: Index) -> None:
    version = index.publish(MOON, MARS, document("empty", ""))

    listed = {one.source.document_id: one for one in index.catalog.documents(version)}

    assert list(listed) == ["empty", "mars", "moon"]
    assert listed["moon"].source == Source(
        "moon", MOON.revision, "Moon", None, "moon.md", "2026-05"
    )
    assert (listed["moon"].passages, listed["moon"].characters) == (2, len(MOON.text))
    assert (listed["empty"].passages, listed["empty"].characters) == (0, 0)


def test_stored_text_comes_back_exactly(index: Index) -> None:
    odd = document("odd", "Größe 🙂🙂 naïve", "\tmodèle — 模型 𝔘𝔫𝔦\u200d", "  e\u0301té ")
    index.publish(odd)

    assert index.catalog.document("odd", odd.revision) == odd
    with pytest.raises(RevisionNotFound):
        index.catalog.document("odd", "sha256:unknown")
    with pytest.raises(DocumentNotFound):
        index.catalog.revisions_of("even")


def test_spans_are_code_points_of_the_text(index: Index) -> None:
    text = "a🙂b 𝔘 naïve e\u0301té 模型\nzweite Zeile 🏳️‍🌈 ≤ 5 €"
    odd = document("odd", text)
    found = [
        (identity, replace(passage, kind="row", body=f"header: {passage.body}"), encoding)
        for identity, passage, encoding in entries(odd)
    ]
    index.catalog.stage(odd, SPLITTER, found)
    version = index.catalog.flip([("odd", odd.revision)])

    stored = index.lookup.load([i for i, _, _ in found], version, ANYTHING)

    for identity, passage, encoding in found:
        one = stored[identity]
        assert one.text == text[passage.start : passage.end]
        assert one.passage == passage
        assert np.array_equal(one.tokens.vectors, encoding.tokens.vectors)
        assert np.array_equal(one.tokens.starts, encoding.tokens.starts)
        assert np.array_equal(one.tokens.ids, encoding.tokens.ids)
    assert stored[found[0][0]].source.title == "Odd"


def test_staging_the_same_again_changes_nothing(index: Index) -> None:
    version = index.publish(MOON)

    index.stage(MOON)

    assert index.catalog.staged("moon", MOON.revision, SPLITTER)
    assert len(index.catalog.passage_ids()) == 2
    assert found_by(index, "moon", version) == {"The moon is made of rock."}


def test_encodings_are_given_back_by_body(index: Index) -> None:
    index.stage(MOON)

    known = index.lookup.encodings("moon", MOON.revision)

    assert list(known) == MOON.text.split("\n")
    for body, encoding in known.items():
        assert encoding.pooled == pytest.approx(EMBEDDER.embed_query(body).pooled)
    assert index.lookup.encodings("moon", "sha256:unknown") == {}


# -- what no version needs -----------------------------------------------------------------------


def test_kept_versions_stay_whole_and_the_rest_is_unneeded(index: Index) -> None:
    texts = [document("moon", f"moon number {n}") for n in range(4)]
    for one in texts:
        index.publish(one)
    index.stage(document("mars", "staged and never flipped"))

    index.catalog.retire(keep=1)

    gone = {(one.id, one.revision) for one in texts[:2]}
    staged = {("mars", document("mars", "staged and never flipped").revision)}
    assert set(index.catalog.unneeded()) == gone | staged
    assert found_by(index, "moon", 3) == {"moon number 2"}
    assert found_by(index, "moon", 4) == {"moon number 3"}
    assert [since for _, since, _ in index.catalog.revisions_of("moon")] == [3, 4]


def test_unchanged_document_is_needed_however_old_it_is(index: Index) -> None:
    index.publish(MARS)
    for n in range(5):
        index.publish(document("moon", f"moon number {n}"))

    index.catalog.retire(keep=0)

    assert "mars" not in {document for document, _ in index.catalog.unneeded()}
    assert index.catalog.revisions_of("mars") == [(MARS.revision, 1, None)]


def test_forgotten_revision_leaves_nothing_behind(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    with opened(f"sqlite:///{path}") as index:
        index.publish(MARS)
        index.publish(MOON, remove=["mars"])
        index.catalog.retire(keep=0)

        index.catalog.forget("mars", MARS.revision)

        assert index.catalog.unneeded() == []
        assert index.catalog.ids_of("mars", MARS.revision) == []
        assert len(index.catalog.passage_ids()) == 2
    with sqlite3.connect(path) as raw:
        for table in ("passages", "revisions", "memberships"):
            query = f"SELECT count(*) FROM {table} WHERE document_id = 'mars'"
            assert raw.execute(query).fetchone() == (0,)
        terms = {term for (term,) in raw.execute("SELECT DISTINCT term FROM passages_terms")}
        assert "moon" in terms
        assert "rust" not in terms
        raw.execute("INSERT INTO passages_text(passages_text) VALUES ('integrity-check')")
    raw.close()


# -- identity ------------------------------------------------------------------------------------

MADE_WITH = IndexIdentity("words", "a" * 64, 256, "lines")


def test_identity_is_written_once_and_then_asked_for(index: Index) -> None:
    assert index.catalog.identity() is None

    index.catalog.claim(MADE_WITH)
    index.catalog.claim(MADE_WITH)

    assert index.catalog.identity() == MADE_WITH


@pytest.mark.parametrize(
    "other",
    [
        replace(MADE_WITH, embedder="sentences"),
        replace(MADE_WITH, weights_sha256="b" * 64),
        replace(MADE_WITH, dimension=384),
        replace(MADE_WITH, splitter="pages"),
    ],
    ids=["embedder", "weights", "dimension", "splitter"],
)
def test_index_made_with_something_else_is_refused_with_what_to_run(
    index: Index, other: IndexIdentity
) -> None:
    index.catalog.claim(MADE_WITH)

    with pytest.raises(IndexMismatch, match="kb migrate") as caught:
        index.catalog.claim(other)

    assert other.splitter in str(caught.value)
    assert index.catalog.identity() == MADE_WITH


class Meeting(Database):
    """Whoever has read waits until the others have, too: none has written by then."""

    def __init__(self, url: str, others: threading.Barrier) -> None:
        super().__init__(url)
        self._others = others

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with super().reading() as connection:
            yield connection
        self._others.wait(10)


def claimed_at_once(url: str, identities: Sequence[IndexIdentity]) -> list[WeighbridgeError]:
    """What servers were told that each found the catalog empty and claimed it."""
    together = threading.Barrier(len(identities))
    failures: list[WeighbridgeError] = []

    def start(wanted: IndexIdentity) -> None:
        database = Meeting(url, together)
        try:
            Catalog(database).claim(wanted)
        except WeighbridgeError as error:
            failures.append(error)
        finally:
            database.close()

    starting = [threading.Thread(target=start, args=(one,)) for one in identities]
    for one in starting:
        one.start()
    for one in starting:
        one.join()
    return failures


def test_servers_that_start_at_once_on_an_empty_catalog_all_run(tmp_path: Path) -> None:
    assert claimed_at_once(f"sqlite:///{tmp_path}/kb.sqlite3", [MADE_WITH] * 4) == []


def test_of_two_that_start_at_once_with_other_embedders_one_is_refused(tmp_path: Path) -> None:
    other = replace(MADE_WITH, embedder="sentences")

    (refused,) = claimed_at_once(f"sqlite:///{tmp_path}/kb.sqlite3", [MADE_WITH, other])

    assert isinstance(refused, IndexMismatch)


# -- the database itself -------------------------------------------------------------------------


def test_folder_that_can_not_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreUnavailable, match="KB_HOME"):
        Database(f"sqlite:///{tmp_path}/file/catalog.sqlite3")


@pytest.mark.parametrize("content", [b"no database" * 1000, None], ids=["other file", "folder"])
def test_path_that_holds_something_else_is_unavailable(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "catalog.sqlite3"
    if content:
        path.write_bytes(content)
    else:
        path.mkdir()

    with pytest.raises(StoreUnavailable, match="catalog"):
        Database(f"sqlite:///{path}")


def test_locked_catalog_is_still_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    with opened(f"sqlite:///{path}") as index:
        version = index.publish(MOON)
        other = sqlite3.connect(path)
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable, match="locked"):
            index.stage(MARS)

        assert found_by(index, "moon", version) == {"The moon is made of rock."}
        other.rollback()
        other.close()
        assert index.publish(MARS) == version + 1


def test_catalog_that_another_process_has_to_itself_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "catalog.sqlite3"
    with opened(f"sqlite:///{path}") as index:
        index.publish(MOON)
    other = sqlite3.connect(path)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreUnavailable, match="locked"):
        Database(f"sqlite:///{path}", wait_seconds=0.1)

    other.close()


def test_full_disk_is_unavailable_and_undoes_what_was_begun(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path / 'catalog.sqlite3'}") as index:
        version = index.publish(MOON)
        long = document("long", *(f"line {n} {'x' * 500}" for n in range(200)))
        with index.database.writing() as connection:  # the pool lends this connection again
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 8}")

        with pytest.raises(StoreUnavailable, match="full"):
            index.stage(long)

        assert not index.catalog.staged("long", long.revision, SPLITTER)
        assert index.catalog.unneeded() == []
        assert found_by(index, "moon", version) == {"The moon is made of rock."}


def test_readers_never_see_half_a_flip(tmp_path: Path) -> None:
    """Two documents always change together; a reader in another thread must see them so."""
    url = f"sqlite:///{tmp_path / 'catalog.sqlite3'}"
    mixed: list[tuple[int, set[str]]] = []
    done = threading.Event()

    with opened(url) as index:

        def publish(n: int) -> None:
            index.publish(document("one", f"turn{n} first"), document("two", f"turn{n} second"))

        def read() -> None:
            while not done.is_set():
                version = index.catalog.current_version()
                turns = {f"turn{version - 1}"}
                texts = found_by(index, turns.pop(), version)
                if {text.split()[1] for text in texts} != {"first", "second"}:
                    mixed.append((version, texts))

        publish(0)
        reader = threading.Thread(target=read)
        reader.start()
        for n in range(1, 40):
            publish(n)
        done.set()
        reader.join()

    assert not mixed


# -- any history at all --------------------------------------------------------------------------

WORDS = ("model", "weight", "price", "licence", "token", "open", "closed", "gpu")
LINES = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join), max_size=3)
IDS = ("a", "b", "c", "d")
MADE = st.builds(lambda id, lines: document(id, *lines), st.sampled_from(IDS), LINES)


def bm25(documents: list[Document], words: list[str]) -> dict[str, float]:
    """By the textbook, over the lines of these documents."""
    bodies = {i: p.body.split() for one in documents for i, p, _ in entries(one)}
    if not bodies:
        return {}
    mean = sum(map(len, bodies.values())) / len(bodies)
    scores: Counter[str] = Counter()
    for word in words:
        holding = [i for i, body in bodies.items() if word in body]
        idf = math.log(1 + (len(bodies) - len(holding) + 0.5) / (len(holding) + 0.5))
        for i in holding:
            times, length = bodies[i].count(word), len(bodies[i]) / mean
            scores[i] += idf * times * (K1 + 1) / (times + K1 * (1 - B + B * length))
    return dict(scores)


class Histories(RuleBasedStateMachine):
    """Any sequence of staging, flipping, retiring and sweeping, beside a model in dictionaries."""

    @initialize()
    def start(self) -> None:
        self.context = opened()
        self.index = self.context.__enter__()
        self.versions: dict[int, dict[str, Document]] = {0: {}}
        self.current = 0
        self.seen: dict[int, list[tuple[str, float]]] = {}

    def teardown(self) -> None:
        if hasattr(self, "context"):
            self.context.__exit__(None, None, None)

    @rule(staged=st.lists(MADE, max_size=2))
    def stage(self, staged: list[Document]) -> None:
        self.index.stage(*staged)

    @rule(
        changed=st.lists(MADE, max_size=3, unique_by=lambda one: one.id),
        removed=st.sets(st.sampled_from(IDS), max_size=2),
    )
    def publish(self, changed: list[Document], removed: set[str]) -> None:
        number = self.index.publish(*changed, remove=sorted(removed))

        kept = {i: d for i, d in self.versions[self.current].items() if i not in removed}
        self.versions[number] = kept | {one.id: one for one in changed}
        assert number == self.current + 1
        self.current = number

    @precondition(lambda self: self.current > 0)
    @rule(keep=st.integers(0, 2))
    def sweep(self, keep: int) -> None:
        catalog = self.index.catalog
        catalog.retire(keep)
        for pair in catalog.unneeded():
            catalog.forget(*pair)

        self.versions = {v: d for v, d in self.versions.items() if v >= self.current - keep}
        expected = {i for held in self.versions.values() for d in held.values() for i in ids(d)}
        assert catalog.passage_ids() == expected
        assert {i for i, _ in self.index.lookup.vectors()} == expected

    @invariant()
    def every_kept_version_is_what_it_was(self) -> None:
        if not hasattr(self, "versions"):
            return
        assert self.index.catalog.current_version() == self.current
        for version, held in self.versions.items():
            self.check_documents(version, held)
            self.check_search(version, list(held.values()))

    def check_documents(self, version: int, held: dict[str, Document]) -> None:
        listed = self.index.catalog.documents(version)
        assert {one.source.document_id: one.source.revision for one in listed} == {
            i: one.revision for i, one in held.items()
        }
        assert {one.source.document_id: one.passages for one in listed} == {
            i: len(ids(one)) for i, one in held.items()
        }
        assert self.index.catalog.live_revisions(version) == {
            i: one.revision for i, one in held.items()
        }
        for one in held.values():
            assert self.index.catalog.document(one.id, one.revision) == one

    def check_search(self, version: int, held: list[Document]) -> None:
        lookup, every = self.index.lookup, sorted(i for one in held for i in ids(one))
        stored = lookup.load(sorted(self.index.catalog.passage_ids()), version, ANYTHING)
        assert sorted(stored) == every
        assert lookup.among(every[::-1], version, ANYTHING) == every[::-1]
        assert [i for i, _ in lookup.matching(version, ANYTHING, 1000)] == every
        assert lookup.count(version, ANYTHING) == len(every)
        counted = lookup.frequencies(version)
        fresh = Counter(int(t) for one in stored.values() for t in set(one.tokens.ids.tolist()))
        assert counted.passages == len(every)
        assert {t: n for t, n in enumerate(counted.containing.tolist()) if n} == fresh

        found = lookup.lexical(list(WORDS[:4]), version, 1000, ANYTHING)

        expected = bm25(held, list(WORDS[:4]))
        assert dict(found) == pytest.approx(expected)
        assert found == sorted(found, key=lambda hit: (-hit[1], hit[0]))
        assert found == self.seen.setdefault(version, found), "a version's ranking changed"


def ids(document: Document) -> list[str]:
    return [identity for identity, _, _ in entries(document)]


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=30, stateful_step_count=10, deadline=None)
