"""Tables of Office documents, whatever program wrote them."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.tables import table_lines, with_header

_PAIR = 2  # columns of a table of names and values


def one_header(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows of a header as one: "Passengers" above "Day" names a column "Passengers Day". What
    a merged cell says in several rows is said once."""
    width = max(map(len, rows), default=0)
    columns = ([row[at].strip() for row in rows if at < len(row)] for at in range(width))
    return [" ".join(dict.fromkeys(name for name in names if name)) for names in columns]


def named_rows(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines of Markdown, the first of them the head unless it is data; names that end
    with a colon, each with its value beside it, as a list."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    names = [row[0].strip() for row in filled]
    if filled and all(len(row) == _PAIR for row in filled) and all(n.endswith(":") for n in names):
        return [f"- {row[0].strip()} {' '.join(row[1].split())}" for row in filled]
    if _are_pairs(next(iter(filled), ())):
        filled = [[""] * len(filled[0]), *filled]
    return table_lines(with_header(filled))


def _are_pairs(row: Sequence[str]) -> bool:
    """Whether each name in a row has its value beside it, so that the row is no head."""
    names, values = row[::2], row[1::2]
    return (
        bool(values)
        and all(n.strip().endswith(":") for n in names)
        and not any(value.strip().endswith(":") for value in values)
    )
