"""Paragraph retrieval on SQuAD 2.0, beside BM25 over the same paragraphs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import bm25s
from ir_measures import Qrel, ScoredDoc

from bench.index import bare, shelve
from bench.retrieval import DEPTH, Stage, rankings, stage
from kb.settings import Settings
from kb.types import Document

_WORD = re.compile(r"(?u)\b\w\w+\b")  # bm25s's own


def compare(settings: Settings, path: Path, most: int | None = None) -> list[Stage]:
    """BM25 (bm25s at its defaults, no stemming) and this project's stages over every paragraph
    of the file, on its answerable questions; `most`: the first so many of them."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    paragraphs = [
        Document(f"p{i:04}", line["title"], None, f"p{i:04}", None, line["context"])
        for i, line in enumerate(lines)
    ]
    asked = [
        (qa["id"], qa["q"], paragraphs[i].id)
        for i, line in enumerate(lines)
        for qa in line["qas"]
        if qa["answers"]
    ][:most]
    qrels = [Qrel(question, paragraph, 1) for question, _, paragraph in asked]
    runs = {"BM25": _bm25(paragraphs, asked)} | _ours(settings, paragraphs, asked)
    return [stage(name, qrels, run) for name, run in runs.items()]


def _bm25(paragraphs: list[Document], asked: list[tuple[str, str, str]]) -> list[ScoredDoc]:
    corpus = bm25s.tokenize([p.text for p in paragraphs], stopwords=None, show_progress=False)
    index = bm25s.BM25()
    index.index(corpus, show_progress=False)
    run = []
    for question, text, _ in asked:
        words = [w for w in _WORD.findall(text.lower()) if w in corpus.vocab]
        scores = index.get_scores(words) if words else [0.0] * len(paragraphs)
        run += [
            ScoredDoc(question, p.id, float(s)) for p, s in zip(paragraphs, scores, strict=True)
        ]
    return run


def _ours(
    settings: Settings, paragraphs: list[Document], asked: list[tuple[str, str, str]]
) -> dict[str, list[ScoredDoc]]:
    """A paragraph ranks as its best passage does."""
    runs: dict[str, list[ScoredDoc]] = {}
    with bare(settings) as (kb, token_count):
        shelve(kb, [replace(p, title="") for p in paragraphs], token_count)
        for question, text, _ in asked:
            hits = kb.search(text, count=DEPTH).hits
            owner = {hit.stored.id: hit.stored.source.document_id for hit in hits}
            for name, scores in rankings(hits).items():
                best: dict[str, float] = {}
                for passage, score in scores.items():
                    best[owner[passage]] = max(score, best.get(owner[passage], score))
                runs.setdefault(name, []).extend(ScoredDoc(question, p, s) for p, s in best.items())
    return runs
