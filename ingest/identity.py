"""Which document a file is: one that was read before stays what it was, whichever folder is
named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from kb.errors import UnreadableFile


@dataclass(frozen=True, slots=True)
class Known:
    """corpus: the folder that what lies in it counts from. by_origin: uris by the files that they
    were read from; unplaced: those of which that is not known."""

    corpus: Path | None = None
    by_origin: Mapping[str, str] = field(default_factory=dict)
    unplaced: frozenset[str] = frozenset()

    @classmethod
    def of(cls, found: Iterable[tuple[str, str | None]], corpus: Path | None = None) -> Self:
        """found: (uri, origin)."""
        placed = [*found]
        return cls(
            corpus,
            {origin: uri for uri, origin in placed if origin is not None},
            frozenset(uri for uri, origin in placed if origin is None),
        )

    def root(self, path: Path, given: Path) -> Path:
        """The folder that a file's uri counts from, where `given` is what was named."""
        file = Path(os.path.realpath(path))
        for folder in file.parents:
            uri = file.relative_to(folder).as_posix()
            if self.by_origin.get(str(file)) == uri:
                return _as_written(path, uri)
        if self.corpus is not None and file.is_relative_to(os.path.realpath(self.corpus)):
            return _as_written(path, file.relative_to(os.path.realpath(self.corpus)).as_posix())
        return self._unplaced(path, file) or given

    def _unplaced(self, path: Path, file: Path) -> Path | None:
        """By the end of its path, a folder at least: a bare name may be anyone's."""
        for folder in reversed(file.parents[1:]):
            uri = file.relative_to(folder).as_posix()
            if uri in self.unplaced:
                return _as_written(path, uri)
        return None


def name_taken(
    document: str, origin: str | None, origins: Mapping[str, tuple[str, str | None]]
) -> UnreadableFile | None:
    """What to tell where a document of this name was read from another file that is still there.
    origins: by document id, uri and file."""
    uri, before = origins.get(document, ("", None))
    if origin is None or before in (None, origin) or not Path(str(before)).exists():
        return None
    return UnreadableFile(
        f"{uri}: is what a file in another folder is called already; rename one of the two, or "
        "ingest the folder that both are in"
    )


def _as_written(path: Path, uri: str) -> Path:
    """What is before the uri in the path as it was given, or where a link leads."""
    absolute = path.absolute()
    levels = uri.count("/")
    if absolute.as_posix().endswith("/" + uri):
        return absolute.parents[levels]
    return Path(os.path.realpath(path)).parents[levels]
