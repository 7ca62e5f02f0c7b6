"""Puts the parts together: the one place that names concrete adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing as closed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.adapters.background import BackgroundModel, LoadedModel
from kb.adapters.chroma import ChromaStore
from kb.adapters.minilm import MiniLmEncoder, ensure_encoder
from kb.answer_cache import AnswerCache
from kb.answering.answer import Answering, Limits
from kb.answering.confidence import Confidence
from kb.answering.copying import copy_messages
from kb.catalog import Catalog
from kb.database import Database
from kb.errors import WeighbridgeError
from kb.events import Answered, Ask, Event
from kb.feedback import FeedbackBook
from kb.journal import Journal
from kb.lookup import Lookup
from kb.migrating import Switching, take_up
from kb.ownership import Turn
from kb.ports import ChatModel, Embedder, PassageStore
from kb.remembering import remembered
from kb.retrieve import Found, Retriever
from kb.rewrite_prompt import understanding
from kb.settings import Settings
from kb.suggestions import Suggestions
from kb.types import Answer, Filters, IndexIdentity
from kb.underway import Questions
from kb.upkeep import Upkeep
from kb.weights import locate, pull
from kb.weights_catalogue import CATALOGUE, find

if TYPE_CHECKING:
    from kb.adapters.openai_chat import OpenAiChatModel

ENCODER = "all-minilm-l6-v2"


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """Everything that a question or an ingest needs, built once a process."""

    settings: Settings
    database: Database
    catalog: Catalog
    lookup: Lookup
    store: PassageStore
    embedder: Embedder
    retriever: Retriever
    model: ChatModel
    model_status: Callable[[], tuple[str, str]]  # ("loading" | "ready" | "failed", in words)
    answering: Answering
    suggestions: Suggestions
    journal: Journal
    feedback: FeedbackBook
    turn: Turn
    upkeep: Upkeep
    splitter: str
    questions: Questions
    closing: Callable[[], None]

    def ask(self, ask: Ask, cancelled: Callable[[], bool] = lambda: False) -> Answer:
        """Raises EmptyQuestion, QuestionTooLong, VersionNotFound, StoreUnavailable."""
        *_, last = self.events(ask, cancelled)
        assert isinstance(last, Answered)
        return last.answer

    def events(
        self,
        ask: Ask,
        cancelled: Callable[[], bool] = lambda: False,
        answer_id: str | None = None,
    ) -> Iterator[Event]:
        """The same, step by step; the last event is Answered. The answer is stored, as `answer_id`
        if that is given; where only a conversation is named, its stored turns are the history."""
        with self.questions.one():
            yield from remembered(self.answering, self.journal, ask, cancelled, answer_id)

    def search(
        self,
        question: str,
        filters: Filters | None = None,
        count: int = 10,
        version: int | None = None,
        words_will_do: bool = False,
    ) -> Found:
        """Ranked passages of the current or the named corpus version, without generation.
        words_will_do: where the vector store is away and can't be done without, as the result says.
        Raises EmptyQuestion, QuestionTooLong, VersionNotFound, StoreUnavailable."""
        with self.questions.one():
            pinned = self.answering.pin(question, version)
            return self.retriever.search(question, pinned, filters, count, words_will_do)

    @property
    def identity(self) -> IndexIdentity:
        """What passages are made with here."""
        return identity_of(self.embedder, self.splitter)

    def switching(self) -> Switching:
        """To an index that was built beside this one."""
        parts = self.store, self.catalog.identity, self.turn, self.upkeep, self.questions
        return Switching(self.database, *parts)

    def close(self) -> None:
        self.closing()
        self.database.close()


def compose(
    settings: Settings,
    embedder: Embedder,
    store: PassageStore,
    model: ChatModel,
    splitter: str,
    model_status: Callable[[], tuple[str, str]] = lambda: ("ready", "the chat model is loaded"),
    closing: Callable[[], None] = lambda: None,
    confidence: Confidence | None = None,
) -> KnowledgeBase:
    """A knowledge base from parts: real ones in `build`, shipped fakes in tests.
    Raises IndexMismatch, StoreUnavailable."""
    database = Database(settings.catalog_url, settings.store_seconds)
    catalog, lookup = Catalog(database), Lookup(database)
    catalog.claim(identity_of(embedder, splitter))
    retriever = Retriever(embedder, store, lookup)
    limits = Limits(
        question_chars=settings.question_chars,
        answer_seconds=settings.answer_seconds,
        answer_from=settings.answer_from,
        quote_from=settings.quote_from,
    )
    cache = AnswerCache(settings.answer_cache)
    suggestions = Suggestions(database, lookup, retriever, embedder)
    answering = Answering(
        catalog, retriever, cache.watching(model), confidence or Confidence.shipped(), limits,
        cache, suggest=suggestions.for_question,
        understand=understanding(settings.follow_ups, model),
    )  # fmt: skip
    journal, feedback = Journal(database, settings.conversation_days), FeedbackBook(database)
    turn = Turn(database)
    upkeep = Upkeep(
        catalog, lookup, store, journal, turn, settings.keep_versions, cache.forget_document
    )
    return KnowledgeBase(
        settings, database, catalog, lookup, store, embedder, retriever, model, model_status,
        answering, suggestions, journal, feedback, turn, upkeep, splitter, Questions(), closing,
    )  # fmt: skip


def identity_of(embedder: Embedder, splitter: str) -> IndexIdentity:
    return IndexIdentity(embedder.name, embedder.weights_sha256, embedder.dimension, splitter)


def build(settings: Settings, splitter: str) -> KnowledgeBase:
    """The real thing. The encoder must be there (WeightsMissing); the chat model loads, and if
    need be is fetched, in the background. Hold `kb.ownership.owned(settings.index)` around it."""
    embedder = load_encoder(settings)
    store = open_store(settings)
    model = chat_model(settings)

    def closing() -> None:
        model.close()
        store.close()

    try:
        taken_up = take_up_migrated(settings, embedder, store, splitter)
        kb = compose(settings, embedder, store, model, splitter, lambda: model.status, closing)
        mend(kb, taken_up)
    except WeighbridgeError:
        closing()
        raise
    return kb


def take_up_migrated(
    settings: Settings, embedder: Embedder, store: ChromaStore, splitter: str
) -> bool:
    """Before `compose`: an index that `kb migrate` built for this embedder and splitter takes the
    place of the one that is there. Whether it did. Raises StoreInUse, StoreUnavailable."""
    with closed(Database(settings.catalog_url, settings.store_seconds)) as database:
        return take_up(database, store, identity_of(embedder, splitter), store.clear)


def mend(kb: KnowledgeBase, taken_up: bool) -> None:
    """At a start, before anyone asks here. taken_up: the index before this one goes; where it may
    be read elsewhere still, with its corpus versions."""
    kb.upkeep.mend()
    if taken_up:
        with kb.turn.taken():
            kb.upkeep.sweep(keep=None if kb.database.served else 0)


def load_encoder(settings: Settings) -> MiniLmEncoder:
    """Verified weights, exported once. Raises WeightsMissing, WeightsCorrupt, EncoderMismatch."""
    weights = locate(ENCODER, settings.weights, kind="encoder").path.parent
    ensure_encoder(weights, weights / "onnx")
    return MiniLmEncoder(weights, weights / "onnx", settings.threads)


def open_store(settings: Settings) -> ChromaStore:
    """Vectors in this process, or on the server that the settings name. Raises StoreUnavailable."""
    if settings.chroma_url is None:
        return ChromaStore.embedded(settings.index / "chroma")
    return ChromaStore.server(str(settings.chroma_url), settings.store_seconds)


def chat_model(settings: Settings) -> BackgroundModel | OpenAiChatModel:
    """In this process, or on the server that the settings name."""
    if settings.chat_url is None:
        return background_model(settings)
    from kb.adapters.openai_chat import OpenAiChatModel  # its client takes half a second to import

    key = settings.chat_key.get_secret_value() if settings.chat_key else None
    return OpenAiChatModel(
        str(settings.chat_url), settings.model, key, silence_seconds=settings.chat_seconds
    )


def background_model(settings: Settings) -> BackgroundModel:
    """The chat model that the settings name, on its way."""
    state = {"words": "the chat model is being loaded"}

    def progress(done: int, total: int, what: str) -> None:
        percent = 100 * done // max(total, 1)
        state["words"] = f"the chat model's weights are being fetched: {percent} % ({what})"

    def load() -> LoadedModel:
        from kb.adapters.llamacpp import LlamaCppModel  # heavy: only where a model is loaded

        if any(entry.name == settings.model for entry in CATALOGUE):
            pull(find(settings.model), settings.weights, progress)
        state["words"] = "the chat model is being loaded"
        located = locate(settings.model, settings.weights)
        model = LlamaCppModel(located.path, located.name, settings.threads, settings.context_tokens)
        model.warm(copy_messages("", []))  # the first question should not wait for it
        return model

    return BackgroundModel(settings.model, load, lambda: state["words"])
