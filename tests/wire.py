"""Asking over HTTP, and what an answer's JSON holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient

from kb.types import Document

QUESTION = "What does the Gemini API cost for a million input tokens?"


SOURCE_KEYS = {"document_id", "title", "uri", "as_of", "revision", "publisher"}


def ask(client: TestClient, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    response = client.post("/v1/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    return dict(response.json())


def stored_text(client: TestClient, citation: dict[str, Any]) -> str:
    place = f"/v1/documents/{citation['document_id']}/revisions/{citation['revision']}"
    return str(client.get(place).json()["text"])


def revised(document: Document, text: str) -> Document:
    return replace(document, text=text)
