"""Jupyter notebooks: prose as it is, code and what it printed as code."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import nbformat

from ingest.formats.characters import characters
from ingest.formats.html.fragments import fragment
from ingest.formats.json import levels
from ingest.formats.markdown import plain_markdown
from ingest.formats.parsed import Parsed
from ingest.front_matter import FrontMatter
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileTooComplex
from kb.reading import Lost, Reading

_VERSION = 4
_MOST_LEVELS = 100
_PRINTED_LINES, _PRINTED_CHARS = 40, 4000  # of what a cell printed; logs say nothing further on
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FENCES = re.compile(r"`{3,}")


def read_notebook(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid, FileDamaged, FileTooComplex."""
    told = characters(uri, data)
    text = told.text
    try:
        held = json.loads(text)
        if not isinstance(held, dict):
            raise ValueError("it holds no object")
        if levels(held) > _MOST_LEVELS:  # nbformat would take long to find no way through
            raise _too_deep(uri)
        notebook = nbformat.reads(text, as_version=_VERSION)  # type: ignore[no-untyped-call]  # theirs
        lost: Counter[str] = Counter()
        language = _language(notebook)
        cells = [block for cell in notebook.cells for block in _blocks(cell, language, lost)]
        title = stated_title(str(notebook.metadata.get("title") or ""))
    except RecursionError as error:
        raise _too_deep(uri) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileDamaged(
            f"{uri}: is no valid notebook ({type(error).__name__}); save it again in Jupyter"
        ) from error
    reading = Reading(tuple(Lost(kind, count) for kind, count in lost.items() if count), told.notes)
    return Parsed(FrontMatter(title), "\n\n".join(cells), reading=reading)


def _too_deep(uri: str) -> FileTooComplex:
    return FileTooComplex(f"{uri}: is nested too deeply; save it again in Jupyter")


def _language(notebook: Mapping[str, Any]) -> str:
    kernel = notebook["metadata"].get("kernelspec") or {}
    return str(kernel.get("language") or "python")


def _blocks(cell: Mapping[str, Any], language: str, lost: Counter[str]) -> Iterator[str]:
    source = str(cell["source"])
    if cell["cell_type"] == "markdown":
        text, gone = plain_markdown(source)
        lost.update({one.kind: one.count for one in gone})
        yield text
        return
    if cell["cell_type"] != "code":
        yield source
        return
    if source.strip():
        yield _fenced(source, language)
    for output in cell.get("outputs", ()):
        yield from _shown(output, lost)


def _shown(output: Mapping[str, Any], lost: Counter[str]) -> Iterator[str]:
    """An output as its reader sees it: the richest form of it that is text."""
    data = output.get("data") or {}
    if output.get("output_type") == "error":
        yield _fenced(
            f"{output.get('ename', '')}: {_COLOUR.sub('', _text(output.get('evalue')))}", "text"
        )
        return
    if "<table" in (html := _text(data.get("text/html"))):
        made = fragment(html)
        if made.text:
            yield made.text
            return
    if markdown := _text(data.get("text/markdown") or data.get("text/latex")):
        yield plain_markdown(markdown)[0]
        return
    if any(kind.startswith("image/") for kind in data):
        lost["picture"] += 1
    printed = _COLOUR.sub("", _text(output.get("text") or data.get("text/plain"))).strip("\n")
    if printed.strip():
        shortened = _shortened(printed)
        lost["line of output"] += (
            printed.count("\n") + 1 - shortened.count("\n") if shortened != printed else 0
        )
        yield _fenced(shortened, "text")


def _text(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _shortened(printed: str) -> str:
    lines = printed[:_PRINTED_CHARS].split("\n")
    kept = "\n".join(lines[:_PRINTED_LINES])
    return kept if len(kept) == len(printed) else f"{kept}\n[…]"


def _fenced(code: str, language: str) -> str:
    longest = max((len(fence) for fence in _FENCES.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.strip()}\n{fence}"
