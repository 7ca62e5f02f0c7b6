"""A block of Markdown, and what one says inside of a cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_MARKER = re.compile(r"^\s*(?:- )", re.MULTILINE)

Kind = Literal["text", "list", "table", "code", "heading"]


@dataclass(frozen=True, slots=True)
class Block:
    kind: Kind
    text: str


def in_a_cell(block: Block) -> str:
    if block.kind == "list":
        return ", ".join(line.strip() for line in _MARKER.sub("", block.text).split("\n"))
    if block.kind == "code":
        return " ".join(block.text.split("\n")[1:-1])
    return block.text.strip("*# ") if block.kind in ("text", "heading") else block.text


def on_one_line(text: str) -> str:
    return " ".join(text.split())
