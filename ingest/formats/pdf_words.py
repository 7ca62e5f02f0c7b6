"""The words of a PDF's page with their places, as pdfium finds them."""

from __future__ import annotations

import ctypes
import math
import unicodedata
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from ingest.formats.docx_words import raised

_HYPHENS = frozenset((0x02, 0xAD, 0xFFFE))  # what pdfium gives for one at the end of a line
_JOINED = 0.18  # of the size; between words there is more
_WIDEST = 3  # of the size: a letter that begins further back is on another line
_SMALL = 0.8  # of the size: what is smaller and higher is set high
_LEVEL = 0.2  # of the size, that letters of a word may differ in height
_HIGH = 0.75  # of the size, that what is set high may be higher
_UPRIGHT = 0.1  # radians
_FULL_TURN = 2 * math.pi
_NO_LETTER = frozenset(("Co", "Cn", "Cc", "Cs"))  # Unicode's categories


@dataclass(frozen=True, slots=True)
class Word:
    """In points from the page's lower left corner, as the page is looked at."""

    text: str
    left: float
    right: float
    bottom: float
    size: float  # the height of its font, about 1.2 times what is called its size


@dataclass(frozen=True, slots=True)
class PageWords:
    """slanted: what doesn't stand upright, in the order of drawing. unmapped: how many of the
    `drawn` characters have no meaning, since their font doesn't say which letters they are."""

    words: tuple[Word, ...]
    slanted: tuple[str, ...]
    drawn: int
    unmapped: int


@dataclass(frozen=True, slots=True)
class _Letter:
    text: str
    left: float
    right: float
    bottom: float
    size: float


class _Run:
    """A word while its letters are read."""

    def __init__(self, first: _Letter, upright: bool) -> None:
        self.upright = upright
        self._first = first
        self._letters = [first]
        self._high: list[_Letter] = []

    def takes(self, letter: _Letter) -> bool:
        """Whether the letter is one of this word, which it then is added to."""
        first = self._first
        if not self._touches(letter):
            return False
        level = letter.bottom - first.bottom
        if abs(level) <= _LEVEL * first.size and letter.size > _SMALL * first.size:
            if self._high:
                return False
            self._letters.append(letter)
            return True
        if letter.size <= _SMALL * first.size and 0 < level <= _HIGH * first.size:
            self._high.append(letter)
            return True
        return False

    def _touches(self, letter: _Letter) -> bool:
        last = (self._high or self._letters)[-1]
        size = self._first.size
        gaps = (letter.left - last.right, last.left - letter.right)
        return max(gaps) <= _JOINED * size and min(gaps) >= -_WIDEST * size

    def word(self) -> Word:
        letters = self._letters
        if any(unicodedata.bidirectional(one.text[0]) in ("R", "AL") for one in letters):
            letters = sorted(letters, key=lambda one: -one.left)
        text = "".join(one.text for one in letters)
        every = [*letters, *self._high]
        return Word(
            text + raised("".join(one.text for one in self._high)),
            min(one.left for one in every),
            max(one.right for one in every),
            self._first.bottom,
            self._first.size,
        )


def words_of(page: pdfium.PdfPage) -> PageWords:
    text = page.get_textpage()
    try:
        return _Reading(page, text).words()
    finally:
        text.close()


class _Reading:
    def __init__(self, page: pdfium.PdfPage, text: pdfium.PdfTextPage) -> None:
        self._text = text
        self._turned = page.get_rotation()
        self._edges = page.get_mediabox()
        self._box = raw.FS_RECTF()
        self._words: list[Word] = []
        self._slanted: list[str] = []
        self._unmapped = self._drawn = 0

    def words(self) -> PageWords:
        run: _Run | None = None
        for at in range(self._text.count_chars()):
            letter = self._letter(at)
            if letter and run and run.takes(letter):
                continue
            if run:
                self._end(run)
            run = _Run(letter, self._is_upright(at)) if letter else None
        if run:
            self._end(run)
        return PageWords(tuple(self._words), tuple(self._slanted), self._drawn, self._unmapped)

    def _letter(self, at: int) -> _Letter | None:
        """None for a space, and for what has no meaning."""
        code = raw.FPDFText_GetUnicode(self._text, at)
        text = "-" if code in _HYPHENS else chr(min(code, 0x10FFFF))
        if text.isspace():
            return None
        self._drawn += 1
        if unicodedata.category(text) in _NO_LETTER or self._has_no_map(at):
            self._unmapped += 1
            return None
        if not raw.FPDFText_GetLooseCharBox(self._text, at, ctypes.byref(self._box)):
            return None
        left, right, bottom, top = self._place()
        return _Letter(text, left, right, bottom, top - bottom)

    def _has_no_map(self, at: int) -> bool:
        return bool(raw.FPDFText_HasUnicodeMapError(self._text, at) == 1)

    def _place(self) -> tuple[float, float, float, float]:
        """(left, right, bottom, top), the page turned as it is looked at."""
        box, (left, low, right, high) = self._box, self._edges
        if self._turned == 90:
            return box.bottom - low, box.top - low, right - box.right, right - box.left
        if self._turned == 180:
            return right - box.right, right - box.left, high - box.top, high - box.bottom
        if self._turned == 270:
            return high - box.top, high - box.bottom, box.left - left, box.right - left
        return box.left, box.right, box.bottom, box.top

    def _is_upright(self, at: int) -> bool:
        """As the page is looked at: pdfium's angles go with the clock."""
        angle = raw.FPDFText_GetCharAngle(self._text, at) + math.radians(self._turned)
        turn = angle % _FULL_TURN
        return bool(angle < 0) or min(turn, _FULL_TURN - turn) < _UPRIGHT

    def _end(self, run: _Run) -> None:
        word = run.word()
        if run.upright:
            self._words.append(word)
        else:
            self._slanted.append(word.text)
