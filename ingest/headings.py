"""Tells headings from text: Markdown's, and the bare short lines of plain text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.clean import is_furniture
from ingest.lines import ENDED, ITEM, LONG_LINE, going_on, indent
from ingest.sentences import Span
from kb.boundaries import boundaries

TITLE_LEVEL = 0
CALLOUT_LEVEL = 9  # a box inside a section, below all of its headings
_HEADING_CHARS, _HEADING_WORDS = 100, 14
_QUESTION_CHARS = 200
_MASTHEAD = 3  # bare lines in a row: too many for headings of headings

_ATX = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t]*#*")
_UNDERLINE = re.compile(r"(=+|-{2,})")
_NUMBER = re.compile(r"(\d{1,2}(?:\.\d{1,2})*+)[.)]?[ \t]+(?=[^\W\d_])")
_CALLOUT = re.compile(
    r"(?:pro |quick )?tip|note|warning|caution|important|did you know\?|best practice|key points?"
    r"|key takeaways?|in plain terms|in one sentence|in short|tl;?dr|example",
    re.IGNORECASE,
)
_MARKS = re.compile(r"\*\*|__|`|!?\[([^\]]{0,200})\]\([^)\s]{0,400}\)")
_READING_TIME = re.compile(r"\d min(?:ute)?s? read$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Heading:
    """level: 1 is highest; 0 is the document's title. asks: an answer follows, and it means
    nothing without the question."""

    level: int
    text: str
    asks: bool


def find_headings(
    text: str, lines: Sequence[Span], taken: frozenset[int], title: str
) -> Mapping[int, Heading]:
    """Headings by line number. `lines`: trimmed spans; `taken`: lines of code and tables. A text
    with Markdown headings has only those; in any other, bare short lines are looked at."""
    return _markdown(text, lines, taken, title) or _Plain(text, lines, taken, title).headings()


def is_byline(text: str, lines: Sequence[Span], at: int) -> bool:
    """Whether a line is the few words right above a reading time: a name, and no heading."""
    below = text[slice(*lines[at + 1])] if at + 1 < len(lines) else ""
    name = text[slice(*lines[at])]
    return len(name.split()) <= 3 and not ENDED.search(name) and bool(_READING_TIME.search(below))


def plain(heading: str) -> str:
    """A heading's words without Markdown's marks."""
    return " ".join(_MARKS.sub(lambda m: m[1] or "", heading).split())


def first_heading(text: str) -> str | None:
    """The words of the first Markdown heading outside of code."""
    fenced = False
    for line in text.split("\n"):
        fenced ^= line.lstrip().startswith(("```", "~~~"))
        marked = _ATX.fullmatch(line.strip())
        if marked and not fenced and plain(marked[2]):
            return plain(marked[2])
    return None


def _heading(level: int, content: str, title: str) -> Heading:
    words = plain(content)
    if words == title:
        return Heading(TITLE_LEVEL, words, asks=False)
    return Heading(level, words, words.endswith("?") and not _CALLOUT.fullmatch(words))


# -- Markdown ------------------------------------------------------------------------------------


def _markdown(
    text: str, lines: Sequence[Span], taken: frozenset[int], title: str
) -> dict[int, Heading]:
    found: dict[int, Heading] = {}
    for at, (start, end) in enumerate(lines):
        if at in taken or start == end:
            continue
        marked = _ATX.fullmatch(text, start, end)
        if marked and indent(text, (start, end)) <= 3 and plain(marked[2]):
            found[at] = _heading(len(marked[1]), marked[2], title)
        elif level := _underlined(text, lines, taken, at):
            found[at] = _heading(level, text[start:end], title)
    return found


def _underlined(text: str, lines: Sequence[Span], taken: frozenset[int], at: int) -> int:
    """1 or 2 where the next line underlines this one, else 0."""
    start, end = lines[at]
    alone = at == 0 or lines[at - 1][0] == lines[at - 1][1]
    if not alone or at + 1 == len(lines) or at + 1 in taken or end - start > LONG_LINE:
        return 0
    line = _UNDERLINE.fullmatch(text, *lines[at + 1])
    if line is None or ITEM.match(text, start, end) or is_furniture(text[start:end]):
        return 0
    return 1 if line[1].startswith("=") else 2


# -- plain text ----------------------------------------------------------------------------------


class _Plain:
    """Headings of a text without Markdown headings, decided from the last line to the first: a
    heading is known by what it stands above."""

    def __init__(self, text: str, lines: Sequence[Span], taken: frozenset[int], title: str) -> None:
        self._text, self._lines, self._taken = text, lines, taken
        self._going_on = going_on(text, lines)
        self._content = [
            at
            for at, line in enumerate(lines)
            if at in taken or not (is_furniture(text[slice(*line)]) or is_byline(text, lines, at))
        ]
        first = self._content[:12]
        self._title = next((at for at in first if plain(self._line(at)) == title), -1)
        self._titled = title

    def headings(self) -> dict[int, Heading]:
        bare: set[int] = set()
        below: int | None = None
        for at in reversed(self._content):
            heads = below is not None and self._may_head(at) and self._heads(at, below, bare)
            if heads and at > self._title:
                bare.add(at)
            below = at
        return self._levelled(self._without_mastheads(bare))

    def _line(self, at: int) -> str:
        return self._text[slice(*self._lines[at])]

    def _may_head(self, at: int) -> bool:
        in_margin = indent(self._text, self._lines[at]) == 0
        return in_margin and at not in self._taken and at - 1 not in self._going_on

    def _heads(self, at: int, below: int, bare: set[int]) -> bool:
        line = self._line(at)
        if line.endswith("?"):
            return self._asks(at, below)
        return (
            _is_bare(line)
            and at not in self._going_on
            and (
                below in bare
                or self._is_prose(below)
                or (self._is_list_or_table(below) and not _NUMBER.match(line))
            )
        )

    def _asks(self, at: int, below: int) -> bool:
        start, end = self._lines[at]
        item = ITEM.match(self._text, start, end)
        if end - start > _QUESTION_CHARS or any(boundaries(self._text, start, end)):
            return False
        answered = self._is_prose(below) or self._is_list_or_table(below)
        return self._is_prose(below) and below == at + 1 if item else answered

    def _is_list_or_table(self, at: int) -> bool:
        return at in self._taken or ITEM.match(self._line(at)) is not None

    def _is_prose(self, at: int) -> bool:
        line = self._line(at)
        if at in self._taken or ITEM.match(line) or line[:1].islower():
            return False
        return len(line) > LONG_LINE or at in self._going_on or bool(ENDED.search(line))

    def _without_mastheads(self, bare: set[int]) -> list[int]:
        """Of many bare lines in a row only the last heads what follows."""
        kept: list[int] = []
        row: list[int] = []
        for at in self._content:
            if at in bare:
                row.append(at)
                continue
            kept += row[-1:] if len(row) >= _MASTHEAD else row
            row = []
        return kept + row

    def _levelled(self, found: list[int]) -> dict[int, Heading]:
        """Bare lines have no levels; a heading right above another heads it, and a heading right
        above a question heads all questions up to the next heading that isn't one."""
        out: dict[int, Heading] = {}
        if self._title >= 0:
            out[self._title] = Heading(TITLE_LEVEL, self._titled, asks=False)
        above = dict(zip(self._content[1:], self._content, strict=False))
        questions_level = 1
        for at in found:
            heading = self._bare_heading(at)
            parent = out.get(above.get(at, -1))
            heads_this = parent is not None and parent.level != CALLOUT_LEVEL
            below_parent = parent.level + 1 if parent and heads_this else 1
            if heading.asks:
                if below_parent > 1 and parent and not parent.asks:
                    questions_level = below_parent
                heading = replace(heading, level=questions_level)
            elif heading.level == 1:
                heading = replace(heading, level=below_parent)
                questions_level = 1
            out[at] = heading
        return out

    def _bare_heading(self, at: int) -> Heading:
        """The heading in a line; level 1 where the line itself doesn't tell."""
        line = self._line(at)
        heading = _heading(1, _unmarked(line) if line.endswith("?") else line, title="")
        if _CALLOUT.fullmatch(heading.text):
            return replace(heading, level=CALLOUT_LEVEL)
        number = _NUMBER.match(line)
        level = number[1].count(".") + 1 if number else 1
        return Heading(level, heading.text.lstrip(". "), heading.asks)


def _unmarked(item: str) -> str:
    marker = ITEM.match(item)
    return item[marker.end() :] if marker else item


def _is_bare(line: str) -> bool:
    """Whether a line's own shape is that of a heading: short, capitalised, no sentence."""
    number = _NUMBER.match(line)
    words = line[number.end() :] if number else line.lstrip(".")
    return (
        len(line) <= _HEADING_CHARS
        and 1 <= len(words.split()) <= _HEADING_WORDS
        and words[:1] in "\"'“‘«(" + words[:1].upper()
        and any(c.isalpha() for c in words)
        and not (ENDED.search(line) or line.endswith(","))
        and (number is not None or not ITEM.match(line))
        and " | " not in line
    )
