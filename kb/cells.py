"""A table row's statement, "Header: value; Header: value", taken apart again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

# A value may hold semicolons; a new cell begins with a header and a colon.
_NEXT = re.compile(r"; (?=[^;:|]{1,60}: )")


@dataclass(frozen=True, slots=True)
class Cell:
    """start, end: in the statement; the separator after it is not part of it."""

    header: str
    value: str
    start: int
    end: int


def cells(statement: str) -> list[Cell]:
    """The first is the row's subject. A cell without a header has the empty one."""
    bounds = [0, *(m.end() for m in _NEXT.finditer(statement)), len(statement) + 2]
    found = []
    for start, following in pairwise(bounds):
        end = following - 2
        header, colon, value = statement[start:end].partition(": ")
        found.append(Cell(header if colon else "", value if colon else header, start, end))
    return found
