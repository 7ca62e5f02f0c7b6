"""No file hangs, fills or crashes its reader, whatever its bytes."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office_samples import EPUB, MAIL, RST, book, deck, odt, saved, zipped
from samples import MAIN, docx, notebook, pdf, pdf_of_streams, rewritten

from ingest.formats import FORMATS
from ingest.formats.apart import READERS, Limits, reader_of
from ingest.readers import document
from kb.errors import FileDamaged, FileTooComplex, UnreadableFile
from kb.types import Document

LIMIT = 50_000_000
SLOW = pdf_of_streams(b"BT /F1 11 Tf 50 750 Td " + b"(word) Tj " * 400_000 + b"ET")
SAMPLES = {
    ".pdf": pdf(["A line.", "Another line."], ["A page."], title="Title"),
    ".docx": docx("# Heading", "Text.", [["A", "B"], ["1", "2"]]),
    ".pptx": deck(),
    ".xlsx": saved(book(("Boat", "Fee"), ("Freja", 310))),
    ".odt": odt("<text:p>Text.</text:p>"),
    ".epub": zipped(EPUB),
    ".eml": MAIL,
    ".rst": RST,
    ".ipynb": notebook(("markdown", "# Text", ""), ("code", "print(1)", "1")),
}


def test_a_stream_that_unpacks_to_too_much_is_refused_at_once() -> None:
    bomb = pdf_of_streams(b" " * 30_000_000 + b"BT (x) Tj ET")
    began = time.monotonic()

    assert len(bomb) < 200_000
    with pytest.raises(FileTooComplex, match="unpacks to more than"):
        document("bomb.pdf", bomb, LIMIT)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    "limits", [Limits(cpu_seconds=1), Limits(wall_seconds=1.0)], ids=["cpu", "wall"]
)
def test_a_file_that_takes_too_long_is_given_up(limits: Limits) -> None:
    began = time.monotonic()

    with pytest.raises(FileTooComplex, match="takes more than"):
        reader_of(".pdf", limits)("slow.pdf", SLOW)
    assert time.monotonic() - began < 60


def test_a_file_that_takes_too_much_memory_is_given_up() -> None:
    small = docx("Text.")
    large = rewritten(small, lambda name, part: part + b" " * 30_000_000 * (name == MAIN))
    read = reader_of(".docx", Limits(memory_mb=80))

    assert read("small.docx", small).text == "Text."
    with pytest.raises(FileTooComplex, match="memory"):
        read("large.docx", large)


def test_a_file_that_breaks_its_reader_is_refused_by_name() -> None:
    broken = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": 7}, "cells": [1]}'

    with pytest.raises(FileDamaged, match=r"^a\.ipynb: "):
        reader_of(".ipynb")("a.ipynb", broken)


def test_heavy_libraries_are_loaded_only_where_files_are_read() -> None:
    code = "import sys, ingest.readers; print(*{'pypdf', 'docx', 'nbformat'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == []


def outcome(suffix: str, data: bytes) -> Document | UnreadableFile:
    try:
        return document(f"a{suffix}", data, LIMIT)
    except UnreadableFile as error:
        return error


def checked(suffix: str, data: bytes) -> None:
    """A document with text, or a leaf of the tree with an advice."""
    found = outcome(suffix, data)

    if isinstance(found, Document):
        assert found.text.strip()
    else:
        assert type(found) is not UnreadableFile
        assert str(found).startswith(f"a{suffix}: ")


@pytest.mark.parametrize("suffix", [suffix for suffix in FORMATS if suffix not in READERS])
@settings(deadline=None)
@given(data=st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_document_or_refused(suffix: str, data: bytes) -> None:
    checked(suffix, data)


@pytest.mark.parametrize("suffix", READERS)
@settings(deadline=None, max_examples=3, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_damaged_file_is_a_document_or_refused(suffix: str, data: st.DataObject) -> None:
    checked(suffix, damaged(suffix, data))


@pytest.mark.exhaustive
@pytest.mark.parametrize("suffix", READERS)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_many_damaged_files_are_documents_or_refused(suffix: str, data: st.DataObject) -> None:
    checked(suffix, damaged(suffix, data))


def damaged(suffix: str, data: st.DataObject) -> bytes:
    """A good file with some bytes overwritten, or cut out."""
    whole = bytearray(SAMPLES[suffix])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(whole)))
        length = data.draw(st.integers(0, 20))
        whole[at : at + length] = data.draw(st.binary(max_size=20))
    return bytes(whole)
