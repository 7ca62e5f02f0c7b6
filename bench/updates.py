"""`python -m bench.updates`: what re-ingesting costs, in embeddings, seconds, memory and disk.

The encoder is the shipped fake, which hashes words: embeddings are counted, and seconds and memory
are those of everything but the encoder. Catalog, vector store and ingest are the product's own.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ingest.pipeline import Pipeline
from ingest.split import SPLITTER
from kb.adapters.chroma import ChromaStore
from kb.fakes import WordEmbedder
from kb.fakes_model import ScriptedModel
from kb.settings import load_settings
from kb.types import Encoding
from kb.wiring import KnowledgeBase, compose

WORDS = (
    "open weights model licence price token vendor context window memory card training data report "
    "hosted private deployment evaluation benchmark latency cost support version release safety"
).split()
SENTENCES_OF_LONG = 1400  # of a document of some 200 passages
SENTENCES = 12  # of a document: three or four passages
PARAGRAPH, SECTION = 6, 4  # sentences, and paragraphs
SHARE = 10  # one document in so many changes in a round


@dataclass
class Counting(WordEmbedder):
    """Counts the texts that it was given."""

    embedded: int = 0

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        self.embedded += len(texts)
        return super().embed_passages(texts)


@dataclass
class Corpus:
    """Made-up documents as files, the same ones each time."""

    folder: Path
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def write(self, number: int, sentences: int = SENTENCES) -> Path:
        path = self.folder / f"{number % 100:02d}" / f"document-{number:06d}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        paragraphs = (
            " ".join(self.sentence() for _ in range(min(PARAGRAPH, sentences - start)))
            for start in range(0, sentences, PARAGRAPH)
        )
        text = "\n\n".join(
            f"## Part {n}\n\n{paragraph}" if n % SECTION == 0 else paragraph
            for n, paragraph in enumerate(paragraphs)
        )
        path.write_text(f"# Document {number}\n\n{text}\n")
        return path

    def sentence(self) -> str:
        words = self.chance.choices(WORDS, k=14)
        return f"{' '.join(words).capitalize()} {self.chance.randint(1, 10**6)}."


@contextmanager
def index(home: Path) -> Iterator[tuple[KnowledgeBase, Counting]]:
    embedder = Counting()
    with closing(ChromaStore.embedded(home / "index" / "chroma")) as store:
        settings = load_settings({"KB_HOME": str(home)})
        kb = compose(settings, embedder, store, ScriptedModel([""]), SPLITTER)
        try:
            yield kb, embedder
        finally:
            kb.close()


# -- embeddings ----------------------------------------------------------------------------------


def unchanged(folder: Path, documents: int) -> str:
    corpus = Corpus(folder / "corpus")
    for number in range(documents):
        corpus.write(number)
    with index(folder / "home") as (kb, embedder):
        Pipeline.of(kb).run([corpus.folder])
        first, started = embedder.embedded, time.perf_counter()
        Pipeline.of(kb).run([corpus.folder])
        seconds = time.perf_counter() - started
    again = embedder.embedded - first
    return f"| {documents:,} unchanged documents | {again} | {seconds:.1f} |"


def one_sentence(folder: Path, sentences: int) -> str:
    corpus = Corpus(folder / "corpus")
    path = corpus.write(0, sentences)
    with index(folder / "home") as (kb, embedder):
        whole = Pipeline.of(kb).run([corpus.folder]).passages
        changed = path.read_text().split(". ")
        changed[len(changed) // 2] = "One sentence was written anew"
        path.write_text(". ".join(changed))
        first, started = embedder.embedded, time.perf_counter()
        Pipeline.of(kb).run([corpus.folder])
        seconds = time.perf_counter() - started
    again = embedder.embedded - first
    return f"| one sentence changed in a document of {whole} passages | {again} | {seconds:.1f} |"


# -- memory --------------------------------------------------------------------------------------


def memory(folder: Path, documents: int) -> Iterator[str]:
    corpus = Corpus(folder / "corpus")
    for number in range(documents):
        corpus.write(number, sentences=4)
    marks = {documents * share // 10 for share in (1, 2, 5, 10)}
    seen: dict[int, float] = {}

    def progress(what: str, done: int, total: int) -> None:
        if what == "embedding":
            for mark in marks - seen.keys():
                if done >= mark:
                    seen[mark] = resident()

    with index(folder / "home") as (kb, _):
        empty, started = resident(), time.perf_counter()
        report = Pipeline.of(kb).run([corpus.folder], progress=progress)
        seconds = time.perf_counter() - started
        vectors = report.passages * kb.embedder.dimension * 4 / 1e6
    for mark in sorted(seen):
        yield f"| {mark:,} | {seen[mark]:.0f} | {seen[mark] - empty:.0f} |"
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    yield ""
    yield (
        f"{report.passages:,} passages in {seconds:.0f} s. Highest {highest:.0f} MB, "
        f"{empty:.0f} MB before the first document; the vectors that Chroma keeps in memory are "
        f"{vectors:.0f} MB of it, without their graph."
    )


def resident() -> float:
    """MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# -- disk ----------------------------------------------------------------------------------------


