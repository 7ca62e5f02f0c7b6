"""The knowledge base opened in this process, for as long as one command runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kb.errors import ModelNotReady, StoreError, WorkersUnavailable
from kb.ownership import owned
from kb.settings import Settings
from kb.types import Message, Token

if TYPE_CHECKING:  # Chroma and onnxruntime take a second: only commands that open an index pay it
    from ingest.crew import Crew
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

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
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
def ingesting(settings: Settings, rebuild: bool = False, workers: int = 1) -> Iterator[Pipeline]:
    """rebuild: an empty index in place of the one that is there. workers: processes that read,
    split and embed; 1: this one. Raises StoreInUse, WeightsMissing, WorkersUnavailable, and
    without `rebuild` IndexMismatch."""
    from ingest.pipeline import Pipeline

    with crew(settings, workers) as others, _opened(settings, rebuild) as kb:
        yield Pipeline.of(kb, others)


@contextmanager
def crew(
    settings: Settings, workers: int, installed: Callable[[str], object] = find_spec
) -> Iterator[Crew | None]:
    """Nobody but this process where one worker is enough. Raises WorkersUnavailable."""
    if workers == 1:
        yield None
        return
    if installed("ray") is None:
        raise WorkersUnavailable(
            "--workers needs Ray: pip install 'weighbridge[ray]', or leave it out"
        )
    from ingest.bulk import on_ray
    from kb.wiring import load_encoder

    # Each has its share of the threads, and no use for keys.
    share = {"threads": max(1, settings.threads // workers), "key": None, "chat_key": None}
    encoder = partial(load_encoder, settings.model_copy(update=share))
    with on_ray(workers, encoder, settings.file_mb * 1_000_000) as others:
        yield others


@contextmanager
def _opened(settings: Settings, rebuild: bool = False) -> Iterator[KnowledgeBase]:
    """Without a chat model."""
    from ingest.split import SPLITTER
    from kb.wiring import compose, load_encoder, mend, open_store, take_up_migrated

    with owned_unless_shared(settings):
        embedder = load_encoder(settings)
        if rebuild:
            clear_index(settings)
        with closing(open_store(settings)) as store:
            taken_up = take_up_migrated(settings, embedder, store, SPLITTER)
            kb = compose(settings, embedder, store, NoChatModel(settings.model), SPLITTER)
            try:
                mend(kb, taken_up)
                yield kb
            finally:
                kb.close()


@contextmanager
def owned_unless_shared(settings: Settings) -> Iterator[None]:
    """Of an index whose catalog and vectors both lie on servers nothing is in this folder: those
    servers see to it that one changes it at a time. Raises StoreInUse, StoreUnavailable."""
    if settings.shared:
        yield
        return
    with owned(settings.index):
        yield


def check_rebuild(settings: Settings) -> None:
    """Raises StoreError where the index, or half of it, lies elsewhere, and others may use it."""
    elsewhere = [
        name
        for name, address in (
            ("KB_DATABASE_URL", settings.database_url),
            ("KB_CHROMA_URL", settings.chroma_url),
        )
        if address is not None
    ]
    if elsewhere:
        raise StoreError(
            f"--rebuild removes only an index under KB_HOME, and {' and '.join(elsewhere)} put it, "
            "or half of it, elsewhere: name an empty database and an empty vector store, and "
            "ingest into them; or, after a change of encoder or splitter: kb migrate"
        )


def clear_index(settings: Settings) -> None:
    """Empties the index that the caller owns. The lock file stays: another process could lock a
    new one of the same name. Raises StoreError."""
    check_rebuild(settings)
    for path in settings.index.iterdir():
        if path.name == "owner.json":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
