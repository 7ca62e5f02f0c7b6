"""The page and the documentation: whole, offline, and safe against what documents say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import in_a_browser, started, violations, visiting
from conftest import MakeKb
from playwright.sync_api import Browser, expect
from shelf import PRICES, WEIGHTS, publish
from starlette.testclient import TestClient

import api
from api.app import create_app
from kb.types import Document
from kb.wiring import KnowledgeBase

STATIC = Path(api.__file__).parent / "static"
FILES = sorted(STATIC.iterdir())
SOURCE = f"/source/{PRICES.id}/{PRICES.revision}"
PAGES = ("/", "/docs", SOURCE)


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_served(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert client.head(path).status_code == 200


@pytest.mark.parametrize(
    "path", [*PAGES, "/widget.js", "/widget.css", *(f"/static/{file.name}" for file in FILES)]
)
def test_files_that_have_not_changed_are_not_sent_again(client: TestClient, path: str) -> None:
    etag = client.get(path).headers["etag"]

    again = client.get(path, headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_nothing_is_loaded_from_elsewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?://|//[a-z]+\.[a-z]", text)


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.html")), ids=lambda file: file.name)
def test_pages_hold_no_inline_script_or_style(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("file", sorted(STATIC.glob("*.js")), ids=lambda file: file.name)
def test_text_never_becomes_markup(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|setHTML|DOMParser"
        r"|createContextualFragment|srcdoc|javascript:",
        text,
    )


@pytest.mark.parametrize("path", PAGES)
def test_pages_run_nothing_but_this_servers_own_files(client: TestClient, path: str) -> None:
    policy = dict(
        part.strip().split(" ", 1)
        for part in client.get(path).headers["content-security-policy"].split(";")
    )

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["trusted-types"] == "'none'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"


# -- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


class TestInABrowser:
    pytestmark = in_a_browser

    def test_the_documents_are_listed_with_their_dates_and_versions(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        newer = replace(WEIGHTS, text=WEIGHTS.text + "\nMore.\n", as_of="2026-06")
        publish(kb, [newer])
        with visiting(browser, create_app(kb)) as page:
            row = page.locator("#documents li", has_text=WEIGHTS.title).first
            expect(row).to_contain_text("Example Press · as of June 2026")
            row.locator("summary").click()

            expect(row.locator(".versions li")).to_contain_text(
                ["Version 2 since corpus version 2, current", "Version 1 since corpus version 1"]
            )
            assert newer.revision in unquoted(row.get_by_role("link").first.get_attribute("href"))

    def test_a_file_that_is_added_is_followed_until_it_answers(
        self, browser: Browser, make_kb: MakeKb
    ) -> None:
        kb = make_kb(documents=())
        asked = "Do vendors keep what is asked?"
        text = f"{PRICES.text}\n{asked} Some vendors keep what is asked for thirty days.\n"
        files = [
            {"name": "prices.md", "mimeType": "text/markdown", "buffer": text.encode()},
            {"name": "empty.md", "mimeType": "text/markdown", "buffer": b" "},
        ]
        with visiting(browser, create_app(kb)) as page:
            page.locator("#files").set_input_files(files)  # type: ignore[arg-type]  # a TypedDict

            expect(page.locator("#told")).to_have_text("1 added, 1 left out. Corpus version 1.")
            expect(page.locator("#left-out")).to_contain_text("empty.md")
            expect(page.locator("#documents li cite")).to_have_text([PRICES.title])
            expect(page.locator(".welcome .starter")).to_have_text([asked])

    def test_who_may_not_add_documents_is_told_why(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        with visiting(browser, create_app(kb)) as page:
            refusal = {"code": "scope_missing", "detail": "ask someone who may"}
            page.route("**/v1/ingest", lambda route: route.fulfill(status=403, json=refusal))
            page.get_by_role("button", name="Read the folder again").click()

            expect(page.locator("#told")).to_have_text("ask someone who may.")
            expect(page.locator("#changes .buttons")).to_be_hidden()

    def test_the_source_viewer_marks_exactly_the_span(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        """The emoji before it is one code point and two UTF-16 units."""
        quote = "licence decides whether"
        start = WEIGHTS.text.index(quote)
        assert "😀" in WEIGHTS.text[:start]
        path = f"/source/{WEIGHTS.id}/{WEIGHTS.revision}#{start}-{start + len(quote)}"
        with visiting(browser, create_app(kb), path) as page:
            expect(page.locator("mark")).to_have_text(quote)
            assert page.locator("#text").inner_text() == WEIGHTS.text
            expect(page.locator("h1")).to_have_text(WEIGHTS.title)
            expect(page.locator("#facts")).to_contain_text("Example Press · as of 1 May 2026")
            assert violations(page) == []

    def test_the_source_viewer_shows_the_quote_and_that_a_newer_text_exists(
        self, browser: Browser, make_kb: MakeKb
    ) -> None:
        quote = "Here it is."
        text = "A line of a long text.\n\n" * 300 + quote
        long = Document("long", "Long", None, "long.md", "2026", text)
        kb = make_kb(documents=[long])
        newer = replace(long, text=text + " And more.")
        publish(kb, [newer])
        start = text.index(quote)
        path = f"/source/long/{long.revision}#{start}-{start + len(quote)}"
        with visiting(browser, create_app(kb), path, 320, 640, "dark") as page:
            expect(page.locator("mark")).to_be_in_viewport()
            assert fits(page.evaluate(WIDTHS))
            assert violations(page) == []
            page.get_by_role("link", name="Open the newest").click()

            expect(page.locator("#text")).to_contain_text("And more.")
            expect(page.locator("#notice")).to_be_hidden()

    def test_a_source_that_is_not_there_is_told_in_words(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        with visiting(browser, create_app(kb), "/source/nothing/sha256:0") as page:
            expect(page.locator("#notice")).to_contain_text("nothing")

    def test_the_documentation_lists_every_route_and_code(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        app = create_app(kb)
        with visiting(browser, app, "/docs", 320) as page:
            expect(page.locator("#codes tbody tr").first).to_be_visible()

            shown = page.locator("body").inner_text()
            assert fits(page.evaluate(WIDTHS))
        described = app.openapi()
        for path in described["paths"]:
            assert f" {path}" in shown
        for code in described["x-problem-codes"]:
            assert code in shown


WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


def fits(widths: list[int]) -> bool:
    """Nothing has to be scrolled sideways."""
    return widths[0] == widths[1]


def unquoted(address: str | None) -> str:
    return (address or "").replace("%3A", ":")
