"""What a reader is told where nothing can be answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kb.types import Filters, Reason

# A refused question, the corpus version and what narrows it, to questions that are answered.
Suggest = Callable[[str, int, Filters], tuple[str, ...]]

REFUSALS: Mapping[Reason, str] = {
    "no_evidence": "The documents hold nothing on this question.",
    "not_stated": "The documents do not state the answer to this question.",
    "off_topic": "This question is outside the scope of the documents.",
    "unsafe_request": "This is a request to change how answers are made, not a question.",
}
