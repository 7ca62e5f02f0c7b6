"""`kb ask` and `kb search`: through the server that owns the index, or without one."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from cli.local import answering, searching
from cli.remote import Server, Wire
from cli.screen import note, notes, say, say_json
from cli.shown import answer_lines, hit_lines
from kb.events import Answered, Ask, Status
from kb.ownership import owner_url
from kb.settings import Settings, load_settings

if TYPE_CHECKING:
    from rich.status import Status as Spinner

    from kb.wiring import KnowledgeBase

REFUSED = 3  # exit status
LOOK_AGAIN_SECONDS = 0.1
QUEUE_SECONDS = 60.0  # a server answers one question at a time; ours may wait behind others

Question = Annotated[str, typer.Argument(help="What you want to know, in one string.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the HTTP interface returns.")]


def ask(question: Question, as_json: AsJson = False) -> None:
    """Answer a question from the documents, with sources.

    Exit status: 0, or 3 when the question was refused, or 2 when it can't be asked."""
    settings = load_settings()
    url = owner_url(settings.index)
    answer = _ask_server(settings, url, question) if url else _ask_here(settings, question)
    _show(answer, answer_lines(answer), as_json)
    if answer["outcome"] == "refused":
        raise typer.Exit(REFUSED)


def search(
    question: Question,
    count: Annotated[int, typer.Option("--count", min=1, max=50, help="How many passages.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Rank passages for a question; nothing is generated."""
    settings = load_settings()
    if url := owner_url(settings.index):
        with Server(url, QUEUE_SECONDS, key=settings.key) as server, notes.status(f"asking {url}"):
            found = server.search(question, count)
    else:
        found = _search_here(settings, question, count)
    _show(found, hit_lines(found), as_json)


def _show(result: Wire, lines: Iterable[str], as_json: bool) -> None:
    if as_json:
        say_json(result)
    else:
        for line in lines:
            say(line)
    if result["corpus_version"] == 0:
        note("nothing has been ingested yet: kb ingest PATH")


# -- through the server --------------------------------------------------------------------------


def _ask_server(settings: Settings, url: str, question: str) -> Wire:
    seconds = settings.answer_seconds + QUEUE_SECONDS
    with Server(url, seconds, key=settings.key) as server, notes.status(f"asking {url}"):
        return server.ask(question)


# -- without one ---------------------------------------------------------------------------------


def _ask_here(settings: Settings, question: str) -> Wire:
    from api.schemas import AnswerOut  # pydantic's models: only where they are built

    with notes.status("opening the index") as spinner, answering(settings) as kb:
        kb.answering.pin(question, None)  # a wrong question is told before a model is waited for
        _wait_for_model(kb, spinner)
        for event in kb.events(Ask(question)):
            if isinstance(event, Status):
                spinner.update(event.stage)
            if isinstance(event, Answered):
                return AnswerOut.model_validate(event.answer).model_dump(mode="json")
    raise AssertionError("events() ends with Answered")


def _wait_for_model(kb: KnowledgeBase, spinner: Spinner) -> None:
    while (status := kb.model_status())[0] == "loading":
        spinner.update(status[1])
        time.sleep(LOOK_AGAIN_SECONDS)
    if status[0] == "failed":
        note(f"kb: {status[1]}; answering in verbatim quotes")


def _search_here(settings: Settings, question: str, count: int) -> Wire:
    from api.schemas import HitOut, SearchOut

    with notes.status("opening the index"), searching(settings) as kb:
        version = kb.answering.pin(question, None)
        found = kb.search(question, count=count, version=version or None)
        hits = [HitOut.model_validate(hit) for hit in found.hits]
        out = SearchOut(question=question, corpus_version=version, hits=hits)
        return out.model_dump(mode="json")
