"""What docs/widget.md shows, runs: on a page elsewhere, under the policy that it says is enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from browser import ask, in_a_browser, started, tab
from conftest import MakeKb
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from scenes import ANSWERED, Scenes, answered, corpus, playing
from scenes import MIT as QUOTE
from serving import serving
from starlette.responses import HTMLResponse, PlainTextResponse, Response

import api
from api.app import create_app
from kb.wiring import KnowledgeBase

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "widget.md").read_text(encoding="utf-8")
WIDGET = (Path(api.__file__).parent / "static" / "widget.js").read_text(encoding="utf-8")
SHOWN_HOST = "https://HOST"
SHOWN_QUESTION = "Under which licence is DeepSeek-R1 released?"


def block(language: str) -> str:
    """The one block in this language; "" names the one in none."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = (text for name, text in blocks if name == language)
    return str(found)


def attributes() -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))


def test_every_attribute_that_the_widget_reads_is_listed_and_no_other() -> None:
    read = set(re.findall(r"(?:get|has)Attribute\(\"(\w+)\"\)", WIDGET))

    assert attributes() == read | {"theme"}  # which only the stylesheet reads


def test_every_picture_is_there_and_small() -> None:
    shown = set(re.findall(r"\]\((widget-[\w-]+\.png)\)", PAGE))

    assert shown == {path.name for path in DOCS.glob("widget-*.png")}
    assert all((DOCS / name).stat().st_size < 150_000 for name in shown)


# -- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def kb(make_kb: MakeKb) -> KnowledgeBase:
    documents = corpus()
    guide = documents["open-weights-and-proprietary-guide.md"]
    said = [("DeepSeek-R1 is released under the MIT license.", guide, QUOTE)]
    scenes = Scenes({asked: answered(asked, said) for asked in (SHOWN_QUESTION, ANSWERED)})
    return playing(make_kb(documents=list(documents.values())), scenes)


@contextmanager
def shown_page(browser: Browser, kb: KnowledgeBase) -> Iterator[Page]:
    """The page as shown, with its style, where nothing is allowed but what the documentation
    asks for and the page's own style."""
    elsewhere = FastAPI()
    with serving(elsewhere) as page_port:
        origin = f"http://127.0.0.1:{page_port}"
        settings = kb.settings.model_copy(update={"allowed_origins": origin})
        with serving(create_app(replace(kb, settings=settings))) as port:
            _serve(elsewhere, f"http://127.0.0.1:{port}")
            with tab(browser, origin) as page:
                yield page


def _serve(elsewhere: FastAPI, server: str) -> None:
    policy = (
        f"default-src 'none'; style-src 'self'; "
        f"{block('').strip().replace(SHOWN_HOST, server)} 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    body = (
        '<!doctype html><html lang="en"><title>A page</title><link rel="stylesheet" '
        f'href="/own.css"><h1>A page</h1>{block("html").replace(SHOWN_HOST, server)}</html>'
    )

    @elsewhere.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(body, headers={"Content-Security-Policy": policy})

    @elsewhere.get("/own.css")
    def style() -> Response:
        return Response(block("css"), media_type="text/css")

    @elsewhere.get("/my-token")
    def token() -> PlainTextResponse:
        return PlainTextResponse("my-own-token")


class TestInABrowser:
    pytestmark = in_a_browser

    def test_the_two_lines_and_the_policy_are_enough(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        with shown_page(browser, kb) as page:
            page.get_by_role("button", name="Ask the handbook").click()
            ask(page, ANSWERED).locator(".chip").click()

            expect(page.locator("mark")).to_have_text(QUOTE)

    def test_the_style_sets_the_height_of_one_in_the_page(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        with shown_page(browser, kb) as page:
            page.evaluate(
                "document.body.append(Object.assign(document.createElement('weigh-bridge'), "
                "{id: 'other'}))"
            )
            other = page.locator("#other")
            other.evaluate("(other) => other.setAttribute('mode', 'inline')")

            expect(other).to_have_css("height", "512px")

    def test_the_script_runs_and_its_token_goes_with_the_next_question(
        self, browser: Browser, kb: KnowledgeBase
    ) -> None:
        with shown_page(browser, kb) as page:
            page.evaluate(f"async () => {{ {block('js')} }}")
            expect(page.get_by_role("dialog", name="Ask the handbook")).to_be_visible()
            expect(page.locator(".turn")).to_have_count(0)  # it was cleared
            sent: list[str | None] = []
            page.on(
                "request",
                lambda asked: (
                    sent.append(asked.headers.get("authorization"))
                    if asked.url.endswith("/v1/ask")
                    else None
                ),
            )
            ask(page, ANSWERED)

            assert sent == ["Bearer my-own-token"]
