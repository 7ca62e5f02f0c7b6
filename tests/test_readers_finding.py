"""Which files are found in folders, and what their documents are called."""

from __future__ import annotations

import os
import re
from pathlib import Path

from files_read import LIMIT, written
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers import document_id, find, read
from kb.errors import (
    FileMissing,
    FormatUnsupported,
)

# -- finding files ---------------------------------------------------------------------------------


def test_a_folder_is_listed_in_a_fixed_order_without_hidden_files(tmp_path: Path) -> None:
    hidden = (".hidden.md", ".git/x.md", "a/.x/y.md", "~$b.docx")
    for name in ("b.md", "a/z.txt", "a/b.html", *hidden):
        written(tmp_path / name, "Text.")
    found, refused = find([tmp_path])

    assert found == [(tmp_path / name, tmp_path) for name in ("a/b.html", "a/z.txt", "b.md")]
    assert refused == []


def test_what_can_not_be_read_is_reported(tmp_path: Path) -> None:
    outside = written(tmp_path / "outside" / "x.md", "Text.")
    root = tmp_path / "corpus"
    picture = written(root / "picture.png", b"\x89PNG")
    (root / "link.md").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    os.mkfifo(root / "pipe.md")
    (root / "gone.md").symlink_to(root / "nowhere.md")
    found, refused = find([root, tmp_path / "nothing.md"])

    assert found == []
    assert {path: type(error) for path, error in refused} == {
        picture: FormatUnsupported,
        root / "link.md": FileMissing,
        root / "folder": FileMissing,
        root / "pipe.md": FileMissing,
        root / "gone.md": FileMissing,
        tmp_path / "nothing.md": FileMissing,
    }


def test_a_file_given_twice_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path / "a.md", "Text.")

    assert find([tmp_path, path, tmp_path]) == ([(path, tmp_path)], [])


def test_two_files_that_would_be_one_document_are_not_mixed_up(tmp_path: Path) -> None:
    first = written(tmp_path / "one" / "a.md", "One.")
    second = written(tmp_path / "two" / "a.md", "Two.")
    found, refused = find([tmp_path / "one", tmp_path / "two"])

    assert [path for path, _ in found] == [first]
    assert [path for path, _ in refused] == [second]


# -- ids -------------------------------------------------------------------------------------------


def test_an_id_is_readable_and_safe_in_a_url() -> None:
    assert document_id("guides/models.md") == "guides~models.md"
    assert re.fullmatch(r"guides~a-b\.md~[0-9a-f]{12}", document_id("guides/a b.md"))


NAME = st.text(alphabet="aB1.-_~ é/#?", min_size=1, max_size=8).map(lambda name: f"{name}.md")


@given(NAME, NAME)
def test_two_paths_never_share_an_id(left: str, right: str) -> None:
    assert (document_id(left) == document_id(right)) == (left == right)
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", document_id(left))


def test_paths_that_look_alike_have_their_own_ids() -> None:
    names = ["a/b.md", "a~b.md", "a-b.md", "a b.md", "a?b.md", "é.md", "e\u0301.md"]

    assert len({document_id(name) for name in names}) == len(names)


def test_a_file_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))
    path.write_text("Text.")
    found = read(path, tmp_path, LIMIT)

    assert found.uri == "caf\ufffd.md"
    found.uri.encode()
