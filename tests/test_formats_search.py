"""From a file of any format to a quote that stands in its stored text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import docx, encrypted, notebook, pdf
from stores import Index, opened_on_disk

from ingest.formats import FORMATS
from ingest.items import found_in
from kb.types import Hit

CSV = "Model;Price\nGranite;4 dollars\nMarble;9 dollars\n"
JSON = '{"prices": [{"model": "Basalt", "price": 3.10}, {"model": "Gneiss", "price": 8}]}'
HTML = (
    "<html><head><title>Stones</title></head><body><article><p>The model Slate is described "
    "here at some length, so that the page has a text.</p><table><tr><th>Model</th><th>Price</th>"
    "</tr><tr><td>Slate</td><td>6 dollars</td></tr></table></article></body></html>"
)
FILES = {
    "guide.md": b"# Guide\n\nThe model Obsidian costs seven dollars.",
    "note.txt": b"The model Pumice costs one dollar.",
    "page.html": HTML.encode(),
    "prices.csv": CSV.encode(),
    "stones.json": JSON.encode(),
    "tabs.tsv": b"Model\tPrice\nBeryl\t12 dollars\n",
    "lines.jsonl": b'{"model": "Agate", "price": 13}\n{"model": "Onyx", "price": 14}\n',
    "more.ndjson": b'{"model": "Ruby", "price": 15}\n{"model": "Jade", "price": 16}\n',
    "report.pdf": pdf(["First page."], ["On this page the model Quartz costs two dollars."]),
    "table.docx": docx("Prices", [["Model", "Price"], ["Topaz", "5 dollars"], ["Opal", "7"]]),
    "work.ipynb": notebook(("markdown", "The model Zircon costs eleven dollars.", "")),
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("formats")
    (folder / "corpus").mkdir()
    for name, data in FILES.items():
        (folder / "corpus" / name).write_bytes(data)
    (folder / "corpus" / "secret.pdf").write_bytes(encrypted(FILES["report.pdf"], "password"))
    (folder / "corpus" / "scan.pdf").write_bytes(pdf([]))
    (folder / "corpus" / "old.zip").write_bytes(b"PK\x03\x04")
    with opened_on_disk(folder) as index:
        report = index.pipeline().run([folder / "corpus"])
        assert sorted(report.plan.add) == sorted(FILES)
        assert sorted(failed.code for failed in report.failed) == [
            "file_encrypted",
            "file_without_text",
            "format_unsupported",
        ]
        yield index


def best(index: Index, question: str) -> Hit:
    return index.retriever.search(question, index.catalog.current_version(), count=5).hits[0]


@pytest.mark.parametrize(
    ("question", "uri", "quote", "heading"),
    [
        ("model Obsidian", "guide.md", "The model Obsidian costs seven dollars.", ""),
        ("model Pumice", "note.txt", "The model Pumice costs one dollar.", ""),
        ("Slate 6 dollars price", "page.html", "| Slate | 6 dollars |", ""),
        ("Marble price", "prices.csv", "| Marble | 9 dollars |", ""),
        ("Basalt price", "stones.json", "| Basalt | 3.10 |", "prices"),
        ("model Quartz", "report.pdf", "On this page the model Quartz costs two dollars.", "p.2"),
        ("Topaz price", "table.docx", "| Topaz | 5 dollars |", ""),
        ("model Zircon", "work.ipynb", "The model Zircon costs eleven dollars.", ""),
    ],
)
def test_what_a_file_says_is_found_and_quoted_from_its_text(
    index: Index, question: str, uri: str, quote: str, heading: str
) -> None:
    stored = best(index, question).stored
    source = index.catalog.document(stored.source.document_id, stored.source.revision)
    quotes = [source.text[unit.start : unit.end] for unit in stored.passage.units]

    assert (source.uri, stored.passage.heading) == (uri, heading)
    assert quote in quotes
    assert stored.text == source.text[stored.passage.start : stored.passage.end]


def test_every_format_is_in_this_test_and_in_a_scan_of_a_folder(tmp_path: Path) -> None:
    for suffix in FORMATS:
        (tmp_path / f"file{suffix.upper()}").write_text("x")
    items, failed = found_in([tmp_path])

    assert len(items) == len(FORMATS)
    assert failed == []
    elsewhere = {".pptx", ".xlsx", ".odt", ".epub", ".eml", ".rst"}  # test_formats_office
    assert {*FORMATS} - {Path(name).suffix for name in FILES} == {".htm", *elsewhere}


def test_reading_the_files_again_changes_nothing(index: Index, tmp_path: Path) -> None:
    for name, data in FILES.items():
        (tmp_path / name).write_bytes(data)
    report = index.pipeline().run([tmp_path])

    assert sorted(report.plan.keep) == sorted(FILES)
    assert report.plan.add == report.plan.replace == ()
