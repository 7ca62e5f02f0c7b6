"""LlamaIndex's own code runs with our retriever and query engine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from conftest import MakeKb
from llama_index.core.base.response.schema import Response
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine, RouterQueryEngine
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import MetadataMode, NodeRelationship, QueryBundle
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import QueryEngineTool
from shelf import PRICES, WEIGHTS, first_passage
from talk import Unending

from kb.events import Ask
from kb.fakes_model import ScriptedModel
from kb.llamaindex import KnowledgeBaseQueryEngine, KnowledgeBaseRetriever
from kb.retrieve import Found
from kb.types import Answer, Filters
from kb.wiring import KnowledgeBase

QUESTION = "What does the Gemini API cost for a million input tokens?"


# -- the retriever -------------------------------------------------------------------------------


def test_nodes_are_the_passages_of_a_search(kb: KnowledgeBase) -> None:
    hits = kb.search(QUESTION, count=3).hits

    nodes = KnowledgeBaseRetriever(kb, count=3).retrieve(QUESTION)

    assert [(node.node_id, node.score) for node in nodes] == [
        (hit.stored.id, hit.score) for hit in hits
    ]
    for node, hit in zip(nodes, hits, strict=True):
        info = node.node.get_node_info()
        document = kb.catalog.document(node.metadata["document_id"], node.metadata["revision"])
        assert document.text[info["start"] : info["end"]] == node.text == hit.stored.text
        source = node.node.relationships[NodeRelationship.SOURCE]
        assert source.node_id == document.id  # type: ignore[union-attr]  # a source is one node


def test_filters_narrow_what_is_retrieved(kb: KnowledgeBase) -> None:
    only = Filters(document_ids=(WEIGHTS.id,))

    nodes = KnowledgeBaseRetriever(kb, filters=only).retrieve(QUESTION)

    assert {node.metadata["document_id"] for node in nodes} == {WEIGHTS.id}


def test_models_are_shown_title_and_date_and_vectors_the_text_alone(kb: KnowledgeBase) -> None:
    node = KnowledgeBaseRetriever(kb).retrieve("Which models can run offline?")[0].node

    assert node.get_content(MetadataMode.EMBED) == node.get_content(MetadataMode.NONE)
    assert WEIGHTS.title in node.get_content(MetadataMode.LLM)
    assert node.metadata["revision"] not in node.get_content(MetadataMode.LLM)


class Waiting:
    """A knowledge base whose search waits until the test lets it go on."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb
        self.go_on = threading.Event()

    def search(self, question: str, filters: Filters | None = None, count: int = 10) -> Found:
        assert self.go_on.wait(10), "the event loop was blocked"
        return self._kb.search(question, filters, count)

    def ask(self, ask: Ask, cancelled: Callable[[], bool] = lambda: False) -> Answer:
        assert self.go_on.wait(10), "the event loop was blocked"
        return self._kb.ask(ask, cancelled)


@pytest.mark.parametrize("method", ["aretrieve", "aquery"])
def test_asynchronous_methods_leave_the_event_loop_free(kb: KnowledgeBase, method: str) -> None:
    waiting = Waiting(kb)
    shells = {
        "aretrieve": KnowledgeBaseRetriever(waiting).aretrieve,
        "aquery": KnowledgeBaseQueryEngine(waiting).aquery,
    }

    async def both() -> object:
        under_way = asyncio.ensure_future(shells[method](QUESTION))  # type: ignore[arg-type]  # either is a coroutine
        await asyncio.sleep(0.01)
        waiting.go_on.set()
        return await under_way

    assert asyncio.run(both())


# -- the query engine ----------------------------------------------------------------------------


