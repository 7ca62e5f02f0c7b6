"""The lines of a PDF's pages as flowing text: no running headers, no hyphens at line ends."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from ingest.formats.parsed import PAGE_BREAK
from ingest.lines import ENDED, ITEM

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_HYPHEN_END = re.compile(r"(?<!\S)(\S*\w)([-\u00ad\u2010])$")
WRAPPED = "\0"  # ends a line that was seen to go on in the next, by where its words stand
_BAR = "|"  # begins the rows of a table, which stay lines
_DIGITS = re.compile(r"\d+")
_EDGE = 2  # lines at the head and at the foot of a page that may be furniture
_LONGEST_FURNITURE = 120  # characters
_FEWEST_PAGES = 3  # two pages that begin alike may just say something alike
_PAGE_OF = re.compile(
    r"(?:page |p\. ?)?\d{1,4}(?: ?(?:of|/) ?\d{1,4})?|[-–—] ?\d{1,4} ?[-–—]", re.I
)
_NARROWEST = 40  # characters; columns are no narrower, so shorter lines are not wrapped
_FULL, _HALF = 0.75, 0.5  # of the width: a line that goes on is full, but for one long word


def flowing(pages: Sequence[str]) -> str:
    """Paragraphs with a blank line between them. A PAGE_BREAK begins every page but the first;
    it stands between two words where the sentence goes on there."""
    lined = [_lines(page) for page in pages]
    furniture = _furniture(lined)
    kept = [
        _trimmed([line for at, line in enumerate(lines) if (number, at) not in furniture])
        for number, lines in enumerate(lined)
    ]
    return "".join(_Flow(kept).pieces()).strip("\n ")


def _lines(page: str) -> list[str]:
    """Blank lines, which stand where there is a gap on the page, are kept."""
    return _trimmed([" ".join(line.split()) for line in page.translate(_LIGATURES).split("\n")])


def _trimmed(lines: list[str]) -> list[str]:
    filled = [at for at, line in enumerate(lines) if line]
    return lines[filled[0] : filled[-1] + 1] if filled else []


# -- running headers and footers -----------------------------------------------------------------


def _furniture(pages: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """(page, line) of what stands at the edge of many pages, the same but for numbers that count
    with the pages; and of page numbers that stand alone."""
    alike: dict[tuple[object, ...], set[tuple[int, int]]] = defaultdict(set)
    for number, lines in enumerate(pages):
        for at in _edges(lines):
            if len(lines[at]) <= _LONGEST_FURNITURE and not lines[at].startswith(_BAR):
                for shape in _shapes(lines[at].removesuffix(WRAPPED), number):
                    alike[shape].add((number, at))
    least = max(_FEWEST_PAGES, len(pages) / 3)
    return {
        place
        for places in alike.values()
        if len({number for number, _ in places}) >= least
        for place in places
    } | {
        (number, at)
        for number, lines in enumerate(pages)
        for at in _edges(lines)
        if len(pages) > 1
        and len(lines) > 1
        and _is_number_of(number + 1, lines[at].removesuffix(WRAPPED))
    }


def _edges(lines: Sequence[str]) -> set[int]:
    filled = [at for at, line in enumerate(lines) if line]
    return {*filled[:_EDGE], *filled[-_EDGE:]}


def _shapes(line: str, page: int) -> Iterator[tuple[object, ...]]:
    """The line itself, and the line with its numbers counted from the page's."""
    yield (line,)
    numbers = _DIGITS.findall(line)
    if numbers and all(len(n) < 6 for n in numbers):
        for counting in range(len(numbers)):
            offsets = [int(n) - page if i == counting else n for i, n in enumerate(numbers)]
            yield (_DIGITS.sub("#", line), counting, *offsets)


def _is_number_of(page: int, line: str) -> bool:
    return _PAGE_OF.fullmatch(line) is not None and int(_DIGITS.findall(line)[0]) == page


# -- paragraphs ----------------------------------------------------------------------------------


class _Flow:
    """Puts lines that were broken together again."""

    def __init__(self, pages: Sequence[Sequence[str]]) -> None:
        self._pages = pages
        lengths = sorted(
            len(line) for lines in pages for line in lines if line and not line.startswith(_BAR)
        )
        self._width = lengths[len(lengths) * 9 // 10] if lengths else 0
        self._seen = any(line.endswith(WRAPPED) for lines in pages for line in lines)
        plain = (line.removesuffix(WRAPPED) for lines in pages for line in lines)
        whole = (_HYPHEN_END.sub("", line).lower() for line in plain)
        self._words = {word for line in whole for word in _WORD.findall(line)}

    def pieces(self) -> Iterator[str]:
        """The text, to be joined without anything between."""
        above = ""  # the line that waits for what follows it
        for number, lines in enumerate(self._pages):
            turn = PAGE_BREAK if number else ""
            for line in lines or [""]:
                below = line
                goes_on = above and self._goes_on(above, line, overleaf=bool(turn))
                above = above.removesuffix(WRAPPED)
                if goes_on:
                    above, below = self._healed(above, line)
                    yield above + (" " if above else "") + turn
                else:
                    rows = above.startswith(_BAR) and line.startswith(_BAR) and not turn
                    between = "\n" if rows else "\n\n"
                    yield above + (between if above else "") + (f"{turn}\n" if turn else "")
                above, turn = below, ""
        yield above.removesuffix(WRAPPED)

    def _goes_on(self, line: str, below: str, overleaf: bool) -> bool:
        """Whether a line was broken only because it was full."""
        if not below or ITEM.match(below) or line.startswith(_BAR) or below.startswith(_BAR):
            return False
        if line.endswith(WRAPPED):
            return True
        if _HYPHEN_END.search(line) and below[0].islower():
            return True
        if self._seen and not overleaf:
            return False
        if self._width < _NARROWEST:
            return False
        if not ENDED.search(line):
            return len(line) >= (_HALF if below[0].islower() else _FULL) * self._width
        # A full line that ends with its sentence: a short line below it may be a heading.
        heads = len(below) < _HALF * self._width and not ENDED.search(below)
        return len(line) >= _FULL * self._width and not heads

    def _healed(self, line: str, below: str) -> tuple[str, str]:
        """The two lines, a word that was cut in two whole again and in the second."""
        cut = _HYPHEN_END.search(line)
        if cut is None:
            return line, below
        begun, hyphen = cut[1], cut[2]
        if not self._is_division(begun, hyphen, below):
            begun += "-"
        return line[: cut.start()].rstrip(), begun + below

    def _is_division(self, begun: str, hyphen: str, below: str) -> bool:
        """Whether the hyphen was set for the line's end only: not in "open-" above "source",
        where the text has that word, or both of its parts, elsewhere."""
        if hyphen == "\u00ad":
            return True
        goes_on = _WORD.match(below)
        if goes_on is None or not below[0].islower() or "-" in begun or not begun.isalpha():
            return False
        left, right = begun.lower(), goes_on[0].lower()
        if f"{left}-{right}" in self._words:
            return False
        return left + right in self._words or not {left, right} <= self._words
