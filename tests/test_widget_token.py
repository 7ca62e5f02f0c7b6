"""No secret in the page: tokens for the widget, short-lived and for one origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from browser import ask, in_a_browser, started, tab
from conftest import ClientOf, MakeKb
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, expect
from scenes import ANSWERED, MIT, corpus, playing, shipped
from serving import serving
from starlette.testclient import TestClient
from test_keys import Clock
from test_widget_elsewhere import someones_page

from api.app import create_app
from api.limits import TOKENS_PER_MINUTE
from api.tokens import LIFETIME_SECONDS, WidgetTokens
from kb.access_errors import OriginNotAllowed, TokenInvalid
from kb.keys import KeyBook, Scope
from kb.wiring import KnowledgeBase

SITE, OTHER = "https://docs.example.com", "https://other.example.com"
SECRET = "a secret that is long enough to sign with, as it should be"
TOKEN = "/v1/widget/token"


def tokens(*origins: str, secret: str = SECRET, clock: Clock | None = None) -> WidgetTokens:
    return WidgetTokens(lambda: secret, origins, clock or Clock())


def test_a_token_is_good_for_ten_minutes_and_for_its_origin() -> None:
    clock = Clock()
    made = tokens(SITE, OTHER, clock=clock)
    token = made.issue(SITE)

    clock.at += LIFETIME_SECONDS - 1
    assert made.origin_of(token) == SITE
    clock.at += 1
    with pytest.raises(TokenInvalid, match="expired"):
        made.origin_of(token)


def test_a_token_ends_with_its_origin_s_being_allowed() -> None:
    token = tokens(SITE).issue(SITE)

    with pytest.raises(TokenInvalid):
        tokens(OTHER).origin_of(token)
    with pytest.raises(OriginNotAllowed, match="KB_ALLOWED_ORIGINS"):
        tokens(OTHER).issue(SITE)


def test_another_server_s_token_is_none() -> None:
    token = tokens(SITE, secret="another secret, also long enough to sign with").issue(SITE)

    with pytest.raises(TokenInvalid):
        tokens(SITE).origin_of(token)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_token_that_was_changed_anywhere_is_none(data: st.DataObject) -> None:
    made = tokens(SITE)
    token = made.issue(SITE)
    # the last character holds bits that belong to no byte
    at = data.draw(st.integers(0, len(token) - 2))
    other = data.draw(st.characters(codec="latin-1").filter(lambda one: one != token[at]))

    with pytest.raises(TokenInvalid):
        made.origin_of(token[:at] + other + token[at + 1 :])


# -- over HTTP -----------------------------------------------------------------------------------


@pytest.fixture
def keyed(kb: KnowledgeBase) -> KnowledgeBase:
    """Asks for keys, and allows the pages of two sites."""
    KeyBook(kb.database).create("operator", {Scope.ADMIN})
    allowed = {"allowed_origins": f"{SITE}, {OTHER}"}
    return replace(kb, settings=kb.settings.model_copy(update=allowed))


@pytest.fixture
def client(keyed: KnowledgeBase, client_of: ClientOf) -> TestClient:
    return client_of(keyed)


def lent(client: TestClient, origin: str = SITE) -> dict[str, str]:
    """The headers that a page of this origin then sends."""
    token = client.post(TOKEN, headers={"Origin": origin}).json()["token"]
    return {"Origin": origin, "Authorization": f"Bearer {token}"}


def test_a_page_asks_and_reads_with_a_token_and_does_nothing_else(client: TestClient) -> None:
    headers = lent(client)

    answer = client.post("/v1/ask", json={"question": "Prices?"}, headers=headers)
    changed = client.post("/v1/ingest", json={}, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == SITE
    assert client.get("/v1/documents", headers=headers).status_code == 200
    assert (changed.status_code, changed.json()["code"]) == (403, "scope_missing")
    assert client.get("/v1/feedback", headers=headers).status_code == 403


@pytest.mark.parametrize("origin", [OTHER, "null", "https://evil.example", None])
def test_a_token_is_refused_from_another_origin(client: TestClient, origin: str | None) -> None:
    headers = lent(client)
    del headers["Origin"]
    if origin:
        headers["Origin"] = origin

    response = client.post("/v1/ask", json={"question": "Prices?"}, headers=headers)

    assert (response.status_code, response.json()["code"]) == (401, "token_invalid")


def test_the_server_s_own_page_needs_no_origin_to_read(
    keyed: KnowledgeBase, client_of: ClientOf
) -> None:
    """Browsers send none with what a page gets from its own server."""
    own = "http://127.0.0.1:8000"
    allowed = keyed.settings.model_copy(update={"allowed_origins": own})
    client = client_of(replace(keyed, settings=allowed))
    headers = lent(client, own)
    del headers["Origin"]

    assert client.get("/v1/documents", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}])
def test_only_allowed_sites_get_a_token(client: TestClient, headers: dict[str, str]) -> None:
    response = client.post(TOKEN, headers=headers)

    assert (response.status_code, response.json()["code"]) == (403, "origin_not_allowed")
    assert "KB_ALLOWED_ORIGINS" in response.json()["detail"]


def test_tokens_are_handed_out_at_a_bounded_rate(client: TestClient) -> None:
    statuses = [
        client.post(TOKEN, headers={"Origin": SITE}).status_code
        for _ in range(TOKENS_PER_MINUTE + 1)
    ]

    assert statuses == [200] * TOKENS_PER_MINUTE + [429]


def test_servers_that_share_a_catalog_take_each_other_s_tokens(
    keyed: KnowledgeBase, client_of: ClientOf
) -> None:
    one, other = client_of(keyed), client_of(keyed)

    assert other.get("/v1/documents", headers=lent(one)).status_code == 200


# -- in a browser --------------------------------------------------------------------------------


@dataclass
class Lending:
    """A page elsewhere, and the server that lends it tokens."""

    page_url: str
    clock: Clock


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def lending(make_kb: MakeKb) -> Iterator[Lending]:
    documents = corpus()
    kb = playing(make_kb(documents=list(documents.values())), shipped(documents))
    book, clock, elsewhere = KeyBook(kb.database), Clock(), FastAPI()
    book.create("operator", {Scope.ADMIN})
    with serving(elsewhere) as page_port:
        origin = f"http://127.0.0.1:{page_port}"
        allowed = kb.settings.model_copy(update={"allowed_origins": origin})
        app = create_app(replace(kb, settings=allowed))
        app.state.access.tokens = WidgetTokens(lambda: book.secret("widget"), [origin], clock)
        with serving(app) as port:
            elsewhere.mount("/", someones_page(f"http://127.0.0.1:{port}", 'mode="inline"'))
            yield Lending(origin, clock)


AT_ONCE = """
async () => {
  const { server } = document.querySelector("weigh-bridge");
  const eight = Array.from({ length: 8 }, (_, n) => server.call(`v1/suggestions?count=${n + 1}`));
  return (await Promise.all(eight)).map((response) => response.status);
}
"""


class TestInABrowser:
    pytestmark = in_a_browser

    def test_the_widget_borrows_a_token_and_renews_it_by_itself(
        self, browser: Browser, lending: Lending
    ) -> None:
        with tab(browser, "about:blank") as page:  # what an earlier load still fetches counts, too
            borrowed: list[str] = []
            page.on("request", lambda asked: borrowed.append(asked.url))
            page.goto(lending.page_url)
            expect(page.locator(".welcome .starter").first).to_be_visible()
            ask(page, ANSWERED).locator(".chip").first.click()
            expect(page.locator("mark")).to_have_text(MIT)
            first = sum(url.endswith(TOKEN) for url in borrowed)
            lending.clock.at += LIFETIME_SECONDS
            page.get_by_role("button", name="Close the source").click()
            expect(ask(page, ANSWERED).locator(".chip").first).to_be_visible()

            assert first == 1
            assert sum(url.endswith(TOKEN) for url in borrowed) == 2

    def test_requests_that_need_a_token_at_one_moment_share_it(
        self, browser: Browser, lending: Lending
    ) -> None:
        with tab(browser, "about:blank") as page:
            borrowed: list[str] = []
            page.on("request", lambda asked: borrowed.append(asked.url))
            page.goto(lending.page_url)
            statuses = page.evaluate(AT_ONCE)
            at_load = sum(url.endswith(TOKEN) for url in borrowed)
            lending.clock.at += LIFETIME_SECONDS
            renewed = page.evaluate(AT_ONCE)

            assert (statuses, renewed) == ([200] * 8, [200] * 8)
            assert at_load == 1
            assert sum(url.endswith(TOKEN) for url in borrowed) == 2
