"""On which pages of a paged text something stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby

from ingest.formats.parsed import PAGE_BREAK
from ingest.outline import Piece


class Pages:
    """Page breaks stand in no other stored text: there a form feed is a blank line."""

    def __init__(self, text: str) -> None:
        self._breaks = [at for at, character in enumerate(text) if character == PAGE_BREAK]

    def under(self, heading: str, start: int, end: int) -> str:
        """The heading path of a span, with its pages above all headings: "p.3 > Prices". Written
        so, the number is no figure that a text could seem to state."""
        if not self._breaks:
            return heading
        first, last = self._page(start), self._page(end - 1)
        pages = f"p.{first}" if first == last else f"p.{first}–p.{last}"
        return f"{pages} > {heading}" if heading else pages

    def parted(self, pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
        """Neighbours that are on the same page; a sentence that goes on overleaf is alone, so
        that every other one has its one page."""
        if not self._breaks:
            yield [*pieces]
            return
        parts = (part for piece in pieces for part in self._parts(piece))
        for _, group in groupby(parts, key=lambda part: self._pages(part.start, part.end)):
            yield [*group]

    def _parts(self, piece: Piece) -> Iterator[Piece]:
        first, last = self._pages(piece.start, piece.end)
        if first == last:
            yield piece
        else:
            yield from piece.by_unit()

    def _pages(self, start: int, end: int) -> tuple[int, int]:
        return self._page(start), self._page(end - 1)

    def _page(self, at: int) -> int:
        return 1 + bisect_right(self._breaks, at)
