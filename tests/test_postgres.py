"""The catalog on PostgreSQL: what holds on SQLite, and what a server adds."""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import postgres
import pytest
import test_catalog
from hypothesis import settings
from hypothesis.stateful import initialize, run_state_machine_as_test
from postgres import PostgresServer
from stores import SPLITTER, Index, document, entries, opened

from kb.database import Database
from kb.errors import RevisionNotFound, SettingsInvalid, StoreInUse, StoreUnavailable
from kb.postgres_text import MOST_PLACES
from kb.types import Filters

ANYTHING = Filters()
MOON, MARS = test_catalog.MOON, test_catalog.MARS


@pytest.fixture(scope="module")
def url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.database() as url:
        yield url


@contextmanager
def emptied(url: str) -> Iterator[Index]:
    """The database is this file's, and a test that failed, or that makes up histories, leaves
    documents in it: it is emptied before a test."""
    with opened(url) as index:
        empty(index)
    with opened(url) as index:
        yield index


@pytest.fixture
def index(url: str) -> Iterator[Index]:
    with emptied(url) as index:
        yield index


def empty(index: Index) -> None:
    with index.database.writing() as connection:
        tables = connection.exec_driver_sql(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
            "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).scalar()
        connection.exec_driver_sql(f"TRUNCATE {tables}")


# Every promise of the catalog that needs nothing but an index.
def _of_an_index(test: object) -> bool:
    named = set(inspect.signature(test).parameters) if inspect.isfunction(test) else set()
    return "index" in named and "tmp_path" not in named


globals().update(
    {name: one for name, one in vars(test_catalog).items() if _of_an_index(one) and "test" in name}
)


def test_any_history_at_all_holds(url: str) -> None:
    class Histories(test_catalog.Histories):
        @initialize()
        def start(self) -> None:
            super().start()
            self.teardown()
            self.context = opened(url)
            self.index = self.context.__enter__()
            empty(self.index)

    run_state_machine_as_test(
        Histories, settings=settings(max_examples=8, stateful_step_count=8, deadline=None)
    )


def test_what_another_test_left_is_gone_before_the_next(url: str) -> None:
    with opened(url) as index:
        index.publish(document("d", "an open model"))

    with emptied(url) as index:
        assert index.catalog.current_version() == 0


# -- the full-text index -------------------------------------------------------------------------


RANKED = (
    document("a", "GPT-4o mini costs $0.15, naïve or not", "weights weigh a weight's weight"),
    document("b", "see https://example.org/a.b?c=d or v1.2.3 at 12:30", "Größe 模型 e\u0301té"),
    document("c", "the and of", "it's open-source; don't model a modelling model"),
)


def ranking(index: Index) -> list[tuple[str, float]]:
    words = ["4o", "weights", "example", "1", "2", "été", "the", "open", "models", "s"]
    return index.lookup.lexical(words, index.publish(*RANKED), 50, ANYTHING)


@pytest.fixture(scope="module", params=postgres.CLUSTERS)
def cluster_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of a server of its own, which sorts and folds text by that locale."""
    with postgres.running(request.param) as server, server.database() as url:
        yield url


def test_ranking_is_that_of_sqlite_whatever_the_cluster_s_locale(cluster_url: str) -> None:
    with opened() as sqlite, opened(cluster_url) as index:
        assert ranking(index) == ranking(sqlite)


def test_ranking_is_that_of_sqlite(index: Index) -> None:
    """A version ranks by all that it holds: what a test leaves behind would weigh in here."""
    with opened() as sqlite:
        assert ranking(index) == ranking(sqlite)


def test_terms_are_counted_as_often_as_they_stand_there(index: Index) -> None:
    counts = [1, 2, 17, MOST_PLACES, MOST_PLACES + 40]
    index.publish(*(document(f"d{n:03}", "word " * n + "other") for n in counts))

    with index.database.reading() as connection:
        rows, times = index.database.text.holding(connection, "word")

    assert times.tolist() == [1, 2, 17, MOST_PLACES, MOST_PLACES]
    assert np.all(np.diff(rows) > 0)


def test_word_longer_than_a_lexeme_can_be_is_left_out_and_the_rest_is_found(index: Index) -> None:
    version = index.publish(document("long", "x" * 5000 + " gene", "\\ quote' \\' it''s"))

    assert index.lookup.lexical(["x" * 5000], version, 5, ANYTHING) == []
    assert len(index.lookup.lexical(["gene"], version, 5, ANYTHING)) == 1
    assert len(index.lookup.lexical(["it's\\"], version, 5, ANYTHING)) == 1


def test_forgotten_revision_leaves_nothing_in_the_index(index: Index) -> None:
    index.publish(MARS)
    index.publish(MOON, remove=["mars"])
    index.catalog.retire(keep=0)

    index.catalog.forget("mars", MARS.revision)

    with index.database.reading() as connection:
        assert index.database.text.holding(connection, "rust")[0].tolist() == []
        left = connection.exec_driver_sql("SELECT count(*) FROM passages_text").scalar()
    assert left == len(entries(MOON))


@pytest.mark.parametrize("id", ["a\0b", "\ud800", "a' OR '1'='1"])
def test_ids_that_the_database_can_not_hold_are_simply_not_found(index: Index, id: str) -> None:
    with pytest.raises(RevisionNotFound):
        index.catalog.document(id, "sha256:unknown")
    assert index.lookup.load([id], 1, ANYTHING) == {}


# -- several processes ---------------------------------------------------------------------------


def test_writers_of_several_processes_take_turns(index: Index, url: str) -> None:
    """Each opens its own connections, as replicas do; every one of their versions is there."""
    failures: list[Exception] = []

    def write(name: str) -> None:
        try:
            with opened(url) as own:
                for n in range(5):
                    own.publish(document(name, f"{name} {n}", "the same line"))
        except StoreUnavailable as error:
            failures.append(error)

    index.publish(MOON)
    writers = [threading.Thread(target=write, args=(name,)) for name in ("one", "two", "three")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert not failures
    assert index.catalog.current_version() == 16
    assert set(index.catalog.live_revisions(16)) == {"moon", "one", "two", "three"}


def test_one_process_at_a_time_ingests(index: Index, url: str) -> None:
    with opened(url) as other:
        with index.database.ingesting():
            with pytest.raises(StoreInUse, match="wait"), other.database.ingesting():
                pass
            index.publish(MOON)

        with other.database.ingesting():
            pass


def test_servers_that_start_at_once_on_an_empty_catalog_all_run(
    postgres_server: PostgresServer,
) -> None:
    with postgres_server.database() as url:
        assert test_catalog.claimed_at_once(url, [test_catalog.MADE_WITH] * 4) == []


@contextmanager
def ingesting_for_a_moment(database: Database, seconds: float) -> Iterator[None]:
    """As another replica does, from before the block's begin."""
    begun = threading.Event()

    def ingest() -> None:
        with database.ingesting():
            begun.set()
            time.sleep(seconds)

    replica = threading.Thread(target=ingest)
    replica.start()
    assert begun.wait(10)
    try:
        yield
    finally:
        replica.join()


@pytest.mark.parametrize("wait_seconds", [20.0, None])
def test_a_turn_waits_for_the_ingest_of_another_replica(
    index: Index, url: str, wait_seconds: float | None
) -> None:
    with (
        opened(url) as other,
        ingesting_for_a_moment(other.database, 0.6),
        index.turn.taken(wait_seconds),
    ):
        assert index.publish(MOON) == 1


def test_a_turn_waits_no_longer_than_it_was_told_to_in_all(index: Index, url: str) -> None:
    began = time.monotonic()

    with (
        opened(url) as other,
        ingesting_for_a_moment(other.database, 3),
        pytest.raises(StoreInUse, match="ingesting into this catalog"),
        index.turn.taken(0.5),
    ):
        pass

    assert 0.5 <= time.monotonic() - began < 6


def test_several_processes_may_make_the_tables_at_once(postgres_server: PostgresServer) -> None:
    failures: list[Exception] = []

    def start(url: str) -> None:
        try:
            Database(url).close()
        except StoreUnavailable as error:
            failures.append(error)

    with postgres_server.database() as url:
        starters = [threading.Thread(target=start, args=(url,)) for _ in range(4)]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join()

    assert not failures


# -- failures ------------------------------------------------------------------------------------


def test_server_that_comes_back_is_used_again(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, opened(url) as index:
        version = index.publish(MOON)
        postgres_server.stop()
        try:
            with pytest.raises(StoreUnavailable, match="its server"):
                index.catalog.current_version()
            with pytest.raises(StoreUnavailable):
                index.stage(MARS)
        finally:
            postgres_server.start()

        assert index.catalog.current_version() == version
        assert index.publish(MARS) == version + 1


def test_ingest_whose_server_goes_away_can_be_run_again(postgres_server: PostgresServer) -> None:
    with postgres_server.database() as url, opened(url) as index:
        with index.database.ingesting():
            index.stage(MOON)
            postgres_server.stop()
            with pytest.raises(StoreUnavailable):
                index.catalog.flip([("moon", MOON.revision)])
            postgres_server.start()

        assert index.catalog.current_version() == 0
        with index.database.ingesting():
            assert index.catalog.staged("moon", MOON.revision, SPLITTER)
            assert index.publish(MOON) == 1


def test_locked_table_is_waited_for_and_then_given_up(index: Index, url: str) -> None:
    waiting = pytest.raises(StoreUnavailable, match="lock timeout")
    with opened(url) as other, index.database.writing(), waiting:
        other.stage(MARS)


@pytest.mark.parametrize(
    "wrong", ["postgresql+nonesuch://x/y", "mysql+pymysql://x/y", "not a url", "postgresql://"]
)
def test_url_that_names_no_catalog_is_refused_with_an_example(wrong: str) -> None:
    with pytest.raises((SettingsInvalid, StoreUnavailable), match=r"postgresql|server"):
        Database(wrong, wait_seconds=2)


def test_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable, match="its server") as caught:
        Database("postgresql+psycopg://kb:s3cret@127.0.0.1:1/kb", wait_seconds=2)

    assert "s3cret" not in str(caught.value)
