"""`python -m bench.scale`: how long a search takes over 10k and 100k passages, part by part.

No encoder runs: the texts are made up (`bench.made_up`). What is timed is the product's own code
over a real catalog and a real Chroma folder. Each question is asked once, after others have
warmed things up, so that what a search remembers of earlier ones helps as it does in use. "cpu"
is what the asking thread itself used: on a busy machine the time on the clock says little.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.made_up import Asked, Prepared, Writer, Written
from kb.adapters.chroma import ChromaStore
from kb.catalog import Catalog
from kb.database import Database
from kb.lookup import Lookup
from kb.ports import PassageStore
from kb.retrieve import DEPTH, Retriever, content_words
from kb.types import Filters

SPLITTER = "scale-1"
AT_ONCE = 50  # documents whose vectors Chroma takes in one go
WARM_UP = 20
ASKERS = 8
FILTERS = {
    "no filter": Filters(),
    "one document": Filters(document_ids=("document-000003.md",)),
    "one publisher of twenty": Filters(publishers=("Publisher 3",)),
    "the last of six years": Filters(as_of_from="2025"),
    "a date that all pass": Filters(as_of_from="2000"),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """An index of made-up passages, and questions to ask it."""

    folder: Path
    database: Database
    store: PassageStore
    version: int
    passages: int
    asked: Sequence[Asked]

    @property
    def retriever(self) -> Retriever:
        """With nothing remembered."""
        return Retriever(Prepared(self.asked), self.store, Lookup(self.database))


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds: median and 95th percentile, on the clock and of the thread's own work."""

    what: str
    p50: float
    p95: float
    cpu_p50: float
    cpu_p95: float

    @property
    def line(self) -> str:
        return (
            f"| {self.what} | {self.p50:.1f} | {self.p95:.1f} "
            f"| {self.cpu_p50:.1f} | {self.cpu_p95:.1f} |"
        )


# -- the index -----------------------------------------------------------------------------------


def build(folder: Path, passages: int, questions: int) -> Scale:
    """An index of that many passages or a few more, in an empty folder."""
    database = Database(f"sqlite:///{folder / 'catalog.sqlite3'}")
    catalog, store = Catalog(database), ChromaStore.embedded(folder / "chroma")
    writer = Writer()
    staged: list[tuple[str, str]] = []
    asked: list[Asked] = []
    count = 0
    for batch in _in_batches(writer.documents(passages)):
        for written in batch:
            entries = written.entries(SPLITTER)
            catalog.stage(written.document, SPLITTER, entries)
            staged.append((written.document.id, written.document.revision))
            count += len(entries)
        store.put(
            [i for written in batch for i, _, _ in written.entries(SPLITTER)],
            np.stack([encoding.pooled for written in batch for encoding in written.encodings]),
        )
        share = -(-questions * len(batch) * len(batch[0].passages) // passages)
        asked += [writer.question(written) for written in batch[:share]]
    return Scale(folder, database, store, catalog.flip(staged), count, asked[:questions])


def _in_batches(documents: Iterator[Written]) -> Iterator[list[Written]]:
    batch: list[Written] = []
    for document in documents:
        batch.append(document)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def disk(path: Path) -> int:
    """Bytes of a file or folder."""
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)


# -- timing --------------------------------------------------------------------------------------


def timed(what: str, action: Callable[[Asked], object], asked: Sequence[Asked]) -> Timed:
    """Each question once; the first WARM_UP are not counted."""
    return _summed_up(what, [_once(action, one) for one in asked][WARM_UP:])


def timed_together(what: str, action: Callable[[Asked], object], asked: Sequence[Asked]) -> Timed:
    """The same with ASKERS threads that ask one question after the other."""
    with ThreadPoolExecutor(ASKERS) as askers:
        return _summed_up(what, list(askers.map(lambda one: _once(action, one), asked))[WARM_UP:])


def _once(action: Callable[[Asked], object], one: Asked) -> tuple[float, float]:
    clock, work = time.perf_counter(), time.thread_time()
    action(one)
    return time.perf_counter() - clock, time.thread_time() - work


def _summed_up(what: str, seconds: Sequence[tuple[float, float]]) -> Timed:
    clock, work = np.array(seconds).T * 1000
    return Timed(
        what,
        float(np.percentile(clock, 50)),
        float(np.percentile(clock, 95)),
        float(np.percentile(work, 50)),
        float(np.percentile(work, 95)),
    )


def searches(scale: Scale) -> Iterator[Timed]:
    """Question to ranked passages, encoder left out."""
    for what, filters in FILTERS.items():
        retriever = scale.retriever
        yield timed(
            f"search, {what}",
            lambda one, r=retriever, f=filters: r.search(one.text, scale.version, f),  # type: ignore[misc]  # defaults bind now
            scale.asked,
        )
    retriever = scale.retriever
    yield timed_together(
        f"search, {ASKERS} askers at once",
        lambda one: retriever.search(one.text, scale.version),
        scale.asked,
    )


def parts(scale: Scale) -> Iterator[Timed]:
    """What a search is made of."""
    lookup, store, version, none = Lookup(scale.database), scale.store, scale.version, Filters()
    found = {one.text: [i for i, _ in store.nearest(one.pooled, 2 * DEPTH)] for one in scale.asked}
    publisher = FILTERS["one publisher of twenty"]
    calls: dict[str, Callable[[Asked], object]] = {
        "by words": lambda one: lookup.lexical(content_words(one.text), version, DEPTH, none),
        "by vector": lambda one: store.nearest(one.pooled, DEPTH),
        f"load {2 * DEPTH} passages": lambda one: lookup.load(found[one.text], version, none),
        "vectors of one publisher": lambda one: lookup.matching(version, publisher, 4000),
    }
    for what, call in calls.items():
        yield timed(what, call, scale.asked)


def report(passages: int, questions: int) -> Iterator[str]:
    """Markdown, line by line."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-scale-") as folder:
        began = time.perf_counter()
        scale = build(Path(folder), passages, questions)
        took = time.perf_counter() - began
        catalog = disk(Path(folder) / "catalog.sqlite3") / scale.passages
        vectors = disk(Path(folder) / "chroma") / scale.passages
        yield f"### {scale.passages:,} passages"
        yield ""
        yield f"| {len(scale.asked) - WARM_UP} questions | p50 ms | p95 ms | cpu p50 | cpu p95 |"
        yield "|---|---|---|---|---|"
        for measured in (*searches(scale), *parts(scale)):
            yield measured.line
        yield ""
        yield f"- written in {took:.0f} s: {scale.passages / took:.0f} passages a second"
        yield f"- on disk, bytes a passage: {catalog:.0f} in the catalog, {vectors:.0f} in Chroma"
        yield f"- most memory in use so far: {_peak_megabytes():.0f} MB"
        yield ""
        scale.database.close()


def _peak_megabytes() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--passages", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--questions", type=int, default=200)
    given = parser.parse_args()
    for passages in given.passages:
        for line in report(passages, given.questions):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
