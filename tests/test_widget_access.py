"""The widget for everyone: by keyboard, by ear, on small screens, in any light and direction; and
whatever documents and models say, it stays text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from browser import Scheme, ask, in_a_browser, started, violations, visiting
from conftest import MakeKb
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect
from scenes import (
    ANSWERED,
    CONFLICTING,
    REFUSED,
    Scenes,
    answered,
    conflicting,
    corpus,
    playing,
    shipped,
)
from shelf import PRICES

from api.app import create_app

pytestmark = in_a_browser

FOCUSED = "document.querySelector('weigh-bridge').shadowRoot.activeElement"
ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def app(make_kb: MakeKb) -> FastAPI:
    documents = corpus()
    return create_app(playing(make_kb(documents=list(documents.values())), shipped(documents)))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(browser: Browser, app: FastAPI, scheme: Scheme) -> None:
    with visiting(browser, app, "/", 1200, 2400, scheme) as page:
        expect(page.locator(".welcome .starter").first).to_be_visible()
        found = {"welcome": violations(page)}
        for question in (ANSWERED, CONFLICTING, REFUSED):
            ask(page, question)
            found[question] = violations(page)
        page.locator(".chip").first.click()
        expect(page.locator("mark")).to_be_visible()
        found["source"] = violations(page)

    assert not {place: wrong for place, wrong in found.items() if wrong}


def test_dark_is_dark_and_a_page_may_choose(browser: Browser, app: FastAPI) -> None:
    with visiting(browser, app, scheme="dark") as page:
        frame = page.locator(".frame")

        expect(frame).to_have_css("background-color", "rgb(22, 25, 28)")
        page.locator("weigh-bridge").evaluate("(widget) => widget.setAttribute('theme', 'light')")
        expect(frame).to_have_css("background-color", "rgb(255, 255, 255)")


def test_a_question_back_is_told_from_a_refusal_and_can_be_answered_with_a_click(
    browser: Browser, make_kb: MakeKb
) -> None:
    with visiting(browser, create_app(make_kb(documents=list(corpus().values())))) as page:
        turn = ask(page, "How much does it cost?")

        expect(turn.locator(".label")).to_have_text("One question first")
        expect(turn.locator(".text")).to_contain_text("What do you mean by “it”?")
        expect(turn.get_by_role("heading", name="You could ask")).to_be_visible()
        assert violations(page) == []
        offered = turn.locator(".starter").first
        words = offered.inner_text()
        offered.click()
        expect(page.locator(".turn").last.locator(".question")).to_have_text(words)


@pytest.mark.parametrize("question", [ANSWERED, CONFLICTING, REFUSED])
def test_nothing_has_to_be_scrolled_sideways_at_320_pixels(
    browser: Browser, app: FastAPI, question: str
) -> None:
    with visiting(browser, app, "/", 320, 640) as page:
        ask(page, question)
        assert_fits(page)

        page.locator(".source-row, .chip").first.click()
        expect(page.locator("mark")).to_be_visible()
        assert_fits(page)


def assert_fits(page: Page) -> None:
    wide = page.evaluate(
        """() => {
          const inside = document.querySelector("weigh-bridge").shadowRoot.querySelectorAll("*");
          return [document.documentElement, ...inside].filter(
            (one) => one.clientWidth && !one.closest(".unseen, svg") &&
              one.scrollWidth > one.clientWidth && getComputedStyle(one).textOverflow != "ellipsis"
              && getComputedStyle(one).display != "inline",
          ).map((one) => `${one.tagName}.${one.className} ${one.scrollWidth}`);
        }"""
    )
    assert wide == []


def test_everything_works_by_keyboard_alone(browser: Browser, app: FastAPI) -> None:
    with visiting(browser, app) as page:
        expect(page.locator(".greeting")).to_be_visible()
        tab_to(page, "Your question")
        page.keyboard.type(ANSWERED)
        page.keyboard.press("Enter")
        expect(page.locator(".actions")).to_be_visible()
        assert label(page) == "Your question"

        page.keyboard.press("Shift+Tab")
        tab_to(page, "Source 1", "Shift+Tab")
        page.keyboard.press("Enter")
        expect(page.locator("mark")).to_be_visible()
        assert page.evaluate(f"{FOCUSED}.tagName") == "H2"

        page.keyboard.press("Escape")
        expect(page.locator(".source")).to_be_hidden()
        assert label(page).startswith("Source 1")


def test_what_a_source_covers_can_not_be_reached(browser: Browser, app: FastAPI) -> None:
    with visiting(browser, app, "/", 500) as page:
        ask(page, ANSWERED).locator(".chip").first.click()
        expect(page.locator("mark")).to_be_visible()

        assert page.locator(".talk").evaluate("(talk) => talk.inert")
        page.get_by_role("button", name="Close the source").click()
        assert not page.locator(".talk").evaluate("(talk) => talk.inert")


def tab_to(page: Page, name: str, key: str = "Tab") -> None:
    for _ in range(40):
        if label(page).startswith(name):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{name} can't be reached with {key}")


def label(page: Page) -> str:
    return str(page.evaluate(f"{FOCUSED}?.getAttribute('aria-label') ?? ''"))


def test_each_sentence_is_announced_once(browser: Browser, app: FastAPI) -> None:
    with visiting(browser, app) as page:
        ask(page, ANSWERED)

        live = page.get_by_role("status").and_(page.locator(".unseen"))
        expect(live.locator("p")).to_have_text(
            [
                "Searching the documents.",
                "DeepSeek-R1 is released under the MIT license.",
                "It came out on January 20, 2025.",
                "Answered, with 2 sources.",
            ]
        )
        assert page.locator("[aria-live] .turn, [role=log] .turn").count() == 0


def test_reduced_motion_is_respected(browser: Browser, app: FastAPI) -> None:
    """Pages open with it."""
    with visiting(browser, app) as page:
        ask(page, ANSWERED).locator(".chip").first.click()
        expect(page.locator("mark")).to_be_visible()

        assert page.evaluate(
            """() => [...document.querySelector("weigh-bridge").shadowRoot.querySelectorAll("*")]
              .every((one) => getComputedStyle(one).animationName == "none"
                && getComputedStyle(one).transitionDuration == "0s")"""
        )


def test_markup_in_documents_and_answers_stays_text(browser: Browser, make_kb: MakeKb) -> None:
    evil = replace(PRICES, title=f"{ATTACK} title", publisher=ATTACK, text=f"Evil {ATTACK} text.")
    question = f"What is {ATTACK}?"
    said = [(f"It is {ATTACK}.", evil, ATTACK)]
    scenes = Scenes(
        {
            question: answered(question, said, f"What would {ATTACK} be?"),
            "Both?": conflicting("Both?", [*said, ("", evil, f"Evil {ATTACK}")]),
        }
    )
    app = create_app(playing(make_kb(documents=[evil]), scenes))
    with visiting(browser, app) as page:
        turn = ask(page, question)
        for place in (".question", ".understood", ".text", ".source-row cite", "blockquote"):
            expect(turn.locator(place).first).to_contain_text(ATTACK)
        turn.locator(".chip").first.click()
        expect(page.locator("mark")).to_have_text(ATTACK)
        expect(page.locator(".source h2")).to_have_text(f"{ATTACK} title")
        expect(ask(page, "Both?").locator(".side").first).to_contain_text(ATTACK)
        expect(page.locator("#documents li").first).to_contain_text(ATTACK)

        assert page.locator("img[src=x], img[onerror], script:not([src])").count() == 0


def test_text_that_turns_its_direction_does_not_turn_ours(
    browser: Browser, make_kb: MakeKb
) -> None:
    """An override that is never closed ends with the element that it came in."""
    turned = replace(PRICES, title="Prices \u202egpj.exe", publisher="Press \u2067", as_of="2026")
    said = [("عربي \u202eabc.", turned, "Proprietary vendors bill every token.")]
    scenes = Scenes({"ما هو؟": answered("ما هو؟", said)})
    app = create_app(playing(make_kb(documents=[turned]), scenes))
    with visiting(browser, app) as page:
        turn = ask(page, "ما هو؟")

        assert turn.locator(".question").evaluate("(e) => getComputedStyle(e).direction") == "rtl"
        row = turn.locator(".source-row")
        publisher, date = (row.locator(of).bounding_box() or {} for of in ("bdi", "time"))
        assert publisher["x"] + publisher["width"] <= date["x"]
        chip = turn.locator(".chip")
        expect(chip).to_have_text("1")
        assert row.locator("cite").evaluate("(e) => getComputedStyle(e).unicodeBidi") != "normal"


def test_a_page_that_reads_from_the_right_gets_a_widget_that_does(
    browser: Browser, app: FastAPI
) -> None:
    with visiting(browser, app, "/", 320, 640) as page:
        page.evaluate("document.documentElement.dir = 'rtl'")
        turn = ask(page, ANSWERED)

        assert_fits(page)
        bubble, frame = turn.locator(".question").bounding_box(), turn.bounding_box()
        assert bubble
        assert frame
        assert bubble["x"] - frame["x"] < 4  # on the left: the reader's own side
