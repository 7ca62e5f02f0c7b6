"""`make screenshots`: the widget as readers meet it, into docs/.

The documents are the ones that come with the project; what is asked and answered is played, so
that the pictures are the same on every machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from browser import ask, started, visiting
from playwright.sync_api import Browser, Page, expect
from scenes import ANSWERED, CONFLICTING, REFUSED, corpus, playing, shipped
from shelf import BY_THE_MODEL, SPLITTER, publish

from api.app import create_app
from kb.fakes import MemoryPassageStore, WordEmbedder
from kb.fakes_model import ScriptedModel
from kb.settings import Settings
from kb.wiring import KnowledgeBase, compose

DOCS = Path(__file__).parent.parent / "docs"
WIDTH, HEIGHT = 1080, 700
SCENES = {"answered": ANSWERED, "conflicting": CONFLICTING, "refused": REFUSED}


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="weighbridge-") as folder, started() as browser:
        kb = _knowledge_base(Path(folder))
        try:
            for scheme in ("light", "dark"):
                for name, question in SCENES.items():
                    _show(browser, kb, question, scheme, DOCS / f"widget-{name}-{scheme}.png")
        finally:
            kb.close()


def _knowledge_base(home: Path) -> KnowledgeBase:
    documents = corpus()
    settings = Settings(home=home)
    model = ScriptedModel()
    kb = compose(
        settings, WordEmbedder(), MemoryPassageStore(), model, SPLITTER, confidence=BY_THE_MODEL
    )
    publish(kb, list(documents.values()))
    return playing(kb, shipped(documents))


def _show(browser: Browser, kb: KnowledgeBase, question: str, scheme: str, file: Path) -> None:
    with visiting(browser, create_app(kb), "/", WIDTH, HEIGHT, scheme) as page:
        ask(page, question)
        if question == ANSWERED:
            _read_a_source(page)
        page.evaluate("document.activeElement?.shadowRoot?.activeElement?.blur()")
        page.locator("weigh-bridge").screenshot(path=file)
        sys.stdout.write(f"{file.relative_to(DOCS.parent)}: {file.stat().st_size} bytes\n")


def _read_a_source(page: Page) -> None:
    page.locator(".chip").first.click()
    expect(page.locator("mark")).to_be_visible()


if __name__ == "__main__":
    main()
