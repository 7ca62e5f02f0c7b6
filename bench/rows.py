"""Results a row at a time, in a file from which a run that was broken off goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

Row = dict[str, Any]
Item = TypeVar("Item")

ROOT = Path(__file__).parent.parent
RESULTS = Path("build/eval")  # rows hold other people's texts: not kept in the repository


@dataclass(frozen=True, slots=True)
class Made:
    """Which model makes rows, with which state of the code, and when. keep: a row that another
    state of the code made will do."""

    model: str
    code: str
    on: str
    keep: bool = False

    def made(self, row: Row) -> bool:
        return row.get("model") == self.model and (self.keep or row.get("code") == self.code)

    @property
    def signature(self) -> Row:
        return {"model": self.model, "code": self.code, "on": self.on}


@dataclass(frozen=True, slots=True)
class Results:
    """A file of rows, and who adds to it. most: how many items are worked on; None for all."""

    path: Path
    by: Made
    most: int | None = None

    def of(self, items: Iterable[tuple[str, Item]], work: Callable[[Item], Row]) -> Iterator[Row]:
        """A row an item, in their order: from the file where it is there already, else by `work`,
        appended at once. A row that is made again takes the place of the old one; others stay."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        known = {row["id"]: row for row in read(self.path)}
        _rewrite(self.path, known.values())
        with self.path.open("a", encoding="utf-8") as file:
            for key, item in islice(items, self.most):
                if not (key in known and self.by.made(known[key])):
                    known[key] = {"id": key, **work(item), **self.by.signature}
                    file.write(_line(known[key]))
                    file.flush()
                yield known[key]


def fingerprint() -> str:
    """Twelve hex digits that change with what answers questions: kb and ingest, code and data."""
    digest = hashlib.sha256()
    for room in ("kb", "ingest"):
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in {".py", ".json", ".npy"}:
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def read(path: Path) -> list[Row]:
    """The rows of a file, of each id the last one; none where there is no file. A line that was
    half written when a run was broken off is left out."""
    if not path.is_file():
        return []
    *lines, _ = path.read_text(encoding="utf-8").split("\n")  # the last is empty, or broken off
    return list({row["id"]: row for row in map(json.loads, filter(None, lines))}.values())


def _rewrite(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text("".join(map(_line, rows)), encoding="utf-8")
    os.replace(fresh, path)


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
