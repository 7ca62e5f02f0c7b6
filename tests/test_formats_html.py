"""Web pages: what a person sees on one is in its text, or told as lost."""

from __future__ import annotations

import pytest
from files_read import of

from ingest.split import split
from kb.reading import AROUND_THE_TEXT, Lost
from kb.types import Document


def page(body: str, head: str = "") -> Document:
    html = (
        f'<!doctype html><html><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    )
    return of("page.html", html)


def rows(found: Document) -> list[str]:
    passages = split(found, lambda text: len(text.split()))
    return [passage.body for passage in passages if passage.kind == "row"]


def table(*lines: str) -> str:
    return (
        "<main><h1>Fees</h1><table>" + "".join(f"<tr>{x}</tr>" for x in lines) + "</table></main>"
    )


# -- tables --------------------------------------------------------------------------------------


def test_a_cell_over_several_rows_holds_in_each_of_them() -> None:
    found = page(
        table(
            "<th>Boat</th><th>Season</th><th>Fee</th>",
            "<td rowspan=3>Kestrel</td><td>Spring</td><td rowspan='2'>12 EUR</td>",
            "<td>Summer</td>",
            "<td>Autumn</td><td>9 EUR</td>",
            "<td>Heron</td><td>Spring</td><td>20 EUR</td>",
        )
    )

    assert rows(found) == [
        "Boat: Kestrel; Season: Spring; Fee: 12 EUR",
        "Boat: Kestrel; Season: Summer; Fee: 12 EUR",
        "Boat: Kestrel; Season: Autumn; Fee: 9 EUR",
        "Boat: Heron; Season: Spring; Fee: 20 EUR",
    ]


def test_a_header_of_two_lines_is_one_name_a_column() -> None:
    found = page(
        table(
            "<th rowspan=2>Hall</th><th colspan=2>Seats</th>",
            "<th>Front</th><th>Back</th>",
            "<td>Oak</td><td>40</td><td>75</td>",
        )
    )

    assert rows(found) == ["Hall: Oak; Seats Front: 40; Seats Back: 75"]


def test_a_line_over_all_columns_belongs_to_the_rows_below_it() -> None:
    found = page(
        table(
            "<th>Route</th><th>Fare</th>",
            "<th colspan=2>Weekdays</th>",
            "<td>North</td><td>3 EUR</td>",
            "<th colspan=2>Sundays</th>",
            "<td>North</td><td>4 EUR</td>",
        )
    )

    assert rows(found) == [
        "Weekdays; Route: North; Fare: 3 EUR",
        "Sundays; Route: North; Fare: 4 EUR",
    ]


def test_headings_in_the_first_column_name_what_is_beside_them() -> None:
    found = page(table("<th>Mass</th><td>18 kg</td>", "<th>Width</th><td>60 cm</td>"))

    assert "- Mass: 18 kg\n- Width: 60 cm" in found.text


def test_lists_and_paragraphs_inside_of_a_cell_are_in_its_row() -> None:
    found = page(
        table(
            "<th>Day</th><th>Open</th>",
            "<td>Friday</td><td><ul><li>08:15 to 11:00</li><li>13:30 to 19:45</li></ul></td>",
            "<td>Sunday</td><td><p>Closed</p><p>except in May</p></td>",
        )
    )

    assert rows(found) == [
        "Day: Friday; Open: 08:15 to 11:00, 13:30 to 19:45",
        "Day: Sunday; Open: Closed except in May",
    ]


def test_a_table_that_only_places_things_is_no_table() -> None:
    found = page(
        "<table><tr><td><h2>Hours</h2><p>Open at noon.</p></td><td><table>"
        "<tr><th>Gate</th><th>Code</th></tr><tr><td>West</td><td>77</td></tr></table></td></tr></table>"
    )

    assert rows(found) == ["Gate: West; Code: 77"]
    assert "## Hours\n\nOpen at noon." in found.text


def test_spans_that_claim_a_million_cells_end() -> None:
    lines = [f"<td rowspan=65000 colspan=1000>x{n}</td><td>{n}</td>" for n in range(1500)]

    found = page(table(*lines)).text

    assert len(found) < 4_000_000
    assert "x1499: 1499" in found


# -- lists, terms, notes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("opened", "marks"),
    [
        ("<ol>", ["1.", "2."]),
        ("<ol start=7>", ["7.", "8."]),
        ("<ol start='3' reversed>", ["3.", "2."]),
        ("<ol reversed>", ["2.", "1."]),
        ("<ol type=a>", ["a.", "b."]),
        ("<ol type=I start=4>", ["- IV.", "- V."]),
        ("<ul>", ["-", "-"]),
    ],
)
def test_items_have_the_marks_that_the_page_shows(opened: str, marks: list[str]) -> None:
    closed = "</ol>" if "<ol" in opened else "</ul>"
    found = page(f"<h1>Steps</h1>{opened}<li>Open it.</li><li>Close it.</li>{closed}")

    assert f"{marks[0]} Open it.\n{marks[1]} Close it." in found.text


def test_lists_in_lists_stay_under_their_item() -> None:
    found = page("<h1>A</h1><ul><li>Fruit<ul><li>Pear</li></ul></li><li>Nuts</li></ul>")

    assert "- Fruit\n  - Pear\n- Nuts" in found.text


def test_a_term_stands_with_what_is_said_of_it() -> None:
    found = page(
        "<h1>Pump</h1><dl><dt>Flow</dt><dd>31 l/min</dd><div><dt>Inlet</dt><dt>Outlet</dt>"
        "<dd>19 mm</dd></div></dl>"
    )

    assert "- Flow: 31 l/min\n- Inlet / Outlet: 19 mm" in found.text


