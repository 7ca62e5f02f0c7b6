"""The checks alone: a claim and the pieces it may rest on, and whether it would be shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.asking import Metered
from bench.rows import Row
from ingest.split import split
from kb.checking import Checked, Checker
from kb.errors import ModelError
from kb.prompt import entail_messages
from kb.sentences import Written
from kb.types import Document, Evidence, Passage, Source, Unit
from kb.verify import doubts
from kb.wiring import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence about pieces of stored documents. kind: how it was made."""

    id: str
    text: str
    holds: bool
    kind: str
    pieces: tuple[Evidence, ...]


class Checking:
    """Checks claims with a knowledge base's own parts; a row a claim."""

    def __init__(self, kb: KnowledgeBase, meter: Metered) -> None:
        self._kb = kb
        self._meter = meter
        self._frequencies = kb.lookup.frequencies(kb.catalog.current_version())

    def row(self, claim: Claim, entailment: bool = False) -> Row:
        """entailment: asks the model what it thinks also where the checks don't need to know."""
        self._meter.reset()
        checked = self._checked(claim)
        asked = bool(self._meter.prompts)
        found = doubts(checked.sentence, checked.pieces)
        row = {
            "claim": claim.text,
            "kind": claim.kind,
            "holds": claim.holds,
            "shown": checked.failure is None,
            "failure": checked.failure,
            "support": checked.support,
            "doubts": [[doubt.failure, doubt.certain] for doubt in found],
            "asked": asked,
        }
        return row | ({"yes": self._yes(claim, checked)} if entailment else {})

    def _checked(self, claim: Claim) -> Checked:
        checker = Checker(
            "",
            claim.pieces,
            self._kb.embedder,
            self._meter,
            self._frequencies,
            self._kb.catalog.document,
            lambda: False,
        )
        return checker.check(Written(claim.text, ()))

    def _yes(self, claim: Claim, checked: Checked) -> float | None:
        messages = entail_messages(claim.text, checked.pieces)
        try:
            return self._meter.probability_of_yes(messages, lambda: False)
        except ModelError:
            return None


def pieces(document: Document, token_count: Callable[[str], int]) -> list[Evidence]:
    """Every sentence and table row of a document, once, in the order of its text."""
    found: dict[tuple[int, int], Evidence] = {}
    for passage in split(document, token_count):
        for unit in passage.units:
            found.setdefault((unit.start, unit.end), _piece(document, passage, unit))
    return [found[place] for place in sorted(found)]


def whole(document: Document) -> Evidence:
    """All of a short document as one piece."""
    text = document.text
    return Evidence(_source(document), 0, len(text), text, text, text, "", 0.5)


def stating(known: Sequence[Evidence], snippet: str) -> Evidence:
    """The first piece that holds the snippet, a row rather than a sentence. Raises LookupError."""
    found = [piece for piece in known if snippet in piece.statement]
    if not found:
        raise LookupError(f"no document holds {snippet!r}: take the claim out, or correct it")
    return next((piece for piece in found if piece.kind == "row"), found[0])


def overlap(claim: str, quote: str) -> float:
    """The share of the claim's words that the quote has: what a check must do better than."""
    wanted = _words(claim)
    return len(wanted & _words(quote)) / max(len(wanted), 1)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def _piece(document: Document, passage: Passage, unit: Unit) -> Evidence:
    statement = " ".join(passage.body[unit.body_start : unit.body_end].split())
    return Evidence(
        _source(document),
        unit.start,
        unit.end,
        document.text[unit.start : unit.end],
        statement,
        statement,
        passage.heading,
        0.5,
        "prose" if passage.kind == "prose" else "row",
    )


def _source(document: Document) -> Source:
    return Source(
        document.id,
        document.revision,
        document.title,
        document.publisher,
        document.uri,
        document.as_of,
    )


def in_turn(claims: Sequence[Claim], keys: Sequence[str]) -> Iterator[Claim]:
    """One of each kind after another, so that the first few are a fair sample."""
    by_kind = [[claim for claim in claims if claim.kind == key] for key in keys]
    for position in range(max(map(len, by_kind), default=0)):
        yield from (kind[position] for kind in by_kind if position < len(kind))
