"""Bodies that schemathesis can't make up by itself: uploads of one JSON object a line."""

from __future__ import annotations

import base64
import json
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import HookContext, SerializationContext

NDJSON = "application/x-ndjson"
_NAMES = st.sampled_from(["a.md", "guides/b.txt", "c.csv", "d.json", "e.docx", "../f.md", ""])
_CONTENTS = (st.binary(max_size=200) | st.text().map(lambda text: text.encode())).map(
    lambda content: base64.b64encode(content).decode()
)
_FAILED = st.fixed_dictionaries({"code": st.text(), "message": st.text()})
_LINES = st.fixed_dictionaries({"uri": _NAMES | st.text(), "content_base64": _CONTENTS}) | (
    st.fixed_dictionaries({"uri": _NAMES, "failed": _FAILED})
)

_UPLOADS = st.lists(_LINES.map(json.dumps), max_size=4).map("\n".join)


@schemathesis.hook
def before_generate_body(
    context: HookContext, strategy: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    if context.operation is None or context.operation.label != "POST /v1/ingest/files":
        return strategy
    return _UPLOADS | strategy


@schemathesis.serializer(NDJSON)
def lines(context: SerializationContext, value: Any) -> bytes:
    """What is no text stands for a wrong body, and is sent as one line of JSON."""
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace")
