"""What LlamaIndex users import: `KnowledgeBaseRetriever(kb)` and `KnowledgeBaseQueryEngine(kb)`."""

from kb.adapters.llamaindex import KnowledgeBaseQueryEngine, KnowledgeBaseRetriever

__all__ = ["KnowledgeBaseQueryEngine", "KnowledgeBaseRetriever"]
