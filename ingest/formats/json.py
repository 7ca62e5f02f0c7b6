"""JSON: arrays of alike objects as tables, anything else under headings of its keys."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from ingest.formats.characters import characters
from ingest.formats.parsed import LONGEST, Parsed
from ingest.front_matter import FrontMatter, iso_date
from ingest.tables import table_lines, with_header
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileTooComplex
from kb.reading import Lost, Reading

MOST_LEVELS = 30
_LOWEST_HEADING = 6
_MOST_CELLS = 2_000_000  # of a table; where every object has its own keys most are empty
_SHORT = 200  # characters; a longer value is a paragraph
_LABELS = ("title", "name", "id", "key", "label")  # what tells an object from its neighbours

# Numbers are kept as they are written: a quote shows what the file says.
Value: TypeAlias = "str | Mapping[str, Value] | Sequence[Value] | None"


def _unambiguous(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"an object has two values for {twice[:60]!r}")
    return fields


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unambiguous, parse_int=str, parse_float=str, parse_constant=str
)
_BEGIN = re.compile(r"\S")
_WRONG_LINES = 0.2  # more of the lines that are no JSON, and the file isn't one value a line
_MOST_NAMED = 10


def read_json(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid, FileDamaged, FileTooComplex."""
    told = characters(uri, data)
    try:
        value, lost = _value(told.text)
    except RecursionError as error:
        raise _too_deep(uri) from error
    except ValueError as error:
        raise FileDamaged(f"{uri}: is no valid JSON ({error}); correct it there") from error
    if levels(value) > MOST_LEVELS:
        raise _too_deep(uri)
    text = _bounded(uri, _blocks(_booleans(value), 1))
    return Parsed(_facts(uri, value), text, reading=Reading(lost, told.notes))


def _value(text: str) -> tuple[Value, tuple[Lost, ...]]:
    """The value, or a list of those that stand one after the other (JSON Lines); what is none of
    them is lost. Raises ValueError, RecursionError."""
    try:
        return _DECODER.decode(text), ()
    except ValueError as error:
        if (found := _one_a_line(text) or _in_a_row(text)) is None:
            raise error
        return found


def _one_a_line(text: str) -> tuple[Value, tuple[Lost, ...]] | None:
    """None where most of the lines are none."""
    values: list[Value] = []
    wrong: list[str] = []
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for number, line in lines:
        try:
            value = _DECODER.decode(line)
        except ValueError:
            wrong.append(str(number))
        else:
            values.append(value)
    if len(values) < 2 or len(wrong) > _WRONG_LINES * len(lines):
        return None
    where = f"line {', '.join(wrong[:_MOST_NAMED])}{' …' if len(wrong) > _MOST_NAMED else ''}"
    return values, (Lost("line that is no JSON", len(wrong), where),) if wrong else ()


def _in_a_row(text: str) -> tuple[Value, tuple[Lost, ...]] | None:
    values: list[Value] = []
    at = 0
    while found := _BEGIN.search(text, at):
        try:
            value, at = _DECODER.raw_decode(text, found.start())
        except ValueError:
            return None
        values.append(value)
    return (values, ()) if len(values) > 1 else None


def _too_deep(uri: str) -> FileTooComplex:
    return FileTooComplex(f"{uri}: is nested more than {MOST_LEVELS} deep; flatten it")


def levels(value: Value) -> int:
    """How deep it is nested; walked without recursion, since it may be as deep as can be."""
    deepest, ahead = 0, [(value, 0)]
    while ahead:
        one, level = ahead.pop()
        deepest = max(deepest, level)
        ahead.extend((inner, level + 1) for inner in _inside(one))
    return deepest


def _inside(value: Value) -> Sequence[Value]:
    if isinstance(value, Mapping):
        return [*value.values()]
    return value if isinstance(value, list) else ()


def _booleans(value: Value | bool) -> Value:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return {key: _booleans(inner) for key, inner in value.items()}
    return [_booleans(inner) for inner in value] if isinstance(value, list) else value


