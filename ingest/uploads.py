"""Documents that were sent, held on the disk until an ingest has read them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from ingest.items import Failed, Found, Item, checked_uri, spooled
from kb.errors import PathNotAllowed, StoreUnavailable


class Upload:
    """The files of one ingest. They lie in a folder of their own, under numbers: what a sender
    calls them never becomes a path."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="weighbridge-")
        self._items: dict[str, Item] = {}
        self._failed: list[Failed] = []

    def add(self, uri: str, data: bytes) -> None:
        """Raises PathNotAllowed, StoreUnavailable."""
        if checked_uri(uri) in self._items:
            raise PathNotAllowed(f"{uri[:100]!r}: was sent twice; send each document once")
        path = Path(self._folder.name) / str(len(self._items))
        try:
            path.write_bytes(data)
        except OSError as error:
            raise StoreUnavailable(
                f"what is sent can't be kept in {path.parent} ({error.strerror}); free some space"
            ) from error
        self._items[uri] = spooled(uri, path)

    def add_failed(self, failed: Failed) -> None:
        """What the sender could not read: it counts as a file that was left out."""
        self._failed.append(failed)

    @property
    def found(self) -> Found:
        return list(self._items.values()), self._failed

    def close(self) -> None:
        """Removes the files."""
        self._folder.cleanup()
