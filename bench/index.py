"""A throw-away index over a folder of documents, made exactly as `kb ingest` makes one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.pipeline import Pipeline
from ingest.split import SPLITTER
from kb.adapters.chroma import ChromaStore
from kb.ports import ChatModel
from kb.settings import Settings
from kb.wiring import KnowledgeBase, compose, load_encoder


@contextmanager
def indexed(settings: Settings, folders: list[Path], model: ChatModel) -> Iterator[KnowledgeBase]:
    """Real encoder, real Chroma, real SQLite, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder:
        here = settings.model_copy(update={"database_url": f"sqlite:///{folder}/catalog.sqlite3"})
        encoder = load_encoder(settings)
        store = ChromaStore.embedded(Path(folder) / "chroma")
        kb = compose(here, encoder, store, model, SPLITTER)
        try:
            pipeline(kb, encoder.token_count).run(folders)
            yield kb
        finally:
            kb.close()


def pipeline(kb: KnowledgeBase, token_count: object) -> Pipeline:
    return Pipeline(
        kb.catalog,
        kb.lookup,
        kb.store,
        kb.embedder,
        token_count,  # type: ignore[arg-type]
        kb.settings.file_mb * 1_000_000,
        kb.settings.keep_versions,
    )
