"""Evidence to test against: units of the real corpus, and short ones made up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from ingest.readers import read
from ingest.split import split
from kb.context import leans_on
from kb.types import Document, Evidence, Passage, PassageKind, Source, Unit

CORPUS = Path(__file__).resolve().parent.parent / "corpus"


def quote(
    statement: str, kind: PassageKind = "prose", start: int = 0, document: str = "guide"
) -> Evidence:
    """A piece whose quote is its statement."""
    source = Source(document, f"sha256:{document}", document, None, f"{document}.md", None)
    end = start + len(statement)
    return Evidence(source, start, end, statement, statement, statement, "", 0.5, kind)


def row(statement: str, start: int = 0) -> Evidence:
    return quote(statement, "row", start)


@cache
def documents() -> dict[str, Document]:
    """The corpus by document id."""
    found = (read(path, CORPUS, 10**6) for path in sorted(CORPUS.glob("*.md")))
    return {document.id: document for document in found}


@cache
def units() -> tuple[Evidence, ...]:
    """Every sentence and table row of the corpus, once."""
    found: dict[tuple[str, int, int], Evidence] = {}
    for document in documents().values():
        for passage in split(document, lambda text: len(text) // 4):
            for unit in passage.units:
                found.setdefault(
                    (document.id, unit.start, unit.end), _piece(document, passage, unit)
                )
    return tuple(found.values())


def sentences() -> Iterator[Evidence]:
    """The units that are whole sentences of prose."""
    for piece in units():
        if piece.kind == "prose" and piece.statement.rstrip('"”*)').endswith("."):
            yield piece


def stating(snippet: str) -> Evidence:
    """The first unit that holds the snippet, a row rather than a sentence."""
    found = [piece for piece in units() if snippet in piece.statement]
    assert found, f"the corpus does not hold {snippet!r}"
    return next((piece for piece in found if piece.kind == "row"), found[0])


def leaning(piece: Evidence) -> Sequence[Evidence]:
    return leans_on(piece, documents()[piece.source.document_id].text)


def _piece(document: Document, passage: Passage, unit: Unit) -> Evidence:
    statement = " ".join(passage.body[unit.body_start : unit.body_end].split())
    return Evidence(
        Source(
            document.id,
            document.revision,
            document.title,
            document.publisher,
            document.uri,
            document.as_of,
        ),
        unit.start,
        unit.end,
        document.text[unit.start : unit.end],
        statement,
        statement,
        passage.heading,
        0.5,
        "prose" if passage.kind == "prose" else "row",
    )
