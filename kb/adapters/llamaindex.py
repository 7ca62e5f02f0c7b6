"""LlamaIndex's retriever and query engine, as thin shells around a knowledge base.

Other people's LlamaIndex code can search and ask with them; nothing of the library decides what is
found or said. LlamaIndex's own asynchronous methods block the event loop: these don't.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Protocol

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import (
    NodeRelationship,
    NodeWithScore,
    ObjectType,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)

from kb.events import Ask
from kb.retrieve import Found
from kb.types import Answer, Citation, Filters, Hit, Source

COUNT = 10
# What a prompt that is made from the nodes does not need; and no metadata helps a vector.
_NOT_FOR_MODELS = ("document_id", "revision", "kind", "marker", "start", "end")


class Searched(Protocol):
    """A `KnowledgeBase`, as far as a retriever needs it."""

    def search(
        self, question: str, filters: Filters | None = None, count: int = COUNT
    ) -> Found: ...


class Asked(Searched, Protocol):
    """A `KnowledgeBase`, as far as a query engine needs it."""

    def ask(self, ask: Ask, cancelled: Callable[[], bool] = lambda: False) -> Answer: ...


class KnowledgeBaseRetriever(BaseRetriever):
    """Ranked passages as nodes: a node's id is the passage's, its characters are counted in the
    document's text, and its score is the knowledge base's."""

    def __init__(
        self,
        kb: Searched,
        count: int = COUNT,
        filters: Filters | None = None,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._kb = kb
        self._passages = count
        self._filters = filters
        super().__init__(callback_manager=callback_manager)

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        """Raises EmptyQuestion, QuestionTooLong."""
        found = self._kb.search(query_bundle.query_str, self._filters, self._passages)
        return [_passage(hit) for hit in found.hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class KnowledgeBaseQueryEngine(BaseQueryEngine):
    """Checked answers as responses. `source_nodes` are the quotes of the citations, in the order
    of their markers; a refusal has none. `metadata` has `outcome`, `reason` and the rest."""

    def __init__(
        self,
        kb: Asked,
        filters: Filters | None = None,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._kb = kb
        self._filters = filters or Filters()
        self._retriever = KnowledgeBaseRetriever(kb, filters=filters)
        super().__init__(callback_manager=callback_manager)

    def retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return self._retriever.retrieve(query_bundle)

    async def aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await self._retriever.aretrieve(query_bundle)

    def _query(self, query_bundle: QueryBundle) -> Response:
        """Raises EmptyQuestion, QuestionTooLong, StoreUnavailable."""
        return self._answered(query_bundle, lambda: False)

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        """Cancelling it stops the chat model."""
        gone = threading.Event()
        try:
            return await asyncio.to_thread(self._answered, query_bundle, gone.is_set)
        finally:
            gone.set()

    def _answered(self, query_bundle: QueryBundle, gone: Callable[[], bool]) -> Response:
        return _response(self._kb.ask(Ask(query_bundle.query_str, filters=self._filters), gone))

    def _get_prompt_modules(self) -> PromptMixinType:
        """None: prompts are no part of the interface, because the checks rely on them."""
        return {}


def _response(answer: Answer) -> Response:
    places = {citation.marker: citation for citation in answer.citations}
    told: dict[str, Any] = {
        "id": answer.id,
        "outcome": answer.outcome,
        "reason": answer.reason,
        "standalone_question": answer.standalone_question,
        "conflicts": [
            {
                "about": conflict.about,
                "positions": [
                    {"statement": side.statement, "citations": list(side.citations)}
                    for side in conflict.positions
                ],
            }
            for conflict in answer.conflicts
        ],
        "withheld": answer.withheld,
        "corpus_version": answer.corpus_version,
        "model": answer.model,
    }
    return Response(answer.text, [_quote(places[marker]) for marker in sorted(places)], told)


def _passage(hit: Hit) -> NodeWithScore:
    stored, passage = hit.stored, hit.stored.passage
    more = {"heading": passage.heading, "kind": passage.kind}
    node = _node(stored.id, stored.source, passage.start, passage.end, stored.text, more)
    return NodeWithScore(node=node, score=hit.score)


def _quote(citation: Citation) -> NodeWithScore:
    place = f"{citation.source.document_id}/{citation.source.revision}#{citation.start}"
    more = {"heading": citation.heading, "marker": citation.marker}
    name = f"{place}-{citation.end}"
    node = _node(name, citation.source, citation.start, citation.end, citation.quote, more)
    return NodeWithScore(node=node, score=citation.support)


def _node(
    name: str, source: Source, start: int, end: int, text: str, more: dict[str, Any]
) -> TextNode:
    metadata = {
        "document_id": source.document_id,
        "revision": source.revision,
        "title": source.title,
        "publisher": source.publisher,
        "uri": source.uri,
        "as_of": source.as_of,
        "start": start,
        "end": end,
        **more,
    }
    document = RelatedNodeInfo(node_id=source.document_id, node_type=ObjectType.DOCUMENT)
    return TextNode(
        id_=name,
        text=text,
        start_char_idx=start,
        end_char_idx=end,
        metadata=metadata,
        excluded_embed_metadata_keys=list(metadata),
        excluded_llm_metadata_keys=[key for key in _NOT_FOR_MODELS if key in metadata],
        relationships={NodeRelationship.SOURCE: document},
    )