def test_a_response_is_the_answer_with_its_quotes(kb: KnowledgeBase) -> None:
    answer = kb.ask(Ask(QUESTION))

    response = KnowledgeBaseQueryEngine(kb).query(QUESTION)

    assert isinstance(response, Response)
    assert str(response) == answer.text
    assert response.metadata is not None
    assert response.metadata["outcome"] == "answered"
    assert [node.text for node in response.source_nodes] == [c.quote for c in answer.citations]
    for node in response.source_nodes:
        assert PRICES.text[node.metadata["start"] : node.metadata["end"]] == node.text
        assert f"[{node.metadata['marker']}]" in str(response)


def test_an_asynchronous_response_is_the_same(kb: KnowledgeBase) -> None:
    engine = KnowledgeBaseQueryEngine(kb)

    responses = engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))

    first, second = ((str(r), [n.node_id for n in r.source_nodes]) for r in responses)
    assert first == second


def test_a_refusal_has_a_reason_and_no_sources(make_kb: MakeKb) -> None:
    engine = KnowledgeBaseQueryEngine(make_kb(ScriptedModel(first_passage, probability=0.0)))

    response = engine.query(QUESTION)

    assert response.source_nodes == []
    assert response.metadata is not None
    assert (response.metadata["outcome"], response.metadata["reason"]) == ("refused", "not_stated")


def test_a_cancelled_query_stops_the_model(make_kb: MakeKb) -> None:
    model = Unending()
    engine = KnowledgeBaseQueryEngine(make_kb(model))

    async def cancelled() -> bool:
        under_way = asyncio.create_task(engine.aquery(QUESTION))
        assert await asyncio.to_thread(model.writing.wait, 10)
        under_way.cancel()
        await asyncio.gather(under_way, return_exceptions=True)
        return await asyncio.to_thread(model.stopped.wait, 1)

    assert asyncio.run(cancelled())


# -- among LlamaIndex's own parts ----------------------------------------------------------------


def test_a_router_of_llamaindex_chooses_and_asks_it(make_kb: MakeKb) -> None:
    """Its selector reads the tools' descriptions; a scripted choice stands for the model's."""
    described = {"weights": "On open weights.", "prices": "On what proprietary APIs cost."}
    documents = {"weights": WEIGHTS, "prices": PRICES}
    tools = [
        QueryEngineTool.from_defaults(
            KnowledgeBaseQueryEngine(make_kb(ScriptedModel(first_passage), [documents[name]])),
            name=name,
            description=description,
        )
        for name, description in described.items()
    ]
    selector = LLMSingleSelector.from_defaults(llm=Choosing())
    router = RouterQueryEngine(selector, tools, llm=Choosing())

    response = router.query(QUESTION)

    assert {node.metadata["document_id"] for node in response.source_nodes} == {PRICES.id}
    assert response.metadata is not None
    assert response.metadata["outcome"] == "answered"


class Choosing(MockLLM):
    """Always picks the second of two."""

    def predict(self, prompt: object, **values: object) -> str:  # type: ignore[override]  # looser
        assert "On what proprietary APIs cost." in str(values["context_list"])
        return '[{"choice": 2, "reason": "It is about prices."}]'


def test_a_fusion_of_llamaindex_keeps_ids_and_spans(kb: KnowledgeBase) -> None:
    retrievers: list[BaseRetriever] = [KnowledgeBaseRetriever(kb, count=n) for n in (2, 4)]
    fusion = QueryFusionRetriever(
        retrievers,
        llm=MockLLM(),
        mode=FUSION_MODES.RECIPROCAL_RANK,
        similarity_top_k=4,
        num_queries=1,
        use_async=False,
    )

    nodes = fusion.retrieve(QueryBundle(QUESTION))

    assert {node.node_id for node in nodes} == {
        hit.stored.id for hit in kb.search(QUESTION, count=4).hits
    }


def test_a_synthesizer_of_llamaindex_reads_its_passages(kb: KnowledgeBase) -> None:
    engine = RetrieverQueryEngine.from_args(KnowledgeBaseRetriever(kb, count=2), llm=MockLLM())

    response = engine.query(QUESTION)

    assert "The Gemini API costs $2.00" in str(response)
    assert len(response.source_nodes) == 2
