"""Documents that were sent, held on the disk until the ingest of them has ended."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from ingest.items import Failed, Found, Item, checked_uri, spooled
from ingest.job import new_id
from kb.errors import FileMissing, PathNotAllowed, StoreUnavailable
from kb.types import Document

MANIFEST, COMPLETE = "manifest.jsonl", "complete"


class Upload:
    """The files of one ingest. They lie in a folder of their own, under numbers: what a sender
    calls them never becomes a path. The manifest says what they are, so that another process can
    take them up."""

    def __init__(self, folder: Path) -> None:
        """Raises StoreUnavailable."""
        self.id = folder.name
        self._folder = folder
        self._uris: set[str] = set()
        self._hash = hashlib.sha256()
        with _kept(folder):
            folder.mkdir(parents=True)
            self._manifest = (folder / MANIFEST).open("ab")

    def add(self, uri: str, data: bytes) -> None:
        """Raises PathNotAllowed, StoreUnavailable."""
        if checked_uri(uri) in self._uris:
            raise PathNotAllowed(f"{uri[:100]!r}: was sent twice; send each document once")
        with _kept(self._folder):
            (self._folder / str(len(self._uris))).write_bytes(data)
        self._uris.add(uri)
        self._note({"uri": uri, "sha256": hashlib.sha256(data).hexdigest()})

    def add_failed(self, failed: Failed) -> None:
        """What the sender could not read: it counts as a file that was left out. Raises
        StoreUnavailable."""
        self._note({"path": failed.path, "code": failed.code, "message": failed.message})

    def complete(self) -> int:
        """Nothing comes any more. Returns how many files there are. Raises StoreUnavailable."""
        with _kept(self._folder):
            self._manifest.close()
            (self._folder / COMPLETE).touch()
        return len(self._uris)

    @property
    def sha256(self) -> str:
        """Of all that was sent, in its order."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Removes the files."""
        with suppress(OSError):  # what it still has to write is not wanted
            self._manifest.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _note(self, line: dict[str, str]) -> None:
        text = json.dumps(line).encode() + b"\n"
        self._hash.update(text)
        with _kept(self._folder):
            self._manifest.write(text)


class Uploads:
    """A folder with an `Upload` in it for each job that has not ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new(self) -> Upload:
        """Raises StoreUnavailable."""
        return Upload(self._folder / new_id())

    def home(self) -> str:
        """What this folder is called, and no other one: made up when it is first asked for.
        Raises StoreUnavailable."""
        path = self._folder / "home"
        with _kept(path):
            if not path.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                path.write_text(new_id())
            return path.read_text()

    def has(self, upload_id: str) -> bool:
        return (self._folder / upload_id / COMPLETE).exists()

    def found(self, upload_id: str) -> Found:
        """What was sent. Raises StoreUnavailable."""
        folder = self._folder / upload_id
        items: list[Item] = []
        failed: list[Failed] = []
        with _kept(folder):
            lines = (folder / MANIFEST).read_text().splitlines()
        for line in lines:
            noted: dict[str, Any] = json.loads(line)
            if "uri" in noted:
                items.append(_item(noted["uri"], folder / str(len(items)), noted["sha256"]))
            else:
                failed.append(Failed(**noted))
        return items, failed

    def remove(self, upload_id: str) -> None:
        shutil.rmtree(self._folder / upload_id, ignore_errors=True)

    def remove_all_but(self, upload_ids: Collection[str]) -> None:
        for folder in self._folder.glob("*/"):
            if folder.name not in upload_ids:
                self.remove(folder.name)


def _item(uri: str, path: Path, sha256: str) -> Item:
    return Item(uri, partial(_intact, spooled(uri, path), path, sha256))


def _intact(item: Item, path: Path, sha256: str, max_bytes: int) -> Document:
    """A machine that lost its power may have kept half a file."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        found = ""
    if found != sha256:
        raise FileMissing(f"{item.name}: what was sent is gone or damaged; send it again")
    return item.read(max_bytes)


@contextmanager
def _kept(where: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"what is sent can't be kept in {where} ({error.strerror}); free some space, and check "
            "the folder's permissions"
        ) from error
