"""SciFact: does a quote support a claim, or contradict it? The checks alone, no question."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.asking import Metered
from bench.questions import load
from bench.rows import Results, Row
from bench.verifier import Checking, Claim, overlap, whole
from kb.types import Document
from kb.wiring import KnowledgeBase

FILE = "scifact.jsonl"


def documents(path: Path) -> list[Document]:
    """Each pair's evidence."""
    return [
        Document(f"sci{number:03}", "Abstract", None, f"sci{number:03}", None, item["evidence"])
        for number, item in enumerate(load(path))
    ]


def claims(path: Path) -> list[Claim]:
    return [
        Claim(document.id, item["claim"], item["label"] == "SUPPORT", item["label"],
              (whole(document),))
        for item, document in zip(load(path), documents(path), strict=True)
    ]  # fmt: skip


def run(kb: KnowledgeBase, meter: Metered, path: Path, results: Results) -> Iterator[Row]:
    """Checks each claim against its evidence, which must be among the knowledge base's documents;
    the model says what it thinks of every pair."""
    checking = Checking(kb, meter)

    def work(claim: Claim) -> Row:
        quote = claim.pieces[0].quote
        return checking.row(claim, entailment=True) | {"overlap": overlap(claim.text, quote)}

    yield from results.of(((claim.id, claim) for claim in claims(path)), work)
