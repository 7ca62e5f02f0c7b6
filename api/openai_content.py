"""What of an answer stands in a chat message: its text, and a list of its sources."""

from __future__ import annotations

from api.openai_schemas import SOURCES
from kb.events import SentencePassed
from kb.types import Answer, Citation

QUOTE_CHARS = 300  # of a quote in the list; the structured citation has all of it


def content(answer: Answer) -> str:
    """A refusal has no sources. The same for a stream as for a whole message."""
    places = {citation.marker: citation for citation in answer.citations}
    listed = "\n".join(_source(places[marker]) for marker in sorted(places))
    return f"{answer.text}{SOURCES}{listed}" if listed else answer.text


def passed(event: SentencePassed, said: str) -> str:
    """What a checked sentence adds to what has been said: the text of the answer, as it grows."""
    marks = "".join(f"[{citation.marker}]" for citation in event.citations)
    return f"{' ' if said else ''}{event.text} {marks}"


def _source(citation: Citation) -> str:
    source = citation.source
    known = (source.title, source.publisher, source.as_of, source.uri)
    origin = " · ".join(part for part in known if part)
    return f"- [{citation.marker}] {_line(origin)}: “{_short(_line(citation.quote))}”"


def _line(text: str) -> str:
    return " ".join(text.split())


def _short(quote: str) -> str:
    return quote if len(quote) <= QUOTE_CHARS else f"{quote[:QUOTE_CHARS].rstrip()}…"
