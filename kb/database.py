"""One SQL database: its connections, and its failures as this project's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError

from kb import schema
from kb.errors import StoreUnavailable


class Database:
    """Safe to share between threads. A transaction is one `with writing()` block."""

    def __init__(self, url: str) -> None:
        path = make_url(url).database
        if url.startswith("sqlite") and path and path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._engine = create_engine(url)
        schema.use_write_ahead_log(self._engine)
        with _translated():
            schema.create(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Commits at the block's end; an exception undoes all of it."""
        with _translated(), self._engine.begin() as connection:
            yield connection


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreUnavailable(
            f"the catalog failed: {error.orig}; check the disk and who else uses it"
        ) from error
