"""A catalog's tables: made, migrated, or refused with what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from postgres import PostgresServer
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from stores import OpenIndex

from kb.database import Database
from kb.errors import IndexMismatch
from kb.layout import MIGRATIONS, bring_up
from kb.schema import LAYOUT, metadata

NEXT = """
import sqlalchemy
from alembic import op

revision, down_revision = "{next}", "{this}"

def upgrade():
    op.add_column("feedback", sqlalchemy.Column("mood", sqlalchemy.String))
    op.execute("{then}")
"""


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'catalog.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        yield url


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = create_engine(url)
    yield engine
    engine.dispose()


def next_release(folder: Path, then: str) -> Path:
    """Migrations with one more layout, which also runs `then`."""
    shutil.copytree(MIGRATIONS, folder)
    script = NEXT.format(next=LAYOUT + 1, this=LAYOUT, then=then)
    (folder / "versions" / "next.py").write_text(script)
    return folder


def columns(engine: Engine) -> set[str]:
    return {column["name"] for column in inspect(engine).get_columns("feedback")}


def test_migrations_end_at_the_layout_that_the_program_knows() -> None:
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [str(LAYOUT)]


def test_migrated_tables_are_those_that_the_program_uses(fresh: OpenIndex) -> None:
    """A change to kb/schema.py needs a migration, and a new number."""
    with fresh() as index, index.database.reading() as connection:
        differences = compare_metadata(compared(connection), metadata)

    assert differences == []


def compared(connection: Connection) -> MigrationContext:
    def ours(_object: object, name: str | None, type_: str, *_: object) -> bool:
        return type_ != "table" or not str(name).startswith("passages_te")  # the full-text index

    return MigrationContext.configure(connection, opts={"include_object": ours})


def test_opening_again_changes_nothing(url: str, engine: Engine) -> None:
    Database(url).close()
    before = inspect(engine).get_table_names()

    Database(url).close()

    assert inspect(engine).get_table_names() == before


def test_start_with_nothing_to_migrate_loads_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'catalog.sqlite3'}"
    Database(url).close()
    program = (
        f"import sys; from kb.database import Database; Database({url!r}).close(); "
        "print('alembic' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


def test_earlier_layout_is_migrated_and_keeps_what_it_holds(
    url: str, engine: Engine, tmp_path: Path
) -> None:
    Database(url).close()
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO identity VALUES (1, true, 'e', 's', 8, 'lines')"))

    bring_up(engine, next_release(tmp_path / "next", "SELECT 1"), LAYOUT + 1)

    assert "mood" in columns(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT embedder FROM identity")) == "e"
    with pytest.raises(IndexMismatch, match=f"layout {LAYOUT + 1}.*install that release"):
        Database(url)


def test_migration_that_fails_changes_nothing(url: str, engine: Engine, tmp_path: Path) -> None:
    Database(url).close()
    broken = next_release(tmp_path / "next", "SELECT * FROM nowhere")

    with pytest.raises(Exception, match="nowhere"):
        bring_up(engine, broken, LAYOUT + 1)

    assert "mood" not in columns(engine)
    Database(url).close()


def test_catalog_of_before_migrations_is_refused_with_what_to_run(url: str, engine: Engine) -> None:
    Database(url).close()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))

    with pytest.raises(IndexMismatch, match="kb ingest --rebuild"):
        Database(url)


def test_database_with_tables_of_others_is_used_beside_them(url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE somebody_elses (n integer)"))

    Database(url).close()

    assert {"somebody_elses", "passages"} <= set(inspect(engine).get_table_names())
