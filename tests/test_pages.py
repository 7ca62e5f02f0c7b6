"""The page and the documentation: whole, offline, and safe against what documents say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import PROGRAM, Browser, started
from conftest import MakeKb
from serving import serving
from shelf import PRICES, WEIGHTS, first_passage, replaying
from starlette.testclient import TestClient

import api
from api.app import create_app
from kb.events import Answered, EvidenceFound, SentencePassed, Status
from kb.fakes_model import ScriptedModel
from kb.types import Answer, Citation, Conflict, Position, Source
from kb.wiring import KnowledgeBase

STATIC = Path(api.__file__).parent / "static"
FILES = sorted(STATIC.iterdir())
QUESTION = "What does the Gemini API cost for a million input tokens?"


# -- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_are_served(client: TestClient, path: str) -> None:
    response = client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert client.head(path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/docs", *(f"/static/{file.name}" for file in FILES)])
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

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


# -- in a browser --------------------------------------------------------------------------------

in_a_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with started(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


class TestInABrowser:
    pytestmark = in_a_browser

    def ask(self, browser: Browser, question: str = QUESTION) -> None:
        browser.wait_for("document.querySelector('#about')?.textContent")
        browser.evaluate(f"document.querySelector('#question').value = {question!r}")
        browser.evaluate("document.querySelector('#ask').requestSubmit()")
        browser.wait_for("document.querySelector('.turn') && !document.querySelector('.stage')")

    @pytest.mark.parametrize(("width", "dark"), [(320, False), (1200, True)])
    def test_an_answer_shows_its_quote_and_the_quote_its_place(
        self, browser: Browser, kb: KnowledgeBase, width: int, dark: bool
    ) -> None:
        browser.complaints.clear()
        with serving(create_app(kb)) as port:
            browser.open(f"http://127.0.0.1:{port}/", width, dark)
            self.ask(browser)
            browser.evaluate("document.querySelector('.chip').click()")
            browser.evaluate("document.querySelector('.source.shown .place').click()")
            browser.wait_for("document.querySelector('.context mark')")

            assert browser.evaluate("document.querySelector('.text').textContent.trim()") == (
                "The Gemini API costs $2.00 for a million input tokens. 1"
            )
            quote = "The Gemini API costs $2.00 for a million input tokens."
            assert browser.evaluate("document.querySelector('blockquote').textContent") == quote
            assert browser.evaluate("document.querySelector('mark').textContent") == quote
            assert PRICES.title in browser.evaluate("document.querySelector('.from').textContent")
            assert "Checked" in browser.evaluate("document.querySelector('.context').textContent")
            assert browser.evaluate("document.documentElement.scrollWidth") == width
        assert browser.complaints == []

    def test_markup_in_documents_and_answers_stays_text(
        self, browser: Browser, make_kb: MakeKb
    ) -> None:
        attack = "<img src=x onerror=alert(1)><script>alert(2)</script> costs $7.00 a day."
        evil = replace(PRICES, title=f"{attack} title", text=f"# {attack}\n\nEvil Corp {attack}\n")
        kb = make_kb(documents=(evil,))
        browser.complaints.clear()
        with serving(create_app(kb)) as port:
            browser.open(f"http://127.0.0.1:{port}/")
            self.ask(browser, f"What does Evil Corp {attack} cost?")

            assert "<img src=x" in browser.evaluate("document.querySelector('#turns').textContent")
            assert (
                browser.evaluate("document.querySelectorAll('#turns img, #turns script').length")
                == 0
            )
        assert browser.complaints == []

    def test_a_refusal_shows_its_reason_and_the_nearest_passages(
        self, browser: Browser, make_kb: MakeKb
    ) -> None:
        kb = make_kb(ScriptedModel(first_passage, lambda prompt: 0.0))
        with serving(create_app(kb)) as port:
            browser.open(f"http://127.0.0.1:{port}/")
            self.ask(browser)

            shown = browser.evaluate("document.querySelector('.turn').innerText")
            assert "Not stated in the documents" in shown
            assert "The nearest passages" in shown
            assert browser.evaluate("document.querySelectorAll('.source blockquote').length") > 0
            assert browser.evaluate("document.querySelectorAll('.chip').length") == 0

    def test_both_sides_of_a_conflict_stand_side_by_side(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        with serving(create_app(replaying(kb, *CONFLICTING))) as port:
            browser.open(f"http://127.0.0.1:{port}/")
            self.ask(browser)

            sides = browser.evaluate(
                "[...document.querySelectorAll('.side')].map((side) => side.innerText)"
            )
            tops = browser.evaluate(
                "[...document.querySelectorAll('.side')].map((s) => s.getBoundingClientRect().top)"
            )
        assert len(sides) == 2
        assert PRICES.title in sides[0]
        assert "as of 2026-05-01" in sides[1]
        assert tops[0] == tops[1]

    def test_a_failure_is_told_in_words(self, browser: Browser, kb: KnowledgeBase) -> None:
        with serving(create_app(kb)) as port:
            browser.open(f"http://127.0.0.1:{port}/")
            self.ask(browser, "why " * 600)

            shown = browser.evaluate("document.querySelector('.turn .text').textContent")
            assert "the limit is 2000" in shown

    def test_the_documentation_lists_every_route_and_code(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        app = create_app(kb)
        browser.complaints.clear()
        with serving(app) as port:
            browser.open(f"http://127.0.0.1:{port}/docs", 320)
            browser.wait_for("document.querySelectorAll('#codes tbody tr').length")

            shown = browser.evaluate("document.body.innerText")
            assert browser.evaluate("document.documentElement.scrollWidth") == 320
        described = app.openapi()
        for path in described["paths"]:
            assert f" {path}" in shown
        for code in described["x-problem-codes"]:
            assert code in shown
        assert browser.complaints == []


def cited(marker: int, document: object, start: int) -> Citation:
    doc = PRICES if document is PRICES else WEIGHTS
    source = Source(doc.id, doc.revision, doc.title, doc.publisher, doc.uri, doc.as_of)
    return Citation(marker, start, start + 10, source, 2, 12, doc.text[2:12], doc.title, 0.9)


CITATIONS = (cited(1, PRICES, 0), cited(2, WEIGHTS, 15))
SIDES = (Position("It is $2.", (1,)), Position("It is $3.", (2,)))
CONFLICTING = (
    Status("searching", 0),
    EvidenceFound(()),
    SentencePassed("It is $2.00", CITATIONS[:1]),
    Answered(
        Answer(
            id="a1",
            conversation_id="c1",
            question=QUESTION,
            standalone_question=QUESTION,
            outcome="conflicting",
            text="It is $2.0 [1] It is $3.0 [2]",
            corpus_version=1,
            model="scripted",
            citations=CITATIONS,
            conflicts=(Conflict("the price", SIDES),),
        )
    ),
)
