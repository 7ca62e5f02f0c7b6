"""A document stays the one that it was, whichever folder is named when it is ingested again."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from files_read import written
from stores import Index, opened

from ingest.identity import Known
from ingest.pipeline import Report


@pytest.fixture
def index() -> Iterator[Index]:
    with opened() as index:
        yield index


def texts(index: Index) -> dict[str, str]:
    live = index.catalog.live_revisions(index.catalog.current_version())
    return {name: index.catalog.document(name, rev).text for name, rev in live.items()}


def test_an_edited_file_given_alone_replaces_its_document(index: Index, tmp_path: Path) -> None:
    tram = written(tmp_path / "lines" / "tram.md", "The tram leaves at 6:40.")
    written(tmp_path / "lines" / "train.md", "The train leaves at 7:10.")
    index.pipeline().run([tmp_path])
    tram.write_text("The tram leaves at 6:55.")

    report: Report = index.pipeline().run([tram])

    assert report.plan.replace == ("lines~tram.md",)
    assert texts(index) == {
        "lines~tram.md": "The tram leaves at 6:55.",
        "lines~train.md": "The train leaves at 7:10.",
    }


def test_a_folder_inside_of_one_that_was_ingested_counts_from_there(
    index: Index, tmp_path: Path
) -> None:
    written(tmp_path / "lines" / "tram.md", "The tram leaves at 6:40.")
    index.pipeline().run([tmp_path])

    assert index.pipeline().run([tmp_path / "lines"]).plan.keep == ("lines~tram.md",)


def test_two_files_of_one_name_never_replace_each_other(index: Index, tmp_path: Path) -> None:
    written(tmp_path / "north" / "hours.md", "Open at eight.")
    written(tmp_path / "south" / "hours.md", "Open at ten.")
    index.pipeline().run([tmp_path / "north"])

    report = index.pipeline().run([tmp_path / "south"])

    assert "called already" in report.failed[0].message
    assert str(tmp_path / "north") not in report.failed[0].message
    assert texts(index) == {"hours.md": "Open at eight."}


def test_a_folder_that_was_moved_holds_the_same_documents(index: Index, tmp_path: Path) -> None:
    written(tmp_path / "north" / "hours.md", "Open at eight.")
    index.pipeline().run([tmp_path / "north"])
    (tmp_path / "north").rename(tmp_path / "moved")
    written(tmp_path / "moved" / "hours.md", "Open at nine.")

    assert index.pipeline().run([tmp_path / "moved"]).plan.replace == ("hours.md",)


def test_what_lies_in_the_corpus_folder_counts_from_it(tmp_path: Path) -> None:
    path = written(tmp_path / "corpus" / "lines" / "tram.md", "x")

    assert Known(tmp_path / "corpus").root(path, path.parent) == tmp_path / "corpus"
    assert Known(tmp_path / "other").root(path, path.parent) == path.parent


def test_a_document_of_an_unknown_file_is_found_by_its_folder_and_name(tmp_path: Path) -> None:
    path = written(tmp_path / "in" / "lines" / "tram.md", "x")

    assert Known.of([("lines/tram.md", None)]).root(path, path.parent) == tmp_path / "in"
    assert Known.of([("tram.md", None)]).root(path, path.parent) == path.parent


def test_a_name_is_the_same_in_both_of_its_spellings(index: Index, tmp_path: Path) -> None:
    name = "Gebühr.md"
    written(tmp_path / "a" / unicodedata.normalize("NFD", name), "Five.")
    written(tmp_path / "b" / unicodedata.normalize("NFC", name), "Five.")

    first = index.pipeline().run([tmp_path / "a"]).plan.add

    assert first == index.pipeline().run([tmp_path / "a"]).plan.keep
    assert [*texts(index)] == [*first]
