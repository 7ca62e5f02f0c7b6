"""An index that changes are made to which get killed, and what must hold of it afterwards."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import doomed
from stores import Index, opened_on_disk

from kb.doctor import Comparison, compare

QUESTIONS = (
    "what does the blue model cost",
    "licence of the green model",
    "who trained the red one",
)

# A server that has the heavy imports behind it and forks: a start is then milliseconds.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["chromadb", "sqlalchemy", "trafilatura", "httpx", "ftfy"])


def text(colour: str, price: int, sections: int = 3) -> str:
    return f"# The {colour} model\n\n" + "\n\n".join(
        f"## Part {n}\n\nThe {colour} model number {n} costs {price + n} cents for a million "
        f"tokens. Its licence allows everything but part {n}. A lab in town {n} trained it on "
        f"{colour} texts of the year {2000 + n}."
        for n in range(sections)
    )


@dataclass(frozen=True)
class Scene:
    """An index with two versions, a folder for the third, and what it says before and after."""

    home: Path
    corpus: Path
    old: object
    new: object
    steps: list[str]

    @property
    def change(self) -> doomed.Change:
        return partial(doomed.ingesting, self.corpus)


def made(root: Path) -> Scene:
    home, corpus, finished = root / "home", root / "corpus", root / "finished"
    home.mkdir()
    corpus.mkdir()
    for price in (10, 20):
        for colour in ("blue", "green", "red"):
            (corpus / f"{colour}.md").write_text(text(colour, price))
        (corpus / "steady.md").write_text(text("steady", 5))
        with opened_on_disk(home) as index:
            index.pipeline(keep=doomed.KEEP).run([corpus])
            old = said(index)
    (corpus / "red.md").unlink()
    (corpus / "green.md").write_text(text("green", 30))
    (corpus / "blue.md").write_text(text("blue", 20, sections=4))
    for colour in ("amber", "black", "mauve", "ochre", "olive", "umber", "white"):
        (corpus / f"{colour}.md").write_text(text(colour, 70))
    shutil.copytree(home, finished)
    steps = doomed.steps_of(partial(doomed.ingesting, corpus), finished)
    with opened_on_disk(finished) as index:
        new = said(index)
    assert old != new
    return Scene(home, corpus, old, new, steps)


def said(index: Index, version: int | None = None) -> object:
    """All that a reader of that version, or of the current one, can see."""
    pinned = version or index.catalog.current_version()
    return (
        [one.source for one in index.catalog.documents(pinned)],
        [
            [(hit.stored.text, hit.stored.source, round(hit.score, 5)) for hit in found.hits]
            for found in (index.retriever.search(q, pinned, count=100) for q in QUESTIONS)
        ],
    )


def run(work: Callable[..., None], *given: object) -> int | None:
    """The exit code of a process that does the work."""
    process = _processes.Process(target=work, args=given)
    process.start()
    process.join(60)
    return process.exitcode


def assert_clean(index: Index) -> None:
    """As `kb doctor` finds it."""
    assert differences(index).healthy
    assert index.catalog.full_text_faults() == []


def assert_whole(home: Path) -> None:
    with sqlite3.connect(home / "catalog.sqlite3") as raw:
        raw.execute("INSERT INTO passages_text(passages_text) VALUES ('integrity-check')")
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


def differences(index: Index) -> Comparison:
    needed = (i for i, _ in index.lookup.vectors())
    return compare(needed, index.catalog.passage_ids(), index.store.ids())


def one_of_each_kind(steps: list[str]) -> list[int]:
    """Where each step first follows the one before it, and the very last: fewer, but every
    sequence of writes is cut at every place."""
    first: dict[tuple[str, str], int] = {}
    for number, pair in enumerate(zip(["the start", *steps], steps, strict=False)):
        first.setdefault(pair, number)
    return sorted({*first.values(), len(steps) - 1})
