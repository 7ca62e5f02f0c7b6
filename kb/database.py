"""One SQL database: its connections, and its failures as this project's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from kb import schema
from kb.errors import StoreUnavailable


class Database:
    """Safe to share between threads. A transaction is one `with writing()` block."""

    def __init__(self, url: str, wait_seconds: float = 10.0) -> None:
        """wait_seconds: for another process that writes. Raises StoreUnavailable, and
        IndexMismatch on a catalog of another release."""
        path = make_url(url).database
        if url.startswith("sqlite") and path and path != ":memory:":
            _make_folder(Path(path).parent)
        self._engine = create_engine(url)
        self._driver_error = self._engine.dialect.loaded_dbapi.Error
        schema.configure(self._engine, wait_seconds)
        with self._translated():
            schema.create(self._engine)

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._translated(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Commits at the block's end; an exception undoes all of it."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, NoConnectionFree, self._driver_error) as error:
            # while a connection is being set up, the driver's errors come as they are
            reason = getattr(error, "orig", None) or error
            raise StoreUnavailable(
                f"the catalog failed: {reason}; check the disk and who else uses it"
            ) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(
            f"{folder} can't be made ({error.strerror}); check its permissions, or set KB_HOME"
        ) from error
