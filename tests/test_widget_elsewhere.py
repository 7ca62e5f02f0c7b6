"""The widget on other people's pages: small, on another origin, under their own strict policy."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from browser import ask, in_a_browser, started, tab, violations
from conftest import ClientOf, MakeKb
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from scenes import ANSWERED, MIT, corpus, playing, shipped
from serving import serving
from starlette.responses import HTMLResponse
from starlette.testclient import TestClient

import api
from api.app import create_app
from kb.settings import Settings
from kb.wiring import KnowledgeBase

STATIC = Path(api.__file__).parent / "static"
MOST_BYTES = 30_000  # both files together, gzipped
ORIGIN = "https://docs.example.com"

WithOrigins = Callable[[str], KnowledgeBase]


@pytest.fixture
def with_origins(make_kb: MakeKb) -> WithOrigins:
    """The shipped scenes, with these allowed origins."""

    def make(origins: str) -> KnowledgeBase:
        documents = corpus()
        kb = make_kb(documents=list(documents.values()))
        settings = Settings(
            home=kb.settings.home, corpus=kb.settings.corpus, allowed_origins=origins
        )
        return replace(playing(kb, shipped(documents)), settings=settings)

    return make


def test_the_widget_is_small() -> None:
    both = [(STATIC / name).read_bytes() for name in ("widget.js", "widget.css")]

    assert sum(len(gzip.compress(file, 9, mtime=0)) for file in both) < MOST_BYTES


def test_the_widget_is_one_module_and_loads_nothing_but_its_style() -> None:
    text = (STATIC / "widget.js").read_text(encoding="utf-8")

    assert "import " not in text.replace("import.meta", "")
    assert text.count('new URL("widget.css", import.meta.url)') == 1


@pytest.mark.parametrize("path", ["/widget.js", "/widget.css"])
def test_any_page_may_load_the_widget(client: TestClient, path: str) -> None:
    response = client.get(path, headers={"Origin": ORIGIN})

    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["cache-control"] == "no-cache"


def test_no_other_site_may_ask_unless_the_settings_allow_it(
    client: TestClient, client_of: ClientOf, with_origins: WithOrigins
) -> None:
    allowing = client_of(with_origins(f"{ORIGIN}, https://other.example.com"))

    for of, allowed in ((client, None), (allowing, ORIGIN)):
        response = of.options("/v1/ask", headers=preflight())
        assert response.headers.get("access-control-allow-origin") == allowed
    stranger = allowing.options("/v1/ask", headers=preflight("https://evil.example"))
    assert "access-control-allow-origin" not in stranger.headers


@pytest.mark.parametrize("path", ["/v1/ingest", "/v1/ingest/files", "/v1/documents/some.md"])
def test_an_allowed_origin_may_not_change_documents(
    client_of: ClientOf, with_origins: WithOrigins, path: str
) -> None:
    allowing = client_of(with_origins(ORIGIN))

    response = allowing.options(path, headers=preflight())

    assert "access-control-allow-origin" not in response.headers


def preflight(origin: str = ORIGIN) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }


# -- in a browser ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


def someones_page(server: str, attributes: str) -> FastAPI:
    """A page elsewhere, whose policy allows the server's script and requests and nothing else."""
    app = FastAPI()
    policy = (
        f"default-src 'none'; script-src {server}; connect-src {server}; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    text = (
        '<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1></main>'
        f'<script type="module" src="{server}/widget.js"></script>'
        f'<weigh-bridge title="Ask us" {attributes}></weigh-bridge></html>'
    )

    @app.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(text, headers={"Content-Security-Policy": policy})

    return app


