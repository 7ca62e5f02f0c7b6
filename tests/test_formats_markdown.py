"""Markdown and plain text as people have them: nothing of a file is lost, and no file refused."""

from __future__ import annotations

import pytest
from files_read import of

from ingest.split import split
from kb.reading import Lost

TABLE = (
    "<table>\n <tr><th>Lock</th><th>Keeper</th></tr>\n\n"
    " <tr><td>Upper</td><td>J. Moss</td></tr>\n</table>"
)


@pytest.mark.parametrize(
    ("head", "title", "as_of"),
    [
        ("---\ntitle: Part 2: Weirs\ntags: [a]\n---\n", "Part 2: Weirs", None),
        ("---\ntitle: [Weir, Manual]\n---\n", "Weir, Manual", None),
        ("---\ntitle: {{ page.name }}\n---\n", "The weir", None),
        ("---\ntitle: Weir\nas_of: March 2024\n---\n", "Weir", "2024-03"),
        ("---\ntitle: Weir\nas_of: 5 March 2024\n---\n", "Weir", "2024-03-05"),
        ("---\ntitle: Weir\nas_of: 03/04/2024\n---\n", "Weir", None),
        ("---\ntitle: Weir\nas_of: last spring\n---\n", "Weir", None),
        ('+++\ntitle = "Weir"\ndate = 2024-03-05\n+++\n', "Weir", None),
        ('+++\ntitle = "Weir"\nas_of = 2024-03-05\n+++\n', "Weir", "2024-03-05"),
    ],
)
def test_front_matter_of_any_kind_is_read_or_passed_by(
    head: str, title: str, as_of: str | None
) -> None:
    found = of("a.md", f"{head}\n# The weir\n\nThe weir is 4 m high.")

    assert (found.title, found.as_of) == (title, as_of)
    assert found.text == "# The weir\n\nThe weir is 4 m high."


@pytest.mark.parametrize(
    "block",
    [
        "as_of: 2026-13-01",
        "as_of: '2026-02-30'",
        "as_of: 12345",
        "as_of: 0026",
        "as_of: true",
        "as_of: [2026]",
        "publisher: {a: b}",
        "title: a: b",
        "- a list",
        "just words",
        "title: !!python/object/apply:os.system ['true']",
        "title: " + "[" * 5000,
        "title: " + "x" * 30_000,
    ],
)
def test_front_matter_that_makes_no_sense_is_noted(block: str) -> None:
    found = of("a.md", f"---\n{block}\n---\n\nThe text.")

    assert found.text.endswith("The text.")
    assert found.reading.notes
    assert "!!python" not in found.title


def test_a_table_in_html_is_a_table() -> None:
    found = of("a.md", f"# Locks\n\nThere are two.\n\n{TABLE}\nThey are old.")
    passages = split(found, lambda text: len(text.split()))

    assert [p.body for p in passages if p.kind == "row"] == ["Lock: Upper; Keeper: J. Moss"]
    assert "<t" not in found.text
    assert found.text.endswith("They are old.")


def test_html_in_code_stays_as_it_is() -> None:
    code = f"```html\n{TABLE}\n```"

    assert code in of("a.md", f"# A\n\n{code}\n").text


DATA = "data:image/png;base64," + "iVBORw0KGgo" * 40


@pytest.mark.parametrize(
    "sealed",
    [
        f"![plan]({DATA})",
        f'![plan]({DATA} "The plan")',
        f'<img src="{DATA}" alt="plan">',
        f"![plan][1]\n\n[1]: {DATA}",
        f"See {DATA} there.",
        f"```\n{DATA}\n```",
    ],
)
def test_a_file_inside_of_the_text_is_told_and_never_text(sealed: str) -> None:
    found = of("a.md", f"# Sluice\n\nIt opens at 6.\n\n{sealed}\n\nIt shuts at 8.")

    assert "iVBOR" not in found.text
    assert found.text.startswith("# Sluice\n\nIt opens at 6.")
    assert found.text.endswith("It shuts at 8.")
    assert sum(one.count for one in found.reading.lost) >= 1


def test_pictures_and_comments_are_told_with_their_place() -> None:
    found = of("a.md", "# A\n\n## Gate\n\n![gate](gate.png)\n\n<!-- to do -->Shut.")

    assert found.reading.lost == (Lost("picture", 1, "Gate"), Lost("comment", 1, "Gate"))
    assert "to do" not in found.text


@pytest.mark.parametrize(
    ("encoding", "text", "name"),
    [
        ("cp1252", "Das Café öffnet um zehn, der Eintritt kostet 4 €.", "Windows-1252"),
        (
            "cp1251",
            "Паромы отправляются с причала каждый час, билет стоит сто рублей.",
            "cp1251",
        ),
        ("cp932", "渡し船は毎時間埠頭から出発します。料金は大人二百円、子供百円です。", "cp932"),
        ("gb18030", "渡轮每小时从码头出发。成人票价十二元，儿童五元。请提前到达。", "gb18030"),
    ],
)
def test_an_encoding_that_the_bytes_show_is_used_and_named(
    encoding: str, text: str, name: str
) -> None:
    found = of("a.txt", text.encode(encoding))

    assert found.text == text
    assert found.reading.notes == (f"read as {name}, which its bytes look like",)


def test_utf_16_without_a_mark_is_read() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        assert of("a.txt", "The gate is shut at night.".encode(encoding)).text.endswith("night.")
