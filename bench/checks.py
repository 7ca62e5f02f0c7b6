"""The checks over claims whose truth is known: hand-written ones of the corpus, and made ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.asking import Metered
from bench.claims import KINDS, golds, made
from bench.rows import ROOT, Results, Row
from bench.squad import articles, sample
from bench.verifier import Checking, Claim, in_turn, pieces, stating
from ingest.readers import read
from kb.settings import Settings
from kb.types import Document
from kb.wiring import KnowledgeBase

WRITTEN, MADE = "claims_written.jsonl", "claims_made.jsonl"
EACH = 40  # made claims of a kind
GOLDS = 200  # answerable questions whose sentences they are made of


def corpus(settings: Settings) -> list[Document]:
    """The documents of the corpus folder that the hand-written claims are about."""
    folder = settings.corpus
    paths = sorted(folder.glob("*.md"))
    return [read(path, folder, settings.file_mb * 1_000_000) for path in paths]


def written(documents: list[Document], token_count: Callable[[str], int]) -> list[Claim]:
    """Those of tests/claims.json. They were written while the checks were."""
    found = json.loads((ROOT / "tests" / "claims.json").read_text(encoding="utf-8"))
    known = [piece for document in documents for piece in pieces(document, token_count)]
    return [
        Claim(f"written{number:03}", item["claim"], item["holds"], item["kind"],
              tuple(stating(known, snippet) for snippet in item["on"]))
        for number, item in enumerate(found)
    ]  # fmt: skip


def held(squad: Path, token_count: Callable[[str], int]) -> list[Claim]:
    """Those made from sentences of the held articles, which nothing was tuned on."""
    known = {document.id: pieces(document, token_count) for document in articles(squad, "HELD")}
    readings = [reading for reading in sample(squad, "HELD", GOLDS) if reading.answers]
    return list(in_turn(made(golds(readings, known), EACH), KINDS))


def run(kb: KnowledgeBase, meter: Metered, claims: list[Claim], results: Results) -> Iterator[Row]:
    """Checks each claim; its documents must be the knowledge base's."""
    checking = Checking(kb, meter)
    yield from results.of(((claim.id, claim) for claim in claims), checking.row)
