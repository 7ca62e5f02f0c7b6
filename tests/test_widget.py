"""The widget, in a real browser: asking, reading the sources, going on after a reload."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from browser import ask, in_a_browser, started, visiting
from conftest import MakeKb
from playwright.sync_api import Browser, Page, expect
from scenes import ANSWERED, CONFLICTING, MIT, REFUSED, Scenes, answered, corpus, playing, shipped
from shelf import PRICES, WEIGHTS

from api.app import create_app

pytestmark = in_a_browser

OpenPage = Callable[..., AbstractContextManager[Page]]
TUNING = "Fine-tuning takes 3 GPUs."
QUOTE = "Fine-tuning an open-weights model takes 3 GPUs – not 30 – for a small corpus."
AFTER_EMOJI = "The licence decides whether the tuned model may be sold."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def open_page(browser: Browser, make_kb: MakeKb) -> OpenPage:
    """The page at /, with the widget inline, over scenes; by default the shipped ones."""

    @contextmanager
    def opened(scenes: Scenes | None = None, **how: Any) -> Iterator[Page]:
        documents = corpus()
        kb = make_kb(documents=[WEIGHTS, PRICES] if scenes else list(documents.values()))
        app = create_app(playing(kb, scenes or shipped(documents)))
        with visiting(browser, app, **how) as page:
            yield page

    return opened


def about_tuning(question: str = "What does it take?", standalone: str = "") -> Scenes:
    said = [(TUNING, WEIGHTS, QUOTE), ("Its licence decides.", WEIGHTS, AFTER_EMOJI)]
    return Scenes({question: answered(question, said, standalone)})


def test_an_answer_stands_with_its_citations(open_page: OpenPage) -> None:
    with open_page() as page:
        turn = ask(page, ANSWERED)

        expect(turn.locator(".text")).to_have_text(
            "DeepSeek-R1 is released under the MIT license. 1 It came out on January 20, 2025. 2"
        )
        expect(turn.locator(".source-row")).to_have_count(2)
        expect(turn.locator(".source-row").first).to_contain_text("as of May 2026")


def test_sentences_appear_while_the_answer_is_still_being_written(open_page: OpenPage) -> None:
    documents = corpus()
    with open_page(shipped(documents, pause=0.4)) as page:
        page.get_by_role("textbox", name="Your question").fill(ANSWERED)
        page.get_by_role("button", name="Ask", exact=True).click()

        expect(page.locator(".stage")).to_contain_text("Pointing at what answers")
        expect(page.locator(".found")).to_contain_text("Found in")
        expect(page.locator(".text")).to_contain_text("MIT license")
        assert page.locator(".actions").count() == 0
        expect(page.locator(".actions")).to_be_visible()


@pytest.mark.parametrize("marker", [1, 2])
def test_a_citation_opens_its_source_at_exactly_the_quote(open_page: OpenPage, marker: int) -> None:
    """The second quote stands behind an emoji: one code point, two UTF-16 units."""
    with open_page(about_tuning()) as page:
        ask(page, "What does it take?").locator(".chip").nth(marker - 1).click()

        expect(page.locator("mark")).to_have_text([QUOTE, AFTER_EMOJI][marker - 1])
        expect(page.locator("mark")).to_be_in_viewport()
        expect(page.locator(".check.right")).to_be_visible()
        expect(page.locator(".source .facts")).to_have_text("Example Press · as of 1 May 2026")
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Open the whole document").click()
        expect(opened.value.locator("mark")).to_have_text([QUOTE, AFTER_EMOJI][marker - 1])


def test_a_text_that_differs_from_the_quote_is_told(open_page: OpenPage) -> None:
    with open_page(about_tuning()) as page:

        def falsified(route: Any) -> None:
            stored = route.fetch().json()
            route.fulfill(json={**stored, "text": stored["text"].replace("3 GPUs", "9 GPUs")})

        page.route("**/revisions/**", falsified)
        ask(page, "What does it take?").locator(".chip").first.click()

        expect(page.locator(".check.wrong")).to_have_text("The stored text differs from the quote!")


def test_both_sides_of_a_conflict_stand_side_by_side(open_page: OpenPage) -> None:
    with open_page() as page:
        turn = ask(page, CONFLICTING)

        expect(turn.locator(".label")).to_have_text("The documents disagree")
        sides = turn.locator(".side")
        expect(sides).to_have_count(2)
        expect(sides.nth(0)).to_contain_text(MIT)
        expect(sides.nth(1)).to_contain_text("as of April 2026")
        tops = [(sides.nth(i).bounding_box() or {})["y"] for i in (0, 1)]
        assert tops[0] == tops[1]
        expect(turn.locator(".text")).to_have_count(0)  # the cards say it all


def test_a_refusal_has_its_reason_the_nearest_passages_and_what_can_be_asked(
    open_page: OpenPage,
) -> None:
    with open_page() as page:
        turn = ask(page, REFUSED)

        expect(turn.locator(".label")).to_have_text("Not stated in the documents")
        expect(turn.locator(".source-row")).to_have_count(2)
        expect(turn.locator(".chip")).to_have_count(0)
        expect(turn.locator(".starter").first).to_have_text("Which models does DeepSeek offer?")
        turn.locator(".source-row").first.click()
        expect(page.locator("mark")).to_contain_text("two strong open-weights competitors")


def test_stop_ends_the_question_and_it_can_be_asked_again(open_page: OpenPage) -> None:
    scenes = shipped(corpus(), pause=1.0)
    with open_page(scenes) as page:
        page.get_by_role("textbox", name="Your question").fill(ANSWERED)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Stop").click()

        expect(page.locator(".note")).to_have_text("Stopped.")
        expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
        page.get_by_role("button", name="Retry").click()
        expect(page.locator(".chip").first).to_be_visible()
        expect(page.locator(".turn")).to_have_count(1)


def test_what_was_said_survives_a_reload_and_its_citations_still_open(
    open_page: OpenPage,
) -> None:
    with open_page() as page:
        ask(page, ANSWERED)
        page.reload()

        expect(page.locator(".question")).to_have_text(ANSWERED)
        page.locator(".chip").first.click()
        expect(page.locator("mark")).to_have_text(MIT)


def test_a_cleared_conversation_stays_cleared(open_page: OpenPage) -> None:
    with open_page() as page:
        ask(page, ANSWERED)
        page.get_by_role("button", name="Clear the conversation").click()

        expect(page.locator(".turn")).to_have_count(0)
        page.reload()
        expect(page.locator(".greeting")).to_be_visible()
        assert page.evaluate("sessionStorage.length") == 0


def test_a_follow_up_carries_what_was_said_and_shows_how_it_was_understood(
    open_page: OpenPage,
) -> None:
    scenes = about_tuning()
    understood = "What does fine-tuning with a licence take?"
    scenes.by_question.update(about_tuning("And with a licence?", understood).by_question)
    with open_page(scenes) as page:
        ask(page, "What does it take?")
        turn = ask(page, "And with a licence?")

        expect(turn.locator(".understood")).to_have_text(f"Understood as {understood}")
        said = [message.content for message in scenes.asked[1].history]
        assert said[0] == "What does it take?"
        assert said[1].startswith(TUNING)
        assert scenes.asked[1].conversation_id == "conversation"


def test_a_failure_is_told_in_words(open_page: OpenPage) -> None:
    with open_page() as page:
        problem = {"code": "store_unavailable", "detail": "the catalog failed; try again"}
        page.route("**/v1/ask", lambda route: route.fulfill(status=503, json=problem))
        ask(page, "What now?")
        expect(page.locator(".note")).to_have_text("The catalog failed; try again.")

        page.route("**/v1/ask", lambda route: route.abort())
        page.get_by_role("button", name="Retry").click()
        expect(page.locator(".note")).to_have_text("The server can't be reached.")


def test_a_broken_stream_is_taken_up_where_it_broke(open_page: OpenPage) -> None:
    with open_page() as page:
        asked: list[str | None] = []

        def breaking(route: Any) -> None:
            asked.append(route.request.headers.get("last-event-id"))
            first = b'event: status\nid: a.1\ndata: {"stage": "reading", "milliseconds": 1}\n\n'
            if len(asked) == 1:
                route.fulfill(content_type="text/event-stream", body=first)
            else:
                route.continue_()

        page.route("**/v1/ask", breaking)
        turn = ask(page, ANSWERED)

        expect(turn.locator(".chip")).to_have_count(2)
        assert asked == [None, "a.1"]


def test_a_rating_is_sent_and_a_refused_one_taken_back(open_page: OpenPage) -> None:
    with open_page() as page:
        sent: list[Any] = []

        def stored(route: Any) -> None:
            sent.append(route.request.post_data_json)
            route.fulfill(json={})

        page.route("**/v1/feedback", stored)
        turn = ask(page, ANSWERED)
        turn.get_by_role("button", name="Not helpful").click()
        page.get_by_role("textbox", name="What was wrong?").fill("too short")
        page.keyboard.press("Enter")
        expect(turn.locator(".note")).to_have_text("Thank you.")
        assert [(one["rating"], one.get("comment")) for one in sent] == [
            ("down", None),
            ("down", "too short"),
        ]

        page.route("**/v1/feedback", lambda route: route.abort())
        turn.get_by_role("button", name="Helpful", exact=True).click()
        expect(turn.locator(".note")).to_contain_text("Not stored")
        down = turn.get_by_role("button", name="Not helpful")
        expect(down).to_have_attribute("aria-pressed", "true")


def test_an_answer_is_copied_with_its_sources(open_page: OpenPage) -> None:
    with open_page() as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        ask(page, ANSWERED).get_by_role("button", name="Copy with sources").click()
        expect(page.locator(".icon.done")).to_be_visible()

        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("DeepSeek-R1 is released under the MIT license. [1]")
        assert re.search(rf"^\[1\] Choosing .*, as of May 2026: “{re.escape(MIT)}”$", copied, re.M)


def test_questions_to_start_with_are_ones_that_the_documents_answer(open_page: OpenPage) -> None:
    with open_page() as page:
        expect(page.locator(".welcome .starter").first).to_be_visible()
        shown = page.locator(".welcome .starter").all_inner_texts()
        told = page.evaluate("fetch('/v1/suggestions?count=3').then((got) => got.json())")

        assert 0 < len(shown) <= 3
        assert shown == told["suggestions"]


def test_without_questions_to_start_with_the_widget_still_asks(open_page: OpenPage) -> None:
    with open_page() as page:
        problem = {"code": "store_unavailable", "detail": "the catalog failed; try again"}
        page.route("**/v1/suggestions*", lambda route: route.fulfill(status=503, json=problem))
        with page.expect_response("**/v1/suggestions*"):
            page.reload()

        expect(page.locator(".welcome .starter")).to_have_count(0)
        expect(ask(page, ANSWERED).locator(".chip")).to_have_count(2)


def test_questions_to_start_with_are_fetched_when_they_can_be_seen(open_page: OpenPage) -> None:
    with open_page() as page:
        ask(page, ANSWERED)
        fetched: list[str] = []
        page.on("request", lambda sent: fetched.append(sent.url))
        page.reload()
        expect(page.locator(".question")).to_be_visible()
        assert not [url for url in fetched if "/v1/suggestions" in url]

        page.get_by_role("button", name="Clear the conversation").click()
        expect(page.locator(".welcome .starter").first).to_be_visible()


def test_a_link_may_carry_a_question(open_page: OpenPage) -> None:
    with open_page(about_tuning("What?")) as page:
        page.goto(f"{page.url}#q=What%3F")
        page.reload()

        expect(page.locator(".turn .chip")).to_have_count(2)
