"""Files that can't become documents are refused with a reason and an advice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from files_read import LIMIT, of, written

from ingest.readers import read
from kb.errors import (
    EncodingInvalid,
    FileEmpty,
    FileIsBinary,
    FileMissing,
    FileTooLarge,
    FormatUnsupported,
    UnreadableFile,
)


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.md", b"", FileEmpty),
        ("a.md", b" \n\t\r\n ", FileEmpty),
        ("a.md", "\ufeff\u200b\n".encode(), FileEmpty),
        ("a.md", b"---\ntitle: only this\n---\n", FileEmpty),
        ("a.md", b"x" * (LIMIT + 1), FileTooLarge),
        ("a.rtf", b"text", FormatUnsupported),
        ("a.zip", b"text", FormatUnsupported),
        ("README", b"text", FormatUnsupported),
        ("a.md", b"%PDF-1.7 text", FileIsBinary),
        ("a.txt", b"\x89PNG\r\n\x1a\n text", FileIsBinary),
        ("a.html", b"PK\x03\x04 text", FileIsBinary),
        ("a.txt", b"text \x00 text", FileIsBinary),
        ("a.txt", "text".encode("utf-16-le"), FileIsBinary),
        ("a.txt", b"\x01\x02\x03text", FileIsBinary),
        ("a.txt", "Żółw za pięć zł".encode("cp1250"), EncodingInvalid),
        ("a.txt", "text".encode("utf-32"), EncodingInvalid),
        ("a.txt", "text".encode("utf-16") + b"x", EncodingInvalid),
    ],
)
def test_what_is_no_text_is_refused_by_name(
    name: str, content: bytes, error: type[UnreadableFile]
) -> None:
    with pytest.raises(error, match=f"^{re.escape(name)}: .*; "):
        of(name, content)


def test_a_wrong_encoding_is_refused_with_the_place_of_the_first_wrong_byte() -> None:
    with pytest.raises(EncodingInvalid, match="byte 6;"):
        of("a.txt", b"text: \x81")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_with_a_mark_of_its_kind_is_read(encoding: str) -> None:
    assert of("a.txt", "A café, that’s it.\n".encode(encoding)).text == "A café, that’s it."


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.txt", "x" * 100)

    assert len(read(path, tmp_path, 100).text) == 100
    with pytest.raises(FileTooLarge):
        read(path, tmp_path, 99)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"^a\.md: "):
        read(tmp_path / "a.md", tmp_path, LIMIT)
    with pytest.raises(FileMissing):
        read(tmp_path, tmp_path, LIMIT)
    with pytest.raises(FileMissing, match="not inside"):
        read(written(tmp_path / "a.md", "x"), tmp_path / "b", LIMIT)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    secret = written(tmp_path / "secret.txt", "secret")
    root = tmp_path / "corpus"
    written(root / "a.txt", "Text.")
    (root / "out.txt").symlink_to(secret)
    (root / "in.txt").symlink_to(root / "a.txt")

    assert read(root / "in.txt", root, LIMIT).text == "Text."
    with pytest.raises(FileMissing, match="link out of the folder"):
        read(root / "out.txt", root, LIMIT)
