"""The knowledge base opened in this process, for as long as one command runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from kb.errors import ModelNotReady, StoreError
from kb.ownership import owned
from kb.settings import Settings
from kb.types import Message

if TYPE_CHECKING:  # Chroma and onnxruntime take a second: only commands that open an index pay it
    from ingest.pipeline import Pipeline
    from kb.wiring import KnowledgeBase


class NoChatModel:
    """A ChatModel for commands that write no answer, so that they load and fetch nothing."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        raise ModelNotReady("this command loads no chat model; use `kb ask`")

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        raise ModelNotReady("this command loads no chat model; use `kb ask`")


@contextmanager
def answering(settings: Settings, url: str | None = None) -> Iterator[KnowledgeBase]:
    """With the chat model on its way in the background. url: where this process serves the index.
    Raises StoreInUse, WeightsMissing, IndexMismatch."""
    from ingest.split import SPLITTER
    from kb.wiring import build

    with owned(settings.index, url):
        kb = build(settings, SPLITTER)
        try:
            yield kb
        finally:
            kb.close()


@contextmanager
def searching(settings: Settings) -> Iterator[KnowledgeBase]:
    """Without a chat model. Raises StoreInUse, WeightsMissing, IndexMismatch."""
    with _opened(settings) as kb:
        yield kb


@contextmanager
def ingesting(settings: Settings, rebuild: bool = False) -> Iterator[Pipeline]:
    """rebuild: an empty index in place of the one that is there. Raises StoreInUse,
    WeightsMissing, and without `rebuild` IndexMismatch."""
    from ingest.pipeline import Pipeline

    with _opened(settings, rebuild) as kb:
        yield Pipeline.of(kb)


@contextmanager
def _opened(settings: Settings, rebuild: bool = False) -> Iterator[KnowledgeBase]:
    """Without a chat model."""
    from ingest.split import SPLITTER
    from kb.wiring import compose, load_encoder, open_store

    with owned(settings.index):
        embedder = load_encoder(settings)
        if rebuild:
            clear_index(settings)
        with closing(open_store(settings)) as store:
            kb = compose(settings, embedder, store, NoChatModel(settings.model), SPLITTER)
            try:
                kb.upkeep.mend()
                yield kb
            finally:
                kb.close()


def clear_index(settings: Settings) -> None:
    """Empties the index that the caller owns. The lock file stays: another process could lock a
    new one of the same name."""
    if settings.database_url is not None:
        raise StoreError(
            "--rebuild removes only an index under KB_HOME, and KB_DATABASE_URL puts the catalog "
            "elsewhere: name an empty database there, and ingest into it"
        )
    for path in settings.index.iterdir():
        if path.name == "owner.json":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
