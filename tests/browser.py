"""The system's Chromium, headless, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect, sync_playwright
from serving import serving

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
Scheme = Literal["light", "dark"]

WAIT_MS = 20_000
START_MS = 120_000
FLAGS = (
    "--no-sandbox --disable-gpu --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run"
).split()

in_a_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed"),
]


@contextmanager
def started() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS, timeout=START_MS)
        yield chromium
        chromium.close()


class Tab:
    """A page in a profile of its own. Errors of its scripts, and what its policy refused, are
    `complaints`."""

    def __init__(
        self,
        browser: Browser,
        width: int = 1200,
        height: int = 860,
        scheme: Scheme = "light",
    ) -> None:
        self._context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            reduced_motion="reduce",
        )
        self._context.set_default_timeout(WAIT_MS)
        self.complaints: list[str] = []
        self.page = self._context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        # A refused request is logged too, and is no complaint.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def close(self) -> None:
        self._context.close()


@contextmanager
def tab(
    browser: Browser,
    url: str,
    width: int = 1200,
    height: int = 860,
    scheme: Scheme = "light",
) -> Iterator[Page]:
    """An open page. Afterwards nothing may have gone wrong in it."""
    opened = Tab(browser, width, height, scheme)
    try:
        opened.page.goto(url)
        yield opened.page
        assert opened.complaints == []
    finally:
        opened.close()


@contextmanager
def visiting(
    browser: Browser,
    app: FastAPI,
    path: str = "/",
    width: int = 1200,
    height: int = 860,
    scheme: Scheme = "light",
) -> Iterator[Page]:
    """A page of this application, which is served meanwhile."""
    with serving(app) as port:
        address = f"http://127.0.0.1:{port}{path}"
        with tab(browser, address, width, height, scheme) as page:
            yield page


def ask(page: Page, question: str) -> Locator:
    """Asks in the widget; the turn, once it is complete."""
    box = page.get_by_role("textbox", name="Your question")
    box.fill(question)
    box.press("Enter")
    turn = page.locator(".turn").last
    expect(turn.locator(".question")).to_have_text(question)
    expect(turn.locator(".actions")).to_be_visible()
    return turn


def violations(page: Page) -> list[str]:
    """What axe finds wrong, with the places."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['target'] for node in one['nodes']]}" for one in found]
