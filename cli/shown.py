"""Answers and found passages as a person reads them, from the objects of the HTTP interface."""

from __future__ import annotations

from collections.abc import Iterator

from cli.remote import Wire

REASONS = {
    "no_evidence": "nothing was found",
    "not_stated": "what was found does not state it",
    "off_topic": "the documents are about something else",
    "unsafe_request": "it asks for other behaviour, not for a fact",
}
INDENT = "    "


def answer_lines(answer: Wire) -> Iterator[str]:
    """The text, the sides of what is disputed, then every source with its quote."""
    yield answer["text"]
    if answer["outcome"] == "refused":
        yield f"Refused ({answer['reason']}): {REASONS.get(answer['reason'], 'no answer')}."
    if answer["outcome"] == "quoted":
        yield "These are verbatim quotes: no generated sentence was used."
    for conflict in answer["conflicts"]:
        yield ""
        yield f"The sources disagree about {conflict['about']}:"
        for position in conflict["positions"]:
            markers = "".join(f"[{marker}]" for marker in position["citations"])
            yield f"  - {position['statement']} {markers}"
    if answer["withheld"]:
        yield f"Sentences withheld, because no quote supports them: {answer['withheld']}"
    yield from _sources(answer)
    yield from _nearest(answer)
    for suggestion in answer["suggestions"]:
        yield f"You could ask: {suggestion}"


def _sources(answer: Wire) -> Iterator[str]:
    """One marker may bind several sentences to one quote: it is shown once."""
    if answer["citations"]:
        yield ""
        yield "Sources"
    shown: set[tuple[int, str, int, int]] = set()
    for citation in answer["citations"]:
        key = (citation["marker"], citation["revision"], citation["start"], citation["end"])
        if key in shown:
            continue
        shown.add(key)
        yield f"[{citation['marker']}] {_origin(citation)}"
        yield from _quote(citation["quote"])


def _nearest(answer: Wire) -> Iterator[str]:
    if answer["nearest"]:
        yield ""
        yield "Nearest passages"
    for passage in answer["nearest"]:
        yield f"  - {_origin(passage)}"
        yield from _quote(passage["quote"])


def hit_lines(found: Wire) -> Iterator[str]:
    if not found["hits"]:
        yield "Nothing was found."
    for place, hit in enumerate(found["hits"], 1):
        yield f"{place}. {_origin(hit)}  ({hit['score']:.2f})"
        if hit["heading"]:
            yield f"{INDENT}{hit['heading']}"
        yield from _quote(hit["text"])


def _origin(source: Wire) -> str:
    """Title, publisher, date, address: what is known of them."""
    parts = (source["title"], source["publisher"], source["as_of"], source["uri"])
    return " · ".join(part for part in parts if part)


def _quote(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"{INDENT}> {line}"