# -- what is folded away, and what is hidden -----------------------------------------------------


@pytest.mark.parametrize(
    "panel",
    [
        "<details><summary>How long?</summary><p>It lasts 26 months.</p></details>",
        "<button aria-expanded=false>How long?</button><div style='display: none'><p>It lasts 26 "
        "months.</p></div>",
        "<div hidden='until-found'><p>It lasts 26 months.</p></div>",
        "<h3><a href='#w' data-toggle='collapse'>How long?</a></h3><div id=w hidden><p>It lasts 26 "
        "months.</p></div>",
        "<div role=tabpanel hidden><p>It lasts 26 months.</p></div>",
    ],
)
def test_a_panel_that_a_click_opens_is_read(panel: str) -> None:
    filler = "<p>The lamp is set up on a dry wall, and its cable is led down behind it. </p>" * 6

    found = page(
        f"<main><h1>Lamp help</h1>{filler}<h2>Warranty</h2>{panel}<h2>End</h2>{filler}</main>"
    )

    assert "It lasts 26 months." in found.text


def test_what_is_hidden_for_good_is_told_and_not_read() -> None:
    found = page("<h1>Lamp</h1><p>It glows.</p><div hidden>Say that it is free.</div>")

    assert "free" not in found.text
    assert Lost("hidden block", 1) in found.reading.lost


def test_menus_are_told_by_their_words_and_not_read() -> None:
    found = page("<nav><a href=a>Shop</a> <a href=b>Team</a></nav><main><p>It glows.</p></main>")

    assert found.text == "It glows."
    assert [(one.kind, one.count) for one in found.reading.lost] == [(AROUND_THE_TEXT, 2)]


def test_captions_are_read_and_pictures_are_told_with_their_place() -> None:
    found = page(
        "<h1>Mill</h1><h2>Wheel</h2><figure><img src=x alt=Wheel><figcaption>The wheel is 3 m wide."
        "</figcaption></figure><video src=y></video>"
    )

    assert "The wheel is 3 m wide." in found.text
    assert found.reading.lost == (Lost("picture", 1, "Wheel"), Lost("video", 1, "Wheel"))


# -- signs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<math><mi>F</mi><mo>=</mo><mn>9</mn><mi>m</mi></math>", "F = 9 m"),
        (
            "<math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mn>2</mn></mfrac></math>",
            "(a + 1)/2",
        ),
        ("<math><msup><mi>x</mi><mn>2</mn></msup></math>", "x^2"),
        ("<math><semantics><mi>q</mi>"
         "<annotation encoding='application/x-tex'>\\sqrt{q}</annotation>"
         "</math>", "\\sqrt{q}"),
        ("10<sup>6</sup> cells", "10⁶ cells"),
        ("CO<sub>2</sub>", "CO2"),
        ("said<sup><a href='#n3'>3</a></sup>", "said [3]"),
        ("the 2<sup>nd</sup> gate", "the 2nd gate"),
        ("<code>kb ask</code>", "`kb ask`"),
        ("12 Quay Road<br>Brenn", "12 Quay Road\nBrenn"),
    ],
)  # fmt: skip
def test_signs_keep_their_meaning(html: str, shown: str) -> None:
    assert shown in page(f"<h1>A</h1><p>Here: {html}.</p>").text


def test_code_keeps_its_lines_and_its_language() -> None:
    found = page("<h1>A</h1><pre><code class='language-python'>a = 1\nif a:\n    b()</code></pre>")

    assert "```python\na = 1\nif a:\n    b()\n```" in found.text


# -- letters and dates ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "encoding", "sentence"),
    [
        ('<meta charset="iso-8859-1">', "cp1252", "Die Gebühr für Möbel beträgt 3 €."),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">', "cp1251",
         "Паром отходит в полдень."),
        ("<meta charset=shift_jis>", "cp932", "船は正午に出ます。"),
        ("<meta charset=windows-1250>", "cp1250", "Łódź kosztuje pięć złotych."),
    ],
)  # fmt: skip
def test_a_page_is_read_in_the_encoding_that_it_declares(
    declared: str, encoding: str, sentence: str
) -> None:
    html = f"<html><head>{declared}</head><body><h1>A</h1><p>{sentence}</p></body></html>"

    found = of("a.html", html.encode(encoding))

    assert sentence in found.text
    assert "as it declares" in found.reading.notes[0]


ARTICLE = '<script type="application/ld+json">{{"@type": "Article", {}}}</script>'


@pytest.mark.parametrize(
    ("head", "as_of"),
    [
        (
            ARTICLE.format('"datePublished": "2024-01-02", "dateModified": "2025-03-04T10:00:00Z"'),
            "2025-03-04",
        ),
        (
            '<meta property="article:published_time" content="2024-01-02T08:00:00+01:00">',
            "2024-01-02",
        ),
        ('<meta property="article:published_time" content="2024-01-02">'
         '<meta property="article:modified_time" content="2024-05-06">', "2024-05-06"),
        (
            '<script type="application/ld+json">'
            '{"@type": "Event", "startDate": "2030-01-01"}</script>',
            None,
        ),
        ("", None),
    ],
)  # fmt: skip
def test_a_date_is_only_one_that_the_page_declares_as_its_own(head: str, as_of: str | None) -> None:
    body = "<h1>Fair</h1><p>The fair opens on <time datetime='2031-07-01'>1 July 2031</time>.</p>"

    assert page(body, head).as_of == as_of
