"""Files become documents, or are refused with a reason and an advice."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.readers import document, document_id, find, read
from kb.errors import (
    EncodingInvalid,
    FileEmpty,
    FileIsBinary,
    FileMissing,
    FileTooLarge,
    FormatUnsupported,
    FrontMatterInvalid,
    UnreadableFile,
)
from kb.types import Document

LIMIT = 100_000

PAGE = """<html lang="en"><head><title>Prices of models</title>
<meta property="og:site_name" content="The Ledger">
<meta property="article:published_time" content="2026-05-03T10:00:00Z"></head>
<body><nav><a href="/">Home</a> <a href="/all">All posts</a></nav><article>
<h1>Prices of models</h1>
<p>There are many models on the market, and each has a price per million tokens.</p>
<h2>What they cost</h2>
<table><tr><th>Model</th><th>Input</th></tr><tr><td>GPT-4o</td><td>$5.00</td></tr></table>
<p>That is <b>all</b> that we know about the prices of these models as of today.</p>
</article><footer>Copyright, imprint, cookies</footer></body></html>"""


def written(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def of(name: str, content: str | bytes) -> Document:
    return document(name, content.encode() if isinstance(content, str) else content, LIMIT)


# -- what a document says about itself -----------------------------------------------------------


def test_front_matter_names_a_markdown_file(tmp_path: Path) -> None:
    path = written(
        tmp_path / "guides" / "models.md",
        '---\ntitle: "Models: a guide"\npublisher: Acme\nas_of: 2026-05-01\n---\n\n# Head\n\nIt.\n',
    )
    found = read(path, tmp_path, LIMIT)

    assert found == Document(
        id="guides~models.md",
        title="Models: a guide",
        publisher="Acme",
        uri="guides/models.md",
        as_of="2026-05-01",
        text="# Head\n\nIt.",
    )


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        ("2026", "2026"),
        ("2026-05", "2026-05"),
        ("2026-05-01", "2026-05-01"),
        ('"2026-05-01"', "2026-05-01"),
        ("2026-05-01 10:00:00", "2026-05-01"),
        ("", None),
        ("null", None),
    ],
)
def test_a_date_keeps_its_precision(written_as: str, expected: str | None) -> None:
    assert of("a.md", f"---\nas_of: {written_as}\n---\nText.").as_of == expected


@pytest.mark.parametrize(
    "block",
    [
        "as_of: May 2026",
        "as_of: 2026-13-01",
        "as_of: 2026-02-30",
        "as_of: '2026-02-30'",
        "as_of: 12345",
        "as_of: 0026",
        "as_of: true",
        "as_of: 20.26",
        "as_of: [2026]",
        "title: [a, b]",
        "publisher: {a: b}",
        "title: a: b",
        "- a list",
        "just words",
        "title: !!python/object/apply:os.system ['true']",
        "title: " + "[" * 5000,
        "title: " + "x" * 30_000,
    ],
)
def test_front_matter_that_makes_no_sense_is_refused(block: str) -> None:
    with pytest.raises(FrontMatterInvalid, match=r"^a\.md: "):
        of("a.md", f"---\n{block}\n---\nText.")


@pytest.mark.parametrize("text", ["---\n\nNo block, a rule.", "Text.\n\n---\n\ntitle: no"])
def test_a_rule_is_no_front_matter(text: str) -> None:
    assert of("a.md", text).text == text


def test_front_matter_is_only_markdown() -> None:
    assert of("a.txt", "---\ntitle: a\n---\nText.").text.startswith("---")


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.md", "Intro.\n\n## The **first** [heading](x)\n\n# Other", "The first heading"),
        ("a.md", "```\n# no heading\n```\n\n# A heading", "A heading"),
        ("a.txt", "See also: LLMs, Llama\n\nWhat Is an LLM?\nIt is this.", "What Is an LLM?"),
        (
            "a.txt",
            "← All posts\n4 min read\nOpen and closed models\nText.",
            "Open and closed models",
        ),
        (
            "a.txt",
            "Acme · news\nArticle\n\nOpen and closed\n\n2026-06-08 · 4 min read",
            "Open and closed",
        ),
        ("a.txt", "Acme · news\nText of it is here.", "Acme · news"),
        ("notes-of-may.txt", "This is a sentence and no title.\nAnother.", "notes-of-may"),
        ("notes.txt", "word " * 40 + "\nA short line", "notes"),
        ("notes.txt", "Choose it when:\n- it is open", "notes"),
    ],
)
def test_a_title_is_found_in_the_text(name: str, text: str, title: str) -> None:
    assert of(name, text).title == title


@pytest.mark.parametrize(
    ("line", "as_of"),
    [
        ("2026-06-08 · 4 min read", "2026-06-08"),
        ("Published: 2026-06-08", "2026-06-08"),
        ("Last updated on 2026-06-08T10:00:00Z", "2026-06-08"),
        ("On 2026-06-08 it was released to all of them.", None),
        ("2026-13-08 · 4 min read", None),
        ("2026-06-08 is the day on which all of it began to be true for most of us here", None),
    ],
)
def test_a_date_is_taken_from_a_line_of_its_own_at_the_head(line: str, as_of: str | None) -> None:
    assert of("a.txt", f"A title\n\n{line}\n\nText of it.").as_of == as_of


def test_text_is_cleaned_on_the_way() -> None:
    assert (
        of("a.txt", "Title\r\nIt costs\u200b 5 to \x076.\r\n\r\n").text == "Title\nIt costs 5 to 6."
    )


# -- HTML ----------------------------------------------------------------------------------------


def test_a_page_gives_its_main_text_and_its_facts() -> None:
    found = of("page.html", PAGE)

    assert (found.title, found.publisher, found.as_of) == (
        "Prices of models",
        "The Ledger",
        "2026-05-03",
    )
    assert "## What they cost" in found.text
    assert "| GPT-4o | $5.00 |" in found.text
    assert "Copyright" not in found.text
    assert "All posts" not in found.text


def test_what_a_page_hides_is_not_read() -> None:
    hidden = (
        '<p hidden>Ignore it.</p><p style="display: none">Ignore it.</p>'
        '<div style="color: red; visibility:hidden">Ignore it.</div>'
    )

    assert (
        "Ignore it" not in of("page.html", PAGE.replace("</article>", hidden + "</article>")).text
    )


def test_a_page_that_is_only_a_list_is_read() -> None:
    items = [f"Model number {n} is open" for n in range(8)]
    page = (
        "<html><body><ul>" + "".join(f"<li>{item}</li>" for item in items) + "</ul></body></html>"
    )

    assert of("page.html", page).text == "\n".join(f"- {item}" for item in items)


def test_a_page_without_a_date_gets_none() -> None:
    page = re.sub(r"<meta property=.article.*?>", "", PAGE)

    assert of("page.htm", page).as_of is None


def test_a_page_without_text_is_refused() -> None:
    with pytest.raises(FileEmpty, match=r"^page\.html: "):
        of("page.html", "<html><body><script>run()</script></body></html>")


# -- refusals ------------------------------------------------------------------------------------


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
        ("a.txt", "café".encode("latin-1"), EncodingInvalid),
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
        of("a.txt", b"text: \xe9")


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


# -- finding files -------------------------------------------------------------------------------


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


# -- ids -----------------------------------------------------------------------------------------


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
