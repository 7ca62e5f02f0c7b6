"""Sentences to citations: the quotes that state a sentence, and an answer put together of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb.types import Citation, Evidence
from kb.verify import Needs, joined

MOST_QUOTES = 6  # a comparison of four models: their rows and two headers
_MARKED = 0.1  # added to the similarity of the pieces that the model says it used
_NEEDS = 0.5  # weight of stated figures and names against similarity, in the choice of the first


@dataclass(frozen=True, slots=True)
class Bound:
    """A sentence and the pieces it rests on. `unmet`: what none of them states; then the
    sentence must not be shown."""

    sentence: str
    pieces: tuple[Evidence, ...]
    similarity: float
    unmet: Needs


def bind(
    sentence: str,
    markers: Sequence[int],
    evidence: Sequence[Evidence],
    similarities: Sequence[float],
    leaning: Callable[[Evidence], Sequence[Evidence]],
) -> Bound:
    """Picks the piece that states most of the sentence, then adds what it leans on and other
    evidence only while something is still unstated. similarities: 0 to 1, one a piece."""
    needs = Needs.of(sentence)

    def worth(index: int) -> float:
        met = len(needs) - len(needs.unmet(evidence[index].quote))
        share = met / len(needs) if len(needs) else 0.0
        return similarities[index] + _NEEDS * share + _MARKED * (index + 1 in markers)

    order = sorted(range(len(evidence)), key=lambda i: (-worth(i), i))
    first, *others = (evidence[i] for i in order)
    chosen = [first]
    unmet = needs.unmet(first.quote)
    queue = [*leaning(first), *others]
    while queue and not unmet.met and len(chosen) < MOST_QUOTES:
        further = queue.pop(0)
        left = needs.unmet(joined([*chosen, further]))
        if len(left) < len(unmet):
            chosen.append(further)
            unmet = left
            queue += leaning(further) if further in others else ()
    return Bound(sentence, _needed(chosen, needs), similarities[order[0]], unmet)


def _needed(chosen: Sequence[Evidence], needs: Needs) -> tuple[Evidence, ...]:
    """Without those that a later one made superfluous; the first is what the sentence rests on."""
    kept = list(chosen)
    for piece in chosen[1:]:
        rest = [other for other in kept if other is not piece]
        if len(needs.unmet(joined(rest))) == len(needs.unmet(joined(kept))):
            kept = rest
    return tuple(kept)


class Composer:
    """An answer's text and citations, sentence by sentence."""

    def __init__(self) -> None:
        self._text = ""
        self._citations: list[Citation] = []
        self._markers: dict[tuple[str, int, int], int] = {}

    @property
    def text(self) -> str:
        return self._text

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._citations)

    def cites(self, piece: Evidence) -> bool:
        return (piece.source.revision, piece.start, piece.end) in self._markers

    def add(self, sentence: str, pieces: Sequence[Evidence], support: float) -> list[Citation]:
        """Appends the sentence and its markers; returns its citations, one a place."""
        start = len(self._text) + (1 if self._text else 0)
        end = start + len(sentence)
        places = {(p.source.revision, p.start, p.end): p for p in pieces}
        added = [self._citation(piece, start, end, support) for piece in places.values()]
        marks = "".join(f"[{citation.marker}]" for citation in added)
        self._text += f"{' ' if self._text else ''}{sentence} {marks}"
        self._citations += added
        return added

    def _citation(self, piece: Evidence, start: int, end: int, support: float) -> Citation:
        place = (piece.source.revision, piece.start, piece.end)
        marker = self._markers.setdefault(place, len(self._markers) + 1)
        return Citation(
            marker=marker,
            answer_start=start,
            answer_end=end,
            source=piece.source,
            start=piece.start,
            end=piece.end,
            quote=piece.quote,
            heading=piece.heading,
            support=round(support, 3),
        )