def rounds(folder: Path, documents: int, count: int, share: int) -> Iterator[str]:
    """One document in `share` is written anew before each round."""
    corpus = Corpus(folder / "corpus")
    for number in range(documents):
        corpus.write(number)
    home = folder / "home"
    with index(home) as (kb, _):
        kept = kb.settings.keep_versions
        sizes = []
        for turn in range(count + 1):
            if turn:
                for number in range(turn % share, documents, share):
                    corpus.write(number)
            Pipeline.of(kb).run([corpus.folder])
            sizes.append(size(home))
    base = 0 if share > 1 else kept  # from then on as many versions are kept as ever will be
    shown = sorted({0, kept, count // 2, count})
    for turn in shown:
        catalog, vectors = sizes[turn]
        ratio = (catalog + vectors) / sum(sizes[base])
        yield f"| {turn} | {catalog:.1f} | {vectors:.1f} | {ratio:.2f} |"


def size(home: Path) -> tuple[float, float]:
    """MB of the catalog, and of the vectors."""
    files = [path for path in (home / "index").rglob("*") if path.is_file()]
    of_all = sum(path.stat().st_size for path in files) / 1e6
    catalog = sum(path.stat().st_size for path in files if "catalog" in path.name) / 1e6
    return catalog, of_all - catalog


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10_000, help="for the memory")
    parser.add_argument("--rounds", type=int, default=50, help="of updates")
    given = parser.parse_args()
    print("\n## Updates\n")  # noqa: T201
    print(__doc__.split("\n\n", 1)[1])  # noqa: T201
    for line in report(given.documents, given.rounds):
        print(line, flush=True)  # noqa: T201


def report(documents: int, count: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as place:
        root = Path(place)
        yield f"### Memory while {documents:,} documents are ingested\n"
        yield "| documents | MB | more than empty |\n|---|---|---|"
        yield from memory(root / "memory", documents)
        yield "\n### Embeddings\n"
        yield "| ingested again | embedded | seconds |\n|---|---|---|"
        yield unchanged(root / "unchanged", documents // 10)
        yield one_sentence(root / "sentence", SENTENCES_OF_LONG)
        for share in (SHARE, 1):
            what = f"one document in {share}" if share > 1 else "every document"
            yield f"\n### Disk over {count} rounds that change {what}\n"
            against = "the first" if share > 1 else "all kept versions there"
            yield f"| round | catalog, MB | vectors, MB | times {against} |\n|---|---|---|---|"
            yield from rounds(root / f"disk{share}", 500 if share > 1 else 60, count, share)


if __name__ == "__main__":
    main()
