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
    "confidence": 0.91,
    "marked": [[17, 38]],
    "withheld": 0,
    "nearest": [],
    "suggestions": [],
    "corpus_version": 3,
    "model": "qwen2.5-coder-1.5b",
    "timings_ms": {"retrieve": 31, "first_sentence": 2900, "total": 5100},
    "cached": False,
}
REFUSAL: Example = {
    **ANSWER,
    "question": "Who won the match yesterday?",
    "standalone_question": "Who won the match yesterday?",
    "outcome": "refused",
    "reason": "off_topic",
    "text": "This question is outside the scope of the documents.",
    "citations": [],
    "confidence": 0.04,
    "marked": [],
    "nearest": [{**_SOURCE, **_PLACE, "score": 0.12}],
    "timings_ms": {"total": 640},
}
STREAM = """event: status
id: 8f14e45fceea467fa9b7c1d2e3f40516.1
data: {"stage":"searching","milliseconds":0}

event: evidence
id: 8f14e45fceea467fa9b7c1d2e3f40516.2
data: {"evidence":[…]}

event: sentence
id: 8f14e45fceea467fa9b7c1d2e3f40516.3
data: {"text":"Open-source LLMs release their weights.","citations":[…]}

event: answer
id: 8f14e45fceea467fa9b7c1d2e3f40516.4
data: {"id":"8f14e45fceea467fa9b7c1d2e3f40516","outcome":"answered",…}

event: done
id: 8f14e45fceea467fa9b7c1d2e3f40516.5
data: {}

"""

COMPLETE: Example = {
    "model": "weighbridge",
    "messages": [{"role": "user", "content": "Which models release their weights?"}],
}
COMPLETION: Example = {
    "id": "chatcmpl-7d1f5c0b9e8a4c3f",
    "object": "chat.completion",
    "created": 1780000000,
    "model": "weighbridge",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Open-source LLMs release their weights. [1]\n\nSources:\n"
                "- [1] How open-source and proprietary LLMs differ · Example Publisher · "
                "2026-06-08 · key-differences.md: “Open-source LLMs release their weights.”",
                "refusal": None,
                "weighbridge": ANSWER,
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 6, "completion_tokens": 52, "total_tokens": 58},
}
CHUNKS = """data: {"id":"chatcmpl-…","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Open-source LLMs release their weights. [1]"},"finish_reason":null}],…}

data: {"id":"chatcmpl-…","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"weighbridge":{…}},"finish_reason":"stop"}],…}

data: [DONE]

"""  # noqa: E501  # an event's data is one line
MODEL: Example = {
    "id": "weighbridge",
    "object": "model",
    "created": 1780000000,
    "owned_by": "weighbridge",
}
MODELS: Example = {"object": "list", "data": [MODEL]}

SEARCH: Example = {"question": "Which models release their weights?", "count": 3}
FOUND: Example = {
    "question": "Which models release their weights?",
    "corpus_version": 3,
    "degraded": False,
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

SUGGESTIONS: Example = {
    "corpus_version": 3,
    "suggestions": ["What is an open-weights model?", "What does GPT-4o cost?"],
}

_LISTED: Example = {**_SOURCE, "passages": 24, "characters": 5581}
DOCUMENTS: Example = {"corpus_version": 3, "documents": [_LISTED]}
DOCUMENT: Example = {
    **_LISTED,
    "revisions": [
        {"revision": "sha256:" + "9a0b7c21" * 8, "since_version": 1, "until_version": 3},
        {"revision": _REVISION, "since_version": 3, "until_version": None},
    ],
    "lost": [{"kind": "picture", "count": 2, "where": "Licences"}],
    "notes": [],
}
REVISION: Example = {
    **_SOURCE,
    "text": "# How open-source and proprietary LLMs differ\n\n…",
    "newer_revision": None,
    "diff": None,
}

INGEST: Example = {"paths": ["guides"], "prune": False, "dry_run": False}
UPLOAD = """{"uri": "guides/models.md", "content_base64": "IyBNb2RlbHMKCk9wZW4gd2VpZ2h0cy4K"}
{"uri": "guides/locked.md", "failed": {"code": "file_missing", "message": "can't be opened"}}
"""
_QUEUED: Example = {
    "id": "3f2b9c0d5e7a4b1f8c6d0e9a7b5c3d1e",
    "state": "queued",
    "task": {
        "kind": "corpus",
        "paths": ["guides"],
        "files": 0,
        "prune": False,
        "dry_run": False,
    },
    "progress": None,
    "report": None,
    "error": None,
    "note": None,
    "created_at": "2026-11-03T09:30:00Z",
    "started_at": None,
    "ended_at": None,
}
ACCEPTED: Example = {"job": _QUEUED}
JOB: Example = {
    **_QUEUED,
    "state": "finished",
    "progress": {
        "what": "embedding",
        "done": 1,
        "total": 1,
        "passages": 24,
        "seconds_left": 0.0,
    },
    "started_at": "2026-11-03T09:30:00Z",
    "ended_at": "2026-11-03T09:30:01Z",
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
        "affected_total": 1,
        "affected_answers": [
            {"id": ANSWER["id"], "why": "changed", "documents": ["key-differences.md"]}
        ],
        "lost": [
            {"document_id": "guides~models.md", "kind": "picture", "count": 2, "where": "Licences"}
        ],
        "notes": [],
    },
}

JOBS: Example = {"jobs": [{name: JOB[name] for name in JOB if name != "report"}]}
JOB_STREAM = """event: job
id: 3fd0b9a2c4e81f57
data: {"id":"…","state":"running","progress":{"what":"embedding","done":40,…},…}

event: job
id: 9b1c07d2e5a4f638
data: {"id":"…","state":"finished",…}

event: done
id: done
data: {}

"""

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
    "verifier": {},
    "settings": {
        "question_chars": 2000,
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
