"""Jupyter notebooks: prose as it is, code and what it printed as code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import nbformat

from ingest.formats.json import levels
from ingest.formats.parsed import Parsed
from ingest.formats.text import decoded
from ingest.front_matter import FrontMatter
from ingest.titles import stated_title
from kb.errors import FileDamaged, FileTooComplex

_VERSION = 4
_MOST_LEVELS = 100
_PRINTED_LINES, _PRINTED_CHARS = 40, 4000  # of what a cell printed; logs say nothing further on
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FENCES = re.compile(r"`{3,}")


def read_notebook(uri: str, data: bytes) -> Parsed:
    """Raises FileIsBinary, EncodingInvalid, FileDamaged, FileTooComplex."""
    text = decoded(uri, data)
    try:
        held = json.loads(text)
        if not isinstance(held, dict):
            raise ValueError("it holds no object")
        if levels(held) > _MOST_LEVELS:  # nbformat would take long to find no way through
            raise _too_deep(uri)
        notebook = nbformat.reads(text, as_version=_VERSION)  # type: ignore[no-untyped-call]  # theirs
        cells = [block for cell in notebook.cells for block in _blocks(cell, _language(notebook))]
        title = stated_title(str(notebook.metadata.get("title") or ""))
    except RecursionError as error:
        raise _too_deep(uri) from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise FileDamaged(
            f"{uri}: is no valid notebook ({type(error).__name__}); save it again in Jupyter"
        ) from error
    return Parsed(FrontMatter(title), "\n\n".join(cells))


def _too_deep(uri: str) -> FileTooComplex:
    return FileTooComplex(f"{uri}: is nested too deeply; save it again in Jupyter")


def _language(notebook: Mapping[str, Any]) -> str:
    kernel = notebook["metadata"].get("kernelspec") or {}
    return str(kernel.get("language") or "python")


def _blocks(cell: Mapping[str, Any], language: str) -> Iterator[str]:
    source = str(cell["source"])
    if cell["cell_type"] != "code":
        yield source
        return
    if source.strip():
        yield _fenced(source, language)
    for output in cell.get("outputs", ()):
        printed = _COLOUR.sub("", _printed(output)).strip("\n")
        if printed.strip():
            yield _fenced(_shortened(printed), "text")


def _printed(output: Mapping[str, Any]) -> str:
    """The text of an output; of a picture nothing but its description is text."""
    shown = output.get("text") or output.get("data", {}).get("text/plain") or ""
    return "".join(shown) if isinstance(shown, list) else str(shown)


def _shortened(printed: str) -> str:
    lines = printed[:_PRINTED_CHARS].split("\n")
    kept = "\n".join(lines[:_PRINTED_LINES])
    return kept if len(kept) == len(printed) else f"{kept}\n[…]"


def _fenced(code: str, language: str) -> str:
    longest = max((len(fence) for fence in _FENCES.findall(code)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{code.strip()}\n{fence}"
