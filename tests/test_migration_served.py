"""The switch to another index by a server that goes on answering."""

from __future__ import annotations

import threading

import pytest
from conftest import ClientOf, MakeKb
from remade import HALVES, halves
from serving import serving
from shelf import PRICES
from working import until

from api.app import create_app
from cli.remote import Server
from cli.sending import SERVER_SECONDS, Sending
from ingest.migration import Migration
from kb.errors import IndexMismatch
from kb.events import Ask
from kb.fakes import WordEmbedder
from kb.standing import standings
from kb.types import Answer
from kb.wiring import KnowledgeBase

LOCAL = {"Host": "127.0.0.1:8000"}
QUESTION = "What does the Gemini API cost for a million input tokens?"


class OtherEmbedder(WordEmbedder):
    name = "other-hash"


def build(kb: KnowledgeBase, embedder: WordEmbedder | None = None) -> None:
    Migration(kb.database, embedder or WordEmbedder(), HALVES, halves).build()


def silent(what: str, done: int, total: int, passages: int, seconds_left: float | None) -> None:
    pass


def switched(kb: KnowledgeBase) -> int:
    """The corpus version that the server's job reports."""
    with (
        serving(create_app(kb)) as port,
        Server(f"http://127.0.0.1:{port}", SERVER_SECONDS) as server,
    ):
        return Sending(server, silent, threading.Event()).waited(server.migrate()).version


def test_job_switches_and_no_asker_notices(make_kb: MakeKb) -> None:
    kb = make_kb()
    done = threading.Event()
    given: list[Answer | Exception] = []

    def ask() -> None:
        while not done.is_set():
            try:
                given.append(kb.ask(Ask(QUESTION)))
            except Exception as error:  # noqa: BLE001  # whatever it is, the test must fail by it
                given.append(error)

    asker = threading.Thread(target=ask)
    asker.start()
    until(lambda: len(given), lambda count: count > 2)
    build(kb)
    version = switched(kb)
    until(lambda: given[-1], lambda one: getattr(one, "corpus_version", version) == version)
    done.set()
    asker.join()

    answers = [one for one in given if isinstance(one, Answer)]
    assert len(answers) == len(given)
    assert {one.corpus_version for one in answers} == {1, 2}
    assert all(one.citations for one in answers)
    for one in answers:
        for cited in one.citations:
            stored = kb.catalog.document(cited.source.document_id, cited.source.revision)
            assert stored.text[cited.start : cited.end] == cited.quote
    assert [one.number for one in kb.catalog.versions()] == [2]


def test_job_without_anything_to_switch_to_changes_nothing(make_kb: MakeKb) -> None:
    assert switched(make_kb()) == 1


def test_switch_to_what_the_server_cannot_ask_fails_with_what_to_do(make_kb: MakeKb) -> None:
    kb = make_kb()
    build(kb, OtherEmbedder())

    with pytest.raises(IndexMismatch, match="stop the server"):
        switched(kb)

    assert kb.catalog.current_version() == 1


def test_server_that_splits_otherwise_takes_no_more_documents(
    make_kb: MakeKb, client_of: ClientOf
) -> None:
    kb = make_kb()
    build(kb)
    kb.switching().switch()

    response = client_of(kb).put(
        "/v1/documents/a.md", json={"content": "# A\n\nNew.", "uri": "a.md"}, headers=LOCAL
    )

    assert (response.status_code, response.json()["code"]) == (503, "index_mismatch")
    assert "kb migrate" in response.json()["detail"]
    assert kb.ask(Ask(QUESTION)).citations


def test_stored_answers_of_before_the_switch_stand_as_they_did(make_kb: MakeKb) -> None:
    kb = make_kb()
    before = kb.ask(Ask(QUESTION))
    build(kb)

    kb.switching().switch()

    cited = before.citations[0].source
    assert kb.catalog.document(cited.document_id, cited.revision).text == PRICES.text
    found = standings(kb.database, before, kb.catalog.current_version())
    assert {one.state for one in found} == {"current"}
