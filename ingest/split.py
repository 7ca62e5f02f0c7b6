"""Splits a document into passages whose offsets point at its own text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import ceil

from ingest.outline import Piece, Section, outline
from ingest.pages import Pages
from ingest.sentences import Span, TokenCounter, cut
from ingest.tables import Row, Table, cell_text
from kb.types import Document, Passage, PassageKind, Unit

# Names what this module does to a text; change it with any change to what comes out.
SPLITTER = "structure-3"

# In tokens of the encoder, whose window is 256. Passages of about 150 ranked best on our questions.
TARGET = 150
WHOLE = 180  # what belongs together isn't cut for less than this
MOST = 250
TABLE = 200
ITEM = 12  # shorter list items mean nothing without their list
# A word that the encoder doesn't know is one token, however long it is.
_CHARS_A_TOKEN = 20
_SHARE_OF_NAMES = 4  # a row's label, or a column's name, may take a quarter of a passage


def split(document: Document, count: TokenCounter) -> list[Passage]:
    """The passages of a document in the order of its text; a group of table rows comes before
    the rows, a list before its items. `count` gives the tokens of a string; no body has more
    than MOST of them."""
    splitter = _Splitter(document, count)
    found = (
        passage
        for section in outline(document.text, document.title)
        for passage in splitter.passages(section)
    )
    return [replace(passage, ordinal=i) for i, passage in enumerate(found)]


class _Splitter:
    def __init__(self, document: Document, count: TokenCounter) -> None:
        self._tokens = count
        self._text = document.text
        self._pages = Pages(document.text)
        self._id, self._revision = document.id, document.revision

    def passages(self, section: Section) -> Iterator[Passage]:
        for block in _between_tables(section.blocks):
            if isinstance(block, Table):
                yield from self._table(block, section.heading)
            else:
                for page in self._pages.parted(block):
                    yield from self._text_of(page, section.heading)

    def _text_of(self, block: Sequence[Piece], heading: str) -> Iterator[Passage]:
        for pieces in self._pack(block):
            yield self._prose(pieces, heading)
            yield from self._items(pieces, heading)

    def _items(self, pieces: Sequence[Piece], heading: str) -> Iterator[Passage]:
        """List items that say something by themselves, as rows do; their list is a passage too."""
        if len(pieces) > 1:
            for piece in pieces:
                if piece.item and self._size([piece]) >= ITEM:
                    yield self._prose([piece], heading)

    def _count(self, text: str) -> int:
        return max(self._tokens(text), ceil(len(text) / _CHARS_A_TOKEN))

    # -- prose -----------------------------------------------------------------------------------

    def _pack(self, pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
        """Pieces that stand together in a passage: paragraphs and lists whole where they fit."""
        current: list[Piece] = []
        for run in _runs(pieces):
            if self._fits([*current, *run], TARGET):
                current += run
                continue
            if current:
                yield current
            *done, current = [run] if self._fits(run, WHOLE) else self._spread(run)
            yield from done
        if current:
            yield current

    def _spread(self, run: Sequence[Piece]) -> list[list[Piece]]:
        """A run that is too long for a passage, in passages of about the same length."""
        parts = [part for piece in run for part in self._parts(piece)]
        total = sum(self._size([part]) for part in parts)
        goal = total / ceil(total / TARGET)
        spread = [parts[:1]]
        for part in parts[1:]:
            last = spread[-1]
            limit = MOST if last[-1].leads else TARGET
            full = self._size(last) >= goal and not last[-1].leads
            if full or not self._fits([*last, part], limit):
                spread.append([])
            spread[-1].append(part)
        return spread

    def _parts(self, piece: Piece) -> Iterator[Piece]:
        """The piece, or its sentences where it is too long, or pieces of those."""
        lead_in_of_a_paragraph = piece.leads and len(piece.units) > 1
        if self._fits([piece], WHOLE) and not lead_in_of_a_paragraph:
            yield piece
            return
        for part in piece.by_unit():
            if self._fits([part], MOST):
                yield part
                continue
            for span in cut(self._text, (part.start, part.end), MOST, self._count):
                yield Piece(*span, (span,))

    def _fits(self, pieces: Sequence[Piece], limit: int) -> bool:
        return self._size(pieces) <= limit

    def _size(self, pieces: Sequence[Piece]) -> int:
        return self._count(self._text[pieces[0].start : pieces[-1].end])

    def _prose(self, pieces: Sequence[Piece], heading: str) -> Passage:
        start, end = pieces[0].start, pieces[-1].end
        units = tuple(
            Unit(left - start, right - start, left, right)
            for piece in pieces
            for left, right in piece.units
        )
        return self._passage("prose", start, end, heading, self._text[start:end], units)

    # -- tables ----------------------------------------------------------------------------------

    def _table(self, table: Table, heading: str) -> Iterator[Passage]:
        bodies = [(row, body) for row in table.rows if (body := self._body(table, row))]
        groups = list(self._groups(bodies))
        if not groups or self._line_size(groups[0][0][1]) > TABLE:
            for pieces in self._pack([_header(table)]):
                yield self._prose(pieces, heading)
        for number, group in enumerate(groups):
            start = table.start if number == 0 else group[0][0].start
            body = "\n".join(body for _, body in group)
            if self._line_size(body) <= TABLE and (number == 0 or len(group) > 1):
                units = tuple(_line_units(group))
                yield self._passage("table", start, group[-1][0].end, heading, body, units)
            for row, line in group:
                yield from self._row(table, row, line, heading)

    def _groups(self, bodies: Sequence[tuple[Row, str]]) -> Iterator[list[tuple[Row, str]]]:
        """Consecutive rows in groups of about the same length."""
        total = sum(self._line_size(body) for _, body in bodies)
        goal = total / max(1, ceil(total / TABLE))
        group: list[tuple[Row, str]] = []
        size = 0
        for row, body in bodies:
            added = self._line_size(body)
            if group and (size >= goal or size + added > TABLE):
                yield group
                group, size = [], 0
            group.append((row, body))
            size += added
        if group:
            yield group

    def _line_size(self, body: str) -> int:
        return self._count(f"{body}\n")

    def _body(self, table: Table, row: Row) -> str:
        """The row on its own: "header: value; header: value"; empty cells say nothing."""
        named = zip(row.cells, _names(table, row), strict=True)
        cells = [(cell_text(self._text, cell), name) for cell, name in named]
        return "; ".join(f"{name}: {value}" if name else value for value, name in cells if value)

    def _row(self, table: Table, row: Row, body: str, heading: str) -> Iterator[Passage]:
        if self._count(body) <= MOST:
            unit = Unit(0, len(body), row.start, row.end)
            yield self._passage("row", row.start, row.end, heading, body, (unit,))
            return
        for part, span in self._row_parts(table, row):
            yield self._passage("row", *span, heading, part, (Unit(0, len(part), *span),))

    def _row_parts(self, table: Table, row: Row) -> Iterator[tuple[str, Span]]:
        """A row that is too long for a passage, in cells that fit together, or pieces of a cell;
        each after the first with the row's label."""
        label, said = "", ""
        start, end = row.start, row.start
        for number, (cell, name) in enumerate(zip(row.cells, _names(table, row), strict=True)):
            value = cell_text(self._text, cell)
            if not value:
                continue
            prefix = self._if_short(f"{name}: ") if name else ""
            one = prefix + value
            if said and self._count(f"{said}; {one}") > MOST:
                yield said, (start, end)
                said = ""
            if said:
                said, end = f"{said}; {one}", cell[1]
            elif self._count(label + one) <= MOST:
                said, (start, end) = label + one, cell
            else:
                yield from self._cell_parts(label + prefix, cell)
            if number == 0:
                label = self._if_short(f"{one}; ")
        if said:
            yield said, (start, end)

    def _cell_parts(self, prefix: str, cell: Span) -> Iterator[tuple[str, Span]]:
        for span in cut(self._text, cell, MOST - self._count(prefix), self._count):
            if value := cell_text(self._text, span):
                yield prefix + value, span

    def _if_short(self, name: str) -> str:
        return name if self._count(name) <= MOST // _SHARE_OF_NAMES else ""

    def _passage(
        self,
        kind: PassageKind,
        start: int,
        end: int,
        heading: str,
        body: str,
        units: tuple[Unit, ...],
    ) -> Passage:
        path = self._pages.under(heading, start, end)
        return Passage(self._id, self._revision, 0, kind, start, end, path, body, units)


def _between_tables(blocks: Iterable[Piece | Table]) -> Iterator[list[Piece] | Table]:
    pieces: list[Piece] = []
    for block in blocks:
        if isinstance(block, Piece):
            pieces.append(block)
            continue
        if pieces:
            yield pieces
        yield block
        pieces = []
    if pieces:
        yield pieces


def _runs(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """What belongs together: a list with the line that leads into it, a question with the first
    paragraph of its answer; any other paragraph alone."""
    run: list[Piece] = []
    for piece in pieces:
        joins = run and (run[-1].leads or (piece.item and not piece.leads))
        if run and not joins:
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _names(table: Table, row: Row) -> list[str]:
    """A name for every cell; cells beyond the header have none."""
    missing = len(row.cells) - len(table.header)
    return [*table.header, *[""] * missing][: len(row.cells)]


def _header(table: Table) -> Piece:
    span = (table.start, table.header_end)
    return Piece(*span, (span,))


def _line_units(group: Iterable[tuple[Row, str]]) -> Iterator[Unit]:
    at = 0
    for row, body in group:
        yield Unit(at, at + len(body), row.start, row.end)
        at += len(body) + 1
