"""One example a request and a response: shown at /docs, and checked against the schemas."""

from __future__ import annotations

from typing import Any

Example = dict[str, Any]

_REVISION = "sha256:" + "5d1c0f3e" * 8
_SOURCE: Example = {
    "document_id": "key-differences",
    "title": "How open-source and proprietary LLMs differ",
    "uri": "key-differences.md",
    "as_of": "2026-06-08",
    "revision": _REVISION,
    "publisher": "Example Publisher",
}
_QUOTE = "Open-source LLMs release their weights."
_PLACE: Example = {"start": 310, "end": 349, "quote": _QUOTE, "heading": "The main difference"}

ASK: Example = {
    "question": "Which models release their weights?",
    "filters": {"as_of_from": "2026-01"},
}
ANSWER: Example = {
    "id": "8f14e45fceea467fa9b7c1d2e3f40516",
    "conversation_id": "c9f0f895fb98ab9159f51fd0297e236d",
    "question": "Which models release their weights?",
    "standalone_question": "Which models release their weights?",
    "outcome": "answered",
    "reason": None,
    "text": "Open-source LLMs release their weights. [1]",
    "citations": [
        {**_SOURCE, "marker": 1, "answer_start": 0, "answer_end": 39, **_PLACE, "support": 0.97}
    ],
    "conflicts": [],
    "withheld": 0,
    "nearest": [],
    "suggestions": [],
    "corpus_version": 3,
    "model": "qwen2.5-coder-1.5b",
    "timings_ms": {"retrieve": 31, "first_sentence": 2900, "total": 5100},
}
REFUSAL: Example = {
    **ANSWER,
    "question": "Who won the match yesterday?",
    "standalone_question": "Who won the match yesterday?",
    "outcome": "refused",
    "reason": "off_topic",
    "text": "This question is outside the scope of the documents.",
    "citations": [],
    "nearest": [{**_SOURCE, **_PLACE, "score": 0.12}],
    "timings_ms": {"total": 640},
}
STREAM = """event: status
data: {"stage":"searching","milliseconds":0}

event: evidence
data: {"evidence":[…]}

event: sentence
data: {"text":"Open-source LLMs release their weights.","citations":[…]}

event: answer
data: {"id":"…","outcome":"answered",…}

event: done
data: {}

"""

SEARCH: Example = {"question": "Which models release their weights?", "count": 3}
FOUND: Example = {
    "question": "Which models release their weights?",
    "corpus_version": 3,
    "hits": [
        {
            "id": "0cc175b9c0f1b6a831c399e269772661",
            **_SOURCE,
            "kind": "prose",
            "start": 310,
            "end": 349,
            "text": _QUOTE,
            "body": _QUOTE,
            "heading": "The main difference",
            "score": 0.91,
            "scores": {"dense": 0.74, "lexical": 6.2, "fused": 0.033, "late": 0.81},
        }
    ],
}

_LISTED: Example = {**_SOURCE, "passages": 24, "characters": 5581}
DOCUMENTS: Example = {"corpus_version": 3, "documents": [_LISTED]}
DOCUMENT: Example = {
    **_LISTED,
    "revisions": [
        {"revision": "sha256:" + "9a0b7c21" * 8, "since_version": 1, "until_version": 3},
        {"revision": _REVISION, "since_version": 3, "until_version": None},
    ],
}
REVISION: Example = {
    **_SOURCE,
    "text": "# How open-source and proprietary LLMs differ\n\n…",
    "newer_revision": None,
}

INGEST: Example = {"paths": ["guides"], "prune": False, "dry_run": False}
UPLOAD = """{"uri": "guides/models.md", "content_base64": "IyBNb2RlbHMKCk9wZW4gd2VpZ2h0cy4K"}
{"uri": "guides/locked.md", "failed": {"code": "file_missing", "message": "can't be opened"}}
"""
_QUEUED: Example = {
    "id": "3f2b9c0d5e7a4b1f8c6d0e9a7b5c3d1e",
    "state": "queued",
    "progress": None,
    "report": None,
    "error": None,
}
ACCEPTED: Example = {"job": _QUEUED}
JOB: Example = {
    **_QUEUED,
    "state": "finished",
    "progress": {"what": "embedding", "done": 1, "total": 1},
    "report": {
        "version": 4,
        "add": ["guides~models.md"],
        "replace": [],
        "keep": ["key-differences.md"],
        "remove": [],
        "failed": [
            {
                "path": "guides/locked.md",
                "code": "file_missing",
                "message": "guides/locked.md: can't be opened; check its permissions",
            }
        ],
        "passages": 24,
        "embedded": 24,
    },
}

READINESS: list[Any] = [
    {"status": "ready", "reasons": [], "warnings": []},
    {
        "status": "not_ready",
        "reasons": [
            {"part": "model", "reason": "the chat model's weights are being fetched: 34 %"}
        ],
        "warnings": [],
    },
]
ABOUT: Example = {
    "name": "weighbridge",
    "version": "0.1.0",
    "corpus_version": 3,
    "documents": 5,
    "passages": 412,
    "model": {
        "name": "qwen2.5-coder-1.5b",
        "status": "ready",
        "detail": "qwen2.5-coder-1.5b is loaded",
    },
    "embedder": {
        "embedder": "all-minilm-l6-v2",
        "weights_sha256": "53aa5117" * 8,
        "dimension": 384,
        "splitter": "1",
    },
    "gate": {},
    "settings": {
        "question_chars": 2000,
        "answer_tokens": 160,
        "answer_seconds": 40.0,
        "context_tokens": 4096,
        "file_mb": 20,
        "keep_versions": 3,
    },
}
PROBLEM: Example = {
    "type": "/docs#invalid_request",
    "title": "Invalid request",
    "status": 422,
    "detail": "the request does not fit: questoin: unknown field",
    "code": "invalid_request",
    "instance": "/v1/ask",
    "errors": [{"field": "questoin", "message": "unknown field"}],
}
