"""A part of a page as Markdown: headings, paragraphs, lists with their numbers, tables, code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from ingest.formats.html.block import Block, in_a_cell, on_one_line
from ingest.formats.html.forms import filled_in, opens_a_panel
from ingest.formats.html.formulas import formula, local, raised
from ingest.formats.html.marks import alone, fenced, numbers, terms_and_definitions
from ingest.formats.html.page import words
from ingest.formats.html.tables import cells_of, is_layout, is_list_of_terms, table_rows
from ingest.tables import table_lines
from kb.reading import Lost

_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite data del dfn em font i ins label mark nobr q rp rt ruby s "
    "small span strike strong time tt u var wbr output meter progress".split()
)
_CODE = frozenset("code kbd samp".split())
_UNSEEN = {
    "video": "video",
    "audio": "recording",
    "iframe": "embedded page",
    "object": "embedded file",
    "embed": "embedded file",
    "canvas": "drawing",
    "svg": "drawing",
}
_ANCHOR = re.compile(r"headerlink|anchor|permalink", re.IGNORECASE)
_LONGEST_BOLD = 120  # characters; a longer paragraph in bold is no heading
_TINY = frozenset(("0", "1", "2"))  # pixels; who counts readers puts in such pictures


class Markdown:
    """left_out: what isn't read. What can't be told in text is counted, by the heading that it
    stands under."""

    def __init__(self, left_out: Callable[[Any], bool] = lambda element: False) -> None:
        self._left_out = left_out
        self._lost: Counter[tuple[str, str]] = Counter()
        self._heading = ""

    def text(self, root: Any) -> str:
        return "\n\n".join(block.text for block in self.blocks(root))

    def blocks(self, element: Any, depth: int = 0) -> list[Block]:
        """What is inside of an element. depth: how many lists are around it."""
        return _Walk(self, depth).blocks(element)

    def lost(self) -> tuple[Lost, ...]:
        return tuple(Lost(kind, count, where) for (kind, where), count in self._lost.items())

    # -- for the walk ----------------------------------------------------------------------------

    def leaves_out(self, element: Any) -> bool:
        return not isinstance(element.tag, str) or self._left_out(element)

    def under(self, heading: str) -> None:
        self._heading = heading

    def lose(self, kind: str) -> None:
        self._lost[kind, self._heading] += 1


class _Walk:
    """One element's inside, with the paragraph that is being gathered."""

    def __init__(self, markdown: Markdown, depth: int) -> None:
        self._markdown = markdown
        self._depth = depth
        self._blocks: list[Block] = []
        self._line: list[str] = []
        self._bold: list[bool] = []
        self._in_bold = False

    def blocks(self, element: Any) -> list[Block]:
        self._inside(element)
        self._end()
        return self._blocks

    def _inside(self, element: Any) -> None:
        self._say(element.text)
        for child in element:
            if not self._markdown.leaves_out(child):
                self._node(child)
            self._say(child.tail)

    def _say(self, text: str | None) -> None:
        if text:
            self._line.append(text.replace("\n", " ").replace("\r", " "))
            self._bold.append(self._in_bold or not text.strip())

    def _end(self) -> None:
        """The paragraph is complete."""
        lines = [" ".join(line.split()) for line in "".join(self._line).split("\n")]
        text = "\n".join(line for line in lines if line)
        if text:
            bold = all(self._bold) and "\n" not in text and len(text) <= _LONGEST_BOLD
            self._blocks.append(Block("text", f"**{text}**" if bold else text))
        self._line, self._bold = [], []

    def _node(self, element: Any) -> None:
        tag = local(element)
        if handler := _HANDLERS.get(tag):
            handler(self, element)
        elif tag in _INLINE:
            self._inline(element, tag)
        elif tag in _UNSEEN:
            self._markdown.lose(_UNSEEN[tag])
        else:
            self._end()
            self._inside(element)
            self._end()

    # -- inside of a paragraph -------------------------------------------------------------------

    def _inline(self, element: Any, tag: str) -> None:
        if tag == "a" and _ANCHOR.search(element.get("class") or "") and len(words(element)) < 2:
            return
        if tag == "rp":
            return
        if tag == "rt":
            self._line.append(f" ({words(element)})")
            self._bold.append(self._in_bold)
            return
        before, self._in_bold = self._in_bold, self._in_bold or tag in ("b", "strong")
        self._inside(element)
        self._in_bold = before

    def _code(self, element: Any) -> None:
        said = words(element)
        self._say(f"`{said}`" if said and "`" not in said else said)

    def _break(self, element: Any) -> None:
        self._line.append("\n")
        self._bold.append(True)

    def _raised(self, element: Any) -> None:
        linked = next(element.iter("a"), None) is not None
        said = words(element).strip("[]")
        self._say(f" [{said}]" if linked and said else raised(said))

    def _formula(self, element: Any) -> None:
        alone = element.get("display") == "block"
        if alone:
            self._end()
        shown = formula(element) or element.get("alttext") or ""
        if shown:
            self._say(f" {shown} ")
        else:
            self._markdown.lose("formula")
        if alone:
            self._end()

    def _script(self, element: Any) -> None:
        if str(element.get("type", "")).startswith("math/tex"):
            self._say(f" {' '.join((element.text or '').split())} ")

    def _picture(self, element: Any) -> None:
        small = {element.get("width"), element.get("height")} & _TINY
        if element.get("alt") == "" or element.get("role") == "presentation" or small:
            return
        shown = element.get("alt") or ""
        tex = (
            "math" in (element.get("class") or "") or "tex" in (element.get("class") or "").split()
        )
        if tex and shown:
            self._say(f" {shown} ")
        else:
            self._markdown.lose("picture")

    def _input(self, element: Any) -> None:
        self._say(filled_in(element))

    def _button(self, element: Any) -> None:
        """A button does something; one that opens a panel is the panel's heading."""
        heading = any(local(above) in _LEVELS for above in element.iterancestors())
        if heading or opens_a_panel(element):
            self._inside(element)
            if not heading:
                self._end()

    # -- blocks ----------------------------------------------------------------------------------

    def _title(self, element: Any) -> None:
        self._end()
        inner = _Walk(self._markdown, 0).blocks(element)
        said = " ".join(block.text.strip("*") for block in inner).replace("\n", " ")
        if said:
            self._markdown.under(said)
            self._blocks.append(Block("heading", f"{'#' * _LEVELS[local(element)]} {said}"))

    def _fence(self, element: Any) -> None:
        self._end()
        if code := fenced(element):
            self._blocks.append(Block("code", code))

    def _list(self, element: Any) -> None:
        self._end()
        lines: list[str] = []
        marks = numbers(element)
        for item in element:
            if self._markdown.leaves_out(item):
                continue
            if local(item) in ("ul", "ol"):  # lists in lists, as they were once written
                inner = self._markdown.blocks(alone(item), self._depth + 1)
                lines.extend(block.text for block in inner)
                continue
            mark = next(marks, "-") if local(item) == "li" else "-"
            if value := (item.get("value") if local(element) == "ol" else None):
                mark = f"{value}."
            self._item(mark, self._markdown.blocks(item, self._depth + 1), lines)
        self._ends_with(lines)

    def _item(self, mark: str, inside: list[Block], lines: list[str]) -> None:
        indent = "  " * self._depth
        first = True
        for block in inside:
            if block.kind in ("table", "code"):
                self._ends_with(lines)
                self._blocks.append(block)
                continue
            if block.kind == "list":
                lines.append(block.text)
                continue
            for line in block.text.strip("*# ").split("\n"):
                lines.append(f"{indent}{mark} {line}" if first else f"{indent}  {line}")
                first = False

    def _ends_with(self, lines: list[str]) -> None:
        if lines:
            self._blocks.append(Block("list", "\n".join(lines)))
            lines.clear()

    def _terms(self, element: Any) -> None:
        """A term and what is said of it on one line: neither means anything without the other."""
        self._end()
        lines: list[str] = []
        names: list[str] = []
        said = False
        for one in terms_and_definitions(element):
            inside = self._markdown.blocks(one, self._depth + 1)
            flat = " ".join(block.text for block in inside if block.kind in ("text", "heading"))
            if local(one) == "dt":
                names = [] if said else names
                names.append(" ".join(flat.split()).strip("*# "))
                said = False
                continue
            self._item(f"- {' / '.join(names)}:" if names else "-", inside, lines)
            said = True
        if names and not said:
            lines.append(f"- {' / '.join(names)}")
        self._ends_with(lines)

    def _table(self, element: Any) -> None:
        self._end()
        for caption in element.iterchildren("caption"):
            self._inside(caption)
            self._end()
        if is_layout(element):
            for cell in cells_of(element):
                self._inside(cell)
                self._end()
            return
        rows = table_rows(element, self._cell)
        if not rows:
            return
        if is_list_of_terms(rows):
            lines = [f"- {name}: {on_one_line(value)}" for name, value in rows[1:] if name or value]
            self._ends_with(lines)
        else:
            self._blocks.append(Block("table", "\n".join(table_lines(rows))))

    def _cell(self, cell: Any) -> str:
        return "\n".join(in_a_cell(block) for block in self._markdown.blocks(cell))


_LEVELS = {f"h{level}": level for level in range(1, 7)}
_HANDLERS: dict[str, Callable[[_Walk, Any], None]] = {
    **dict.fromkeys(_LEVELS, _Walk._title),
    **dict.fromkeys(_CODE, _Walk._code),
    **dict.fromkeys(("ul", "ol", "menu", "dir"), _Walk._list),
    "pre": _Walk._fence,
    "dl": _Walk._terms,
    "table": _Walk._table,
    "br": _Walk._break,
    "sup": _Walk._raised,
    "sub": lambda walk, element: walk._say(words(element)),
    "math": _Walk._formula,
    "script": _Walk._script,
    "img": _Walk._picture,
    "input": _Walk._input,
    "select": _Walk._input,
    "button": _Walk._button,
}
