"""The rows of a page: words beside each other, and which of them stand together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.formats.pdf_words import Word

_SAME_ROW = 0.4  # of the size, that baselines of a row may differ
_GAP = 0.9  # of the size: words that are further apart belong to different columns or cells
_MARK = re.compile(r"[•◦▪‣●○■□–*-]|\d{1,3}[.)]|[a-zA-Z][.)]|\(\w{1,2}\)")  # before an item
RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")


@dataclass(frozen=True, slots=True)
class Segment:
    """Words of a row that stand as close together as words of a sentence do."""

    words: tuple[Word, ...]

    @property
    def left(self) -> float:
        return min(word.left for word in self.words)

    @property
    def right(self) -> float:
        return max(word.right for word in self.words)

    @property
    def bottom(self) -> float:
        return self.words[0].bottom

    @property
    def size(self) -> float:
        return max(word.size for word in self.words)

    @property
    def text(self) -> str:
        words = [word.text for word in self.words]
        backwards = sum(bool(RIGHT_TO_LEFT.search(word)) for word in words) * 2 > len(words)
        return " ".join(_turned(words) if backwards else words)


Row = tuple[Segment, ...]


def rows_of(words: Sequence[Word]) -> list[Row]:
    """From the top to the foot."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda one: (-one.bottom, one.left)):
        if rows and rows[-1][0].bottom - word.bottom <= _SAME_ROW * min(
            word.size, rows[-1][0].size
        ):
            rows[-1].append(word)
        else:
            rows.append([word])
    return [tuple(_segments(row)) for row in rows]


def _segments(row: Sequence[Word]) -> Iterator[Segment]:
    run: list[Word] = []
    for word in sorted(row, key=lambda one: one.left):
        far = run and word.left - run[-1].right > _GAP * max(word.size, run[-1].size)
        if far and not (len(run) == 1 and _MARK.fullmatch(run[0].text)):
            yield Segment(tuple(run))
            run = []
        run.append(word)
    if run:
        yield Segment(tuple(run))


def _turned(words: list[str]) -> list[str]:
    """A row of right-to-left words as they are read; figures and names in it keep their order."""
    out: list[str] = []
    run: list[str] = []
    for word in reversed(words):
        if RIGHT_TO_LEFT.search(word):
            out += [*reversed(run), word]
            run = []
        else:
            run.append(word)
    return [*out, *reversed(run)]
