"""Brings a database's tables to this program's layout, by Alembic's migrations."""

from __future__ import annotations

import threading
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from kb.errors import IndexMismatch
from kb.schema import LAYOUT, versions

MIGRATIONS = Path(__file__).with_name("migrations")
# PostgreSQL's advisory locks are numbers that applications agree on; these are made up.
LAYOUT_LOCK = 7_301_001

_MARK = "alembic_version"
_one_at_a_time = threading.Lock()  # what migrations call `op` is one for the whole process


def bring_up(engine: Engine, migrations: Path = MIGRATIONS, layout: int = LAYOUT) -> None:
    """Makes the tables where there are none, and migrates those of an earlier layout: all of it
    or nothing. Raises IndexMismatch on those of a later one, or of before there were migrations."""
    with engine.connect() as connection:
        if _found(connection) == str(layout):  # Alembic takes half a second to import
            return
    with _one_at_a_time, engine.begin() as connection:
        _lock(connection)
        found = _found(connection)  # another process may have been first
        if found != str(layout):
            _check(connection, found, layout)
            _migrate(connection, migrations)


def _found(connection: Connection) -> str | None:
    """The layout that the database says it has; None where it says nothing."""
    if not inspect(connection).has_table(_MARK):
        return None
    found = connection.scalar(text(f"SELECT version_num FROM {_MARK}"))
    return None if found is None else str(found)


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        # Python's driver begins a transaction only with the first row that is written
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LAYOUT_LOCK})"))


def _check(connection: Connection, found: str | None, layout: int) -> None:
    if found is None and inspect(connection).has_table(versions.name):
        raise IndexMismatch(
            "the catalog was made by a release that could not be migrated yet. "
            "Rebuild it: kb ingest --rebuild PATH"
        )
    if found is not None and (not found.isdigit() or int(found) > layout):
        raise IndexMismatch(
            f"the catalog was made by a later release (layout {found}; this one knows {layout}): "
            "install that release, or one after it. Or begin anew: kb ingest --rebuild PATH"
        )


def _migrate(connection: Connection, migrations: Path) -> None:
    from alembic import command  # half a second, and almost every start does without
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
