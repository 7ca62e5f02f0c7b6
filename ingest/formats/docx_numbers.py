"""The numbers that Word counts for headings and lists: no part of a paragraph's text, though its
readers see them and other paragraphs name them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from docx.oxml.ns import qn

_VAL, _LEVEL, _NUMBER = qn("w:val"), qn("w:ilvl"), qn("w:numId")
_PLACE = re.compile(r"%([1-9])")
_DEEPEST = 8
_NO_LIST = "0"  # the id that takes a paragraph out of its style's list
_MOST_STYLES = 30  # a chain of styles that is longer goes in a circle
_ROMAN = [(1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
          (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")]  # fmt: skip
_MOST_ROMAN = 4000
_MOST_LETTERS = 26 * 20


@dataclass(frozen=True, slots=True)
class Label:
    """What stands before a paragraph: "4.1", "Step 3:"; "" for a bullet."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    format: str
    text: str
    legal: bool  # all its numbers in figures
    restarts: bool


class Numbers:
    """Counts through the paragraphs of a document, which come in their order."""

    def __init__(self, numbering: Any | None, styles: Mapping[str, Any]) -> None:
        """numbering: the root of numbering.xml; styles: the styles' elements by their ids."""
        self._styles = styles
        self._levels: dict[str, dict[int, _Level]] = {}
        self._list_of: dict[str, str] = {}
        self._starts: dict[str, dict[int, int]] = {}
        self._linked: dict[str, tuple[str, int]] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()
        if numbering is not None:
            self._read(numbering)

    def label(self, paragraph: Any) -> Label | None:
        """None for a paragraph in no list."""
        found = self._place(paragraph)
        if found is None:
            return None
        number, level = found
        of = self._list_of.get(number, "")
        spec = self._levels.get(of, {}).get(level)
        if spec is None or spec.format == "bullet":
            return Label(level, "")
        if spec.format == "none":
            return Label(level, _PLACE.sub("", spec.text).strip())
        self._count(number, of, level)
        return Label(level, self._written(of, spec).strip())

    def _read(self, numbering: Any) -> None:
        for abstract in numbering.findall(qn("w:abstractNum")):
            of = abstract.get(qn("w:abstractNumId"), "")
            self._levels[of] = {_level_of(e): _level(e) for e in abstract.findall(qn("w:lvl"))}
        for num in numbering.findall(qn("w:num")):
            self._read_num(num)
        numbers = {of: number for number, of in self._list_of.items()}
        for abstract in numbering.findall(qn("w:abstractNum")):
            number = numbers.get(abstract.get(qn("w:abstractNumId"), ""))
            for lvl in abstract.findall(qn("w:lvl")):
                if number and (style := _value(lvl, "w:pStyle")):
                    self._linked[style] = (number, _level_of(lvl))

    def _read_num(self, num: Any) -> None:
        number = num.get(_NUMBER, "")
        self._list_of[number] = of = _value(num, "w:abstractNumId") or ""
        for override in num.findall(qn("w:lvlOverride")):
            level = _level_of(override)
            if (own := override.find(qn("w:lvl"))) is not None:
                # A list of its own, with the other levels of the one that it was made from.
                self._levels[f"{of}/{number}"] = {**self._levels.get(of, {}), level: _level(own)}
                self._list_of[number] = f"{of}/{number}"
            if (start := _value(override, "w:startOverride")) is not None:
                self._starts.setdefault(number, {})[level] = _figure(start, 1)

    def _place(self, paragraph: Any) -> tuple[str, int] | None:
        """The list and the level, as the paragraph or its style says."""
        properties = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        number = _value(properties, "w:numId") if properties is not None else None
        level = _value(properties, "w:ilvl") if properties is not None else None
        for style in self._chain(paragraph.style):
            if number is not None:
                break
            number, level = self._place_of(style, level)
        if number is None or number == _NO_LIST:
            return None
        return number, min(_DEEPEST, _figure(level, 0))

    def _place_of(self, style: str, level: str | None) -> tuple[str | None, str | None]:
        properties = self._styles[style].find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        if properties is None:
            return None, level
        number = _value(properties, "w:numId")
        linked = self._linked.get(style)
        if linked and (number is None or self._list_of.get(number) == self._list_of[linked[0]]):
            return number or linked[0], level or str(linked[1])
        return number, level or _value(properties, "w:ilvl")

    def _chain(self, style: str | None) -> Iterator[str]:
        for _ in range(_MOST_STYLES):
            if style is None or style not in self._styles:
                return
            yield style
            style = _value(self._styles[style], "w:basedOn")

    def _count(self, number: str, of: str, level: int) -> None:
        counts, levels = self._counts.setdefault(of, {}), self._levels[of]
        if number not in self._begun:
            self._begun.add(number)
            for at, start in self._starts.get(number, {}).items():
                counts[at] = start - 1
        counts[level] = counts.get(level, levels[level].start - 1) + 1
        for deeper in [at for at in counts if at > level]:
            if deeper not in levels or levels[deeper].restarts:
                del counts[deeper]

    def _written(self, of: str, spec: _Level) -> str:
        def number(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            other = self._levels[of].get(at)
            if other is None:
                return ""
            count = self._counts[of].setdefault(at, other.start)
            return str(count) if spec.legal else _in_format(count, other.format)

        return _PLACE.sub(number, spec.text)


def _level(element: Any) -> _Level:
    return _Level(
        start=_figure(_value(element, "w:start"), 0),
        format=_value(element, "w:numFmt") or "decimal",
        text=_value(element, "w:lvlText") or "",
        legal=element.find(qn("w:isLgl")) is not None,
        restarts=_value(element, "w:lvlRestart") != "0",
    )


def _level_of(element: Any) -> int:
    return _figure(element.get(_LEVEL), 0)


def _value(element: Any, tag: str) -> str | None:
    found = element.find(qn(tag))
    return None if found is None else found.get(_VAL)


def _figure(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise


def _in_format(count: int, name: str) -> str:
    return _FORMATS.get(name, str)(count)


def _roman(count: int) -> str:
    if not 0 < count < _MOST_ROMAN:
        return str(count)
    out = ""
    for value, sign in _ROMAN:
        out += sign * (count // value)
        count %= value
    return out


def _letters(count: int) -> str:
    """a to z, and then aa to zz, as Word counts."""
    if not 0 < count <= _MOST_LETTERS:
        return str(count)
    return chr(ord("a") + (count - 1) % 26) * (1 + (count - 1) // 26)


_FORMATS: Mapping[str, Callable[[int], str]] = {
    "lowerLetter": _letters,
    "upperLetter": lambda count: _letters(count).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda count: _roman(count).upper(),
    "decimalZero": lambda count: f"{count:02}",
}