@contextmanager
def embedded(
    browser: Browser, kb: KnowledgeBase, attributes: str = "", width: int = 1200, height: int = 860
) -> Iterator[Page]:
    """Someone's page, open, on an origin that the server of `kb` allows."""
    elsewhere = FastAPI()
    with serving(elsewhere) as page_port:
        origin = f"http://127.0.0.1:{page_port}"
        settings = kb.settings.model_copy(update={"allowed_origins": origin})
        with serving(create_app(replace(kb, settings=settings))) as port:
            elsewhere.mount("/", someones_page(f"http://127.0.0.1:{port}", attributes))
            with tab(browser, origin, width, height) as page:
                yield page


class TestInABrowser:
    pytestmark = in_a_browser

    @pytest.mark.parametrize("mode", ["", 'mode="inline"'])
    def test_it_works_on_another_origin_under_a_strict_policy(
        self, browser: Browser, with_origins: WithOrigins, mode: str
    ) -> None:
        with embedded(browser, with_origins(""), mode) as page:
            if not mode:
                page.get_by_role("button", name="Ask us").click()
            ask(page, ANSWERED).locator(".chip").first.click()

            expect(page.locator("mark")).to_have_text(MIT)
            address = page.get_by_role("link", name="Open the whole document").get_attribute("href")
            assert address
            assert not address.startswith(page.url)
            assert "/source/open-weights-and-proprietary-guide.md/sha256%3A" in address
            frame = page.locator(".frame")  # its style came through
            assert frame.evaluate("(e) => getComputedStyle(e).borderTopLeftRadius") == "14px"
            assert violations(page) == []

    def test_the_button_opens_and_escape_gives_the_focus_back(
        self, browser: Browser, with_origins: WithOrigins
    ) -> None:
        attributes = f'accent="rebeccapurple" questions="{ANSWERED}|Why?"'
        with embedded(browser, with_origins(""), attributes) as page:
            loaded: list[str] = []
            page.on("request", lambda sent: loaded.append(sent.url))
            button = page.get_by_role("button", name="Ask us")
            expect(button).to_have_attribute("aria-expanded", "false")
            assert violations(page) == []
            button.press("Enter")
            box = page.get_by_role("textbox", name="Your question")
            expect(box).to_be_focused()
            expect(page.get_by_role("dialog", name="Ask us")).to_be_visible()
            expect(page.locator(".starter")).to_have_text([ANSWERED, "Why?"])
            assert violations(page) == []
            assert not [url for url in loaded if "/v1/suggestions" in url]
            box.press("Escape")

            expect(page.get_by_role("dialog")).to_be_hidden()
            expect(button).to_be_focused()

    def test_a_page_without_questions_gets_the_documents_own_once_it_is_opened(
        self, browser: Browser, with_origins: WithOrigins
    ) -> None:
        with embedded(browser, with_origins("")) as page:
            assert page.locator(".starter").count() == 0
            page.get_by_role("button", name="Ask us").click()

            expect(page.locator(".starter").first).to_be_visible()

    def test_on_a_phone_it_fills_the_screen_and_the_page_behind_is_out_of_reach(
        self, browser: Browser, with_origins: WithOrigins
    ) -> None:
        with embedded(browser, with_origins(""), "", 320, 640) as page:
            page.get_by_role("button", name="Ask us").click()
            dialog = page.get_by_role("dialog")

            assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 320, "height": 640}
            assert dialog.evaluate("(dialog) => dialog.matches(':modal')")

    def test_a_token_goes_with_every_request(
        self, browser: Browser, with_origins: WithOrigins
    ) -> None:
        with embedded(browser, with_origins(""), 'mode="inline"') as page:
            sent: list[str | None] = []
            page.on("request", lambda asked: sent.append(asked.headers.get("authorization")))
            widget = page.locator("weigh-bridge")
            widget.evaluate("(widget) => { widget.token = async () => 'short-lived'; }")
            ask(page, ANSWERED).locator(".chip").first.click()
            expect(page.locator("mark")).to_have_text(MIT)

            assert {one for one in sent if one} == {"Bearer short-lived"}
            assert sent.count("Bearer short-lived") == 2
