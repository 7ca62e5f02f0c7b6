"""What an ingest reads, wherever it lies: each item becomes a document, or says why it can't."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from ingest.identity import Known
from ingest.readers import document, find, read
from kb.errors import FileMissing, PathNotAllowed, UnreadableFile
from kb.types import Document

URI_BYTES, NAME_BYTES = 3000, 255  # what file systems hold, with room for the folder


@dataclass(frozen=True, slots=True)
class Item:
    """name: what reports call it; read: from the most bytes that it may have to its document, and
    raises UnreadableFile."""

    name: str
    read: Callable[[int], Document]


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that was left out, and why."""

    path: str
    code: str
    message: str


Found = tuple[list[Item], list[Failed]]


def failure(name: str, error: UnreadableFile) -> Failed:
    return Failed(name, error.code, str(error))


def found_in(
    paths: Sequence[Path], within: Path | None = None, known: Known | None = None
) -> Found:
    """The items in files and folders. within: the folder that uris count from; left out: what
    `known` has of a file, or else each given folder itself."""
    found, refused = find(paths, within, known)
    items = [Item(str(path), partial(read, path, root)) for path, root in found]
    return items, [failure(str(path), error) for path, error in refused]


def found_in_corpus(corpus: Path, names: Sequence[str]) -> Found:
    """The items under `names`, which are relative to the corpus folder; without names all of it.
    Raises PathNotAllowed for what leads out of the folder."""
    items, refused = found_in([_inside(corpus, name) for name in names] or [corpus], corpus)
    told = [replace(one, path=_without(corpus, one.path)) for one in refused]
    return [replace(item, name=_without(corpus, item.name)) for item in items], [
        replace(one, message=one.message.replace(f"{corpus}{os.sep}", "")) for one in told
    ]


def _without(corpus: Path, name: str) -> str:
    """A path as it is called in the corpus folder: where that lies is nobody's business."""
    return name.removeprefix(f"{corpus}{os.sep}")


def spooled(uri: str, path: Path) -> Item:
    """A document that was sent: its bytes are in `path`, which is none of its own places."""

    def read_it(max_bytes: int) -> Document:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileMissing(f"{uri}: what was sent is gone; send it again") from error
        return document(uri, data, max_bytes)

    return Item(uri, read_it)


def checked_uri(uri: str) -> str:
    """A relative path with no way out of its folder. Raises PathNotAllowed."""
    parts = uri.split("/")
    short = len(uri.encode()) <= URI_BYTES and all(len(p.encode()) <= NAME_BYTES for p in parts)
    if not short or "\0" in uri or {"", ".", ".."} & {*parts}:
        raise PathNotAllowed(
            f"{uri[:100]!r}: not a plain relative path such as 'guides/models.md'; send one"
        )
    return uri


def _inside(corpus: Path, name: str) -> Path:
    path = corpus / PurePosixPath(checked_uri(name))
    # realpath and not resolve(), which raises where links lead round in a circle
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(corpus)):
        raise PathNotAllowed(
            f"{name!r}: a link out of the corpus folder is not followed; put the file there"
        )
    return path
