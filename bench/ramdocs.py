"""RAMDocs: documents that disagree, some of them wrong, some about something else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.asking import Asking
from bench.questions import load
from bench.rows import Results, Row
from bench.squad import holds
from kb.events import Ask
from kb.types import Document, Filters

FILE = "ramdocs.jsonl"
MOST = 50


@dataclass(frozen=True, slots=True)
class Disputed:
    """A question on its own documents. golds: all are right, for things of one name. wrongs: what
    its wrong documents say."""

    id: str
    question: str
    documents: tuple[Document, ...]
    golds: tuple[str, ...]
    wrongs: tuple[str, ...]


def sample(path: Path) -> list[Disputed]:
    """The file's first questions."""
    return [
        Disputed(
            f"ram{number:03}",
            item["question"],
            tuple(
                Document(f"ram{number:03}-{n}", f"Document {n}", None, f"ram{number:03}/{n}", None,
                         document["text"].strip())
                for n, document in enumerate(item["documents"], 1)
            ),
            tuple(item["gold_answers"]),
            tuple(dict.fromkeys(item["wrong_answers"])),
        )
        for number, item in enumerate(load(path)[:MOST], 1)
    ]  # fmt: skip


def documents(path: Path) -> list[Document]:
    return [document for disputed in sample(path) for document in disputed.documents]


def run(asking: Asking, path: Path, results: Results) -> Iterator[Row]:
    """Asks each question of its own documents, which must be among the knowledge base's."""

    def work(disputed: Disputed) -> Row:
        own = Filters(document_ids=tuple(document.id for document in disputed.documents))
        row = asking.row(Ask(disputed.question, filters=own))
        quotes = " \n ".join(citation["quote"] for citation in row["citations"])
        return row | {
            "golds": disputed.golds,
            "wrongs": disputed.wrongs,
            "golds_in_text": [gold for gold in disputed.golds if holds(row["answer"], (gold,))],
            "golds_in_quotes": [gold for gold in disputed.golds if holds(quotes, (gold,))],
            "wrongs_in_text": [
                wrong for wrong in disputed.wrongs if holds(row["answer"], (wrong,))
            ],
        }

    yield from results.of(((d.id, d) for d in sample(path)), work)