def _facts(uri: str, value: Value) -> FrontMatter:
    """An object's own title, publisher and as_of, which is what front matter calls them. Without
    a title it is called as its file is: its first key heads only a part of it."""
    fields = value if isinstance(value, Mapping) else {}
    title, publisher, as_of = (fields.get(key) for key in ("title", "publisher", "as_of"))
    date = iso_date(as_of) if isinstance(as_of, str) else None
    return FrontMatter(_stated(title) or Path(uri).stem, _stated(publisher), date)


def _stated(value: Value) -> str | None:
    return stated_title(value) if isinstance(value, str) else None


def _bounded(uri: str, blocks: Iterator[str]) -> str:
    """Tables and headings repeat names, so a text can be longer than its file."""
    kept, total = [], 0
    for block in blocks:
        kept.append(block)
        total += len(block)
        if total > LONGEST:
            raise FileTooComplex(f"{uri}: makes more than {LONGEST} characters; split it")
    return "\n\n".join(kept)


# -- values as blocks of Markdown ----------------------------------------------------------------


def _blocks(value: Value, level: int) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _object(value, level)
    elif isinstance(value, list):
        yield from _array(value, level)
    elif value:
        yield str(value)


def _object(fields: Mapping[str, Value], level: int) -> Iterator[str]:
    if table := _table_by_key(fields):
        yield table
        return
    brief = {key: cell for key, value in fields.items() if (cell := _cell(value)) is not None}
    items = [f"- {key}: {cell}" for key, cell in brief.items() if cell and len(cell) <= _SHORT]
    if items:
        yield "\n".join(items)
    for key, value in fields.items():
        if key not in brief or len(brief[key]) > _SHORT:
            yield from _under(key, value, level)


def _array(values: Sequence[Value], level: int) -> Iterator[str]:
    objects = [value for value in values if isinstance(value, Mapping)]
    if values and len(objects) == len(values):
        flat = [row for one in objects if (row := _flat(one)) is not None]
        if len(flat) == len(values) and (table := _table(flat)):
            yield table
            return
    cells = [_cell(value) for value in values]
    if all(cell is not None for cell in cells):
        rows = [[_cell(c) or "" for c in value] for value in values if isinstance(value, list)]
        if len(rows) == len(values) and max(map(len, rows), default=0) > 1:
            yield "\n".join(table_lines(with_header(rows)))
        else:
            yield "\n".join(f"- {cell}" for cell in cells if cell)
        return
    for number, value in enumerate(values, 1):
        yield from _under(_label(value) or str(number), value, level)


def _under(name: str, value: Value, level: int) -> Iterator[str]:
    heading = " ".join(name.split())
    blocks = _blocks(value, level + 1)
    first = next(blocks, None)
    if first is not None:
        yield f"{'#' * min(level + 1, _LOWEST_HEADING)} {heading}"
        yield first
        yield from blocks


def _label(value: Value) -> str | None:
    if not isinstance(value, Mapping):
        return None
    named = (value.get(key) for key in _LABELS)
    return next((one for one in named if isinstance(one, str) and 0 < len(one) <= _SHORT), None)


# -- tables --------------------------------------------------------------------------------------


def _table_by_key(fields: Mapping[str, Value]) -> str | None:
    """Of objects that are alike, under the keys that name them."""
    rows = []
    for key, value in fields.items():
        flat = _flat(value) if isinstance(value, Mapping) else None
        if flat is None:
            return None
        rows.append({"": key, **flat})
    alike = len(rows) > 1 and bool(set.intersection(*({*row} - {""} for row in rows)))
    return _table(rows) if alike else None


def _table(rows: Sequence[Mapping[str, str]]) -> str | None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if len(columns) * len(rows) > _MOST_CELLS:
        return None
    body = [[row.get(name, "") for name in columns] for row in rows]
    return "\n".join(table_lines([columns, *body]))


def _flat(fields: Mapping[str, Value]) -> dict[str, str] | None:
    """The cells of an object's row; those of an object inside it are "outer inner"."""
    row: dict[str, str] = {}
    for key, value in fields.items():
        inner = value if isinstance(value, Mapping) else {"": value}
        for name, one in inner.items():
            cell = _cell(one)
            if cell is None:
                return None
            row[f"{key} {name}".strip()] = cell
    return row


def _cell(value: Value) -> str | None:
    """A value on one line, or None for one that has no place there."""
    if value is None:
        return ""
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(" ".join(str(one).split()) for one in value)
    return None
