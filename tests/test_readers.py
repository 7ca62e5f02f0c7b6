"""Files become documents, which say where they are from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from files_read import LIMIT, of, written

from ingest.readers import read
from kb.errors import (
    FileEmpty,
)
from kb.types import Document

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


# -- what a document says about itself -------------------------------------------------------------


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


# -- HTML ------------------------------------------------------------------------------------------


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
