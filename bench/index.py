"""A throw-away index over a folder of documents, made exactly as `kb ingest` makes one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ingest.pipeline import Pipeline
from ingest.split import SPLITTER, split
from kb.adapters.chroma import ChromaStore
from kb.errors import ModelNotReady
from kb.fakes_model import ScriptedModel
from kb.ports import ChatModel
from kb.settings import Settings
from kb.types import Document
from kb.wiring import KnowledgeBase, chat_model, compose, load_encoder


@contextmanager
def bare(
    settings: Settings, model: ChatModel | None = None
) -> Iterator[tuple[KnowledgeBase, Callable[[str], int]]]:
    """An empty one, with the encoder's token counter: real encoder, Chroma and SQLite."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        # without a cache: each question is measured as if it were the first
        own = {"database_url": f"sqlite:///{folder}/catalog.sqlite3", "answer_cache": 0}
        here = settings.model_copy(update=own)
        encoder = load_encoder(settings)
        store = ChromaStore.embedded(Path(folder) / "chroma")
        kb = compose(
            here, encoder, store, model or ScriptedModel([""]), SPLITTER, closing=store.close
        )
        try:
            yield kb, encoder.token_count
        finally:
            kb.close()


@contextmanager
def indexed(settings: Settings, folders: list[Path], model: ChatModel) -> Iterator[KnowledgeBase]:
    """The same with the documents of the folders."""
    with bare(settings, model) as (kb, token_count):
        pipeline(kb, token_count).run(folders)
        yield kb


@contextmanager
def loaded(settings: Settings) -> Iterator[ChatModel]:
    """The chat model that the settings name, once it can answer. Raises ModelNotReady: without a
    model something else would be measured."""
    model = chat_model(settings)
    try:
        while model.status[0] == "loading":
            time.sleep(0.2)
        status, detail = model.status
        if status != "ready":
            raise ModelNotReady(detail)
        yield model
    finally:
        model.close()


def shelve(kb: KnowledgeBase, documents: list[Document], token_count: Callable[[str], int]) -> None:
    """Makes documents that are no files the current corpus version."""
    for document in documents:
        passages = split(document, token_count)
        encodings = kb.embedder.embed_passages([p.body for p in passages])
        entries = [
            (p.id(SPLITTER, kb.embedder.name), p, e)
            for p, e in zip(passages, encodings, strict=True)
        ]
        kb.catalog.stage(document, SPLITTER, entries)
        kb.store.put([i for i, _, _ in entries], np.stack([e.pooled for _, _, e in entries]))
    kb.catalog.flip([(document.id, document.revision) for document in documents])


def pipeline(kb: KnowledgeBase, token_count: Callable[[str], int]) -> Pipeline:
    return Pipeline(
        kb.catalog,
        kb.lookup,
        kb.store,
        kb.embedder,
        token_count,
        kb.settings.file_mb * 1_000_000,
        kb.upkeep,
        kb.turn,
    )
