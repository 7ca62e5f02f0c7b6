"""reStructuredText: read as docutils reads it, without what would open or run anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.utils import SystemMessage

from ingest.formats.grid import named_rows, one_header
from ingest.formats.parsed import Parsed
from ingest.formats.text import decoded
from ingest.front_matter import FrontMatter
from kb.errors import FileDamaged

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "halt_level": 5,  # nothing stops it: most texts have something that only their program knows
    "report_level": 5,
    "doctitle_xform": False,
    "_disable_config": True,
    "line_length_limit": 1_000_000,
}
_UNSEEN = (nodes.comment, nodes.substitution_definition, nodes.target, nodes.pending,
           nodes.system_message, nodes.meta, nodes.image, nodes.raw)  # fmt: skip
_LISTS = (nodes.bullet_list, nodes.enumerated_list)
# What Sphinx adds to the language, without which docutils passes over what is inside.
_BOXES = "versionadded versionchanged deprecated seealso only index centered tabs tab hlist".split()
_ROLES = "ref doc class func meth mod attr exc data term option envvar file guilabel menuselection \
kbd command program py:class py:func py:meth py:mod py:attr py:exc py:data abbr dfn samp".split()


class _Box(Directive):  # type: ignore[misc]  # of a library without types
    """Its words, after what stands on its own line."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[Any]:
        box = nodes.container()
        if self.arguments and self.name not in ("only", "index"):
            box += nodes.paragraph("", f"{self.name}: {self.arguments[0]}")
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


def read_rst(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid, FileDamaged."""
    for name in _BOXES:
        directives.register_directive(name, _Box)
    for name in _ROLES:
        roles.register_generic_role(name, nodes.literal)
    try:
        tree = publish_doctree(decoded(uri, data), settings_overrides=_SETTINGS)
    except SystemMessage as error:
        raise FileDamaged(f"{uri}: can't be read ({error})") from error
    title = tree.next_node(nodes.title)
    facts = FrontMatter(title.astext() if title is not None else None)
    return Parsed(facts, "\n\n".join(_blocks(tree, 0)))


def _blocks(parent: Any, level: int) -> Iterator[str]:
    for node in parent.children:
        yield from _block(node, level)


def _block(node: Any, level: int) -> Iterator[str]:
    """level: of the section that it is in, 0 being the document."""
    match node:
        case _ if isinstance(node, _UNSEEN):
            return
        case nodes.title() | nodes.subtitle():
            yield f"{'#' * min(6, level)} {_on_one_line(node)}"
        case nodes.section():
            yield from _blocks(node, level + 1)
        case nodes.literal_block() | nodes.doctest_block():
            yield f"````\n{node.astext()}\n````"
        case nodes.table():
            yield from _table(node)
        case nodes.definition_list_item():
            yield from _definition(node, level)
        case nodes.field():
            yield f"- {_on_one_line(node[0])}: {_on_one_line(node[1])}"
        case nodes.footnote() | nodes.citation():
            yield f"- {_on_one_line(node)}"
        case _ if isinstance(node, _LISTS):
            yield from _items(node, level, 0)
        case nodes.TextElement():
            yield _on_one_line(node)
        case nodes.Element():
            yield from _blocks(node, level)


def _definition(node: Any, level: int) -> Iterator[str]:
    terms = [_on_one_line(part) for part in node if not isinstance(part, nodes.definition)]
    first, *others = [block for part in node if isinstance(part, nodes.definition)
                      for block in _blocks(part, level)] or [""]  # fmt: skip
    yield f"{', '.join(terms)}: {first}"
    yield from others


def _items(parent: Any, level: int, depth: int) -> Iterator[str]:
    start = parent.get("start", 1)
    numbered = isinstance(parent, nodes.enumerated_list)
    for number, item in enumerate(parent, start):
        mark = f"{number}." if numbered else "-"
        for part in item:
            if isinstance(part, _LISTS):
                yield from _items(part, level, depth + 1)
                continue
            for block in _block(part, level):
                yield f"{'  ' * depth}{mark} {block}" if mark else block
                mark = ""


def _table(table: Any) -> Iterator[str]:
    title = table.next_node(nodes.title)
    if title is not None:
        yield _on_one_line(title)
    heads = [_rows(head) for head in table.findall(nodes.thead)]
    body = [row for part in table.findall(nodes.tbody) for row in _rows(part)]
    head = one_header(heads[0]) if heads else [""] * max(map(len, body), default=0)
    yield "\n".join(named_rows([head, *body]))


def _rows(part: Any) -> list[list[str]]:
    """What a cell over several columns or rows says in each of them."""
    rows: list[list[str]] = []
    below: dict[tuple[int, int], str] = {}
    for down, row in enumerate(part.findall(nodes.row)):
        cells: list[str] = []
        for entry in row:
            while (down, len(cells)) in below:
                cells.append(below[down, len(cells)])
            text = "\n".join(_on_one_line(block) for block in entry)
            for _ in range(1 + entry.get("morecols", 0)):
                below.update(
                    {(down + n, len(cells)): text for n in range(1, 1 + entry.get("morerows", 0))}
                )
                cells.append(text)
        while (down, len(cells)) in below:
            cells.append(below[down, len(cells)])
        rows.append(cells)
    return rows


def _on_one_line(node: Any) -> str:
    return " ".join(node.astext().split())
