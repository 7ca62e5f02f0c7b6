"""`kb ingest` and `kb watch` while they go on: what they show, and how Ctrl-C ends them."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from conftest import MakeKb
from rich.console import Console
from serving import serving
from stores import CountingEmbedder, opened_on_disk
from working import until

from api.app import create_app
from cli.commands import run
from cli.ingesting import UNCHANGED, paced
from cli.interrupts import Interrupted, stopping
from cli.progress import LINE_SECONDS, Lines, showing
from cli.remote import Server
from cli.reported import show, wire
from cli.sending import Sending
from ingest.job import Step
from ingest.pace import Pace
from kb.events import Ask
from kb.fakes import WordEmbedder
from kb.ownership import owned
from kb.standing import Affected, AffectedAnswers
from kb.types import Encoding
from kb.wiring import KnowledgeBase

TEXT = "# Alford\n\nThe weighbridge at Alford weighs 40 tonnes.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "folder"
    inside.mkdir()
    for n in range(3):
        (inside / f"{n}.md").write_text(f"{TEXT}\nAnd it has number {n}.\n")
    return inside


def silent(what: str, done: int, total: int, passages: int, seconds_left: float | None) -> None:
    pass


# -- how far -------------------------------------------------------------------------------------


@dataclass
class Clock:
    at: float = 0.0

    def __call__(self) -> float:
        return self.at


def test_the_time_left_is_told_from_the_documents_before() -> None:
    clock = Clock()
    pace = Pace(clock)
    read = pace.step("reading", 40, 40)
    clock.at += 6
    counted = pace.step("passages", 120, 0)
    some = pace.step("embedding", 10, 40)
    clock.at += 4
    later = pace.step("passages", 150, 0)
    clock.at += 100
    late = pace.step("passages", 160, 0)

    assert read == Step("reading", 40, 40)
    assert counted == Step("embedding", 0, 0, 120, None)
    assert some == Step("embedding", 10, 40, 120, 18.0)
    assert later == Step("embedding", 10, 40, 150, 14.0)
    assert late.seconds_left == 0.0


def test_lines_are_few_and_hold_the_first_and_the_last_count() -> None:
    clock, out = Clock(), io.StringIO()
    lines = Lines(Console(file=out, width=200), clock)
    for n in range(1, 101):
        lines("embedding", n, 100, 12 * n, 100.0 - n)
        clock.at += LINE_SECONDS / 20

    said = out.getvalue().splitlines()

    assert said[0] == "embedding 1 of 100 documents, 12 passages, 0:01:39 left"
    assert said[-1] == "embedding 100 of 100 documents, 1,200 passages, 0:00:00 left"
    assert len(said) == 1 + 4 + 1


def test_a_terminal_has_a_bar_with_passages_and_time_left() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    with showing(console) as shows:
        shows("reading", 2, 2, 0, None)
        shows("embedding", 1, 2, 1234, 65.0)

    assert "embedding" in out.getvalue()
    assert "1,234 passages, 0:01:05 left" in out.getvalue()


# -- Ctrl-C --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ctrl_c")
def test_the_first_interrupt_asks_and_the_second_one_ends() -> None:
    with stopping() as stop:
        before = stop.is_set()
        signal.raise_signal(signal.SIGINT)
        until(stop.is_set, bool)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert before is False
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupted_ingest_changes_nothing_and_can_be_repeated(
    folder: Path, tmp_path: Path
) -> None:
    stop = threading.Event()

    def shows(what: str, done: int, total: int, passages: int, left: float | None) -> None:
        if passages:
            stop.set()

    with opened_on_disk(tmp_path) as index:
        embedder = CountingEmbedder()
        with pytest.raises(Interrupted, match=UNCHANGED):
            index.pipeline(embedder=embedder).run([folder], progress=paced(shows, stop, False))
        version = index.catalog.current_version()
        again = index.pipeline(embedder=embedder).run([folder])

    assert version == 0
    assert (again.version, len(again.plan.add)) == (1, 3)


class Slow(WordEmbedder):
    """Says when it is asked, and waits until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = threading.Event(), threading.Event()

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        self.begun.set()
        assert self.go.wait(20)
        return super().embed_passages(texts)


@contextmanager
def served(kb: KnowledgeBase, embedder: WordEmbedder) -> Iterator[str]:
    with serving(create_app(replace(kb, embedder=embedder))) as port:
        yield f"http://127.0.0.1:{port}"


def test_an_interrupt_cancels_the_job_on_the_server(kb: KnowledgeBase, folder: Path) -> None:
    slow, stop = Slow(), threading.Event()
    with served(kb, slow) as url, Server(url, 10.0) as server:
        interrupter = threading.Thread(target=_interrupt, args=(slow, stop))
        interrupter.start()
        with pytest.raises(Interrupted, match="nothing of it became current"):
            Sending(server, silent, stop).send([folder], prune=False, dry_run=False)
        interrupter.join()

    assert kb.catalog.current_version() == 1


def _interrupt(slow: Slow, stop: threading.Event) -> None:
    assert slow.begun.wait(20)
    stop.set()
    time.sleep(0.5)  # so that the cancel is there before the next step
    slow.go.set()


def test_an_interrupt_while_files_are_sent_leaves_no_job(kb: KnowledgeBase, folder: Path) -> None:
    stop = threading.Event()

    def shows(what: str, done: int, total: int, passages: int, left: float | None) -> None:
        assert what == "sending"
        stop.set()

    with served(kb, WordEmbedder()) as url, Server(url, 10.0) as server:
        with pytest.raises(Interrupted):
            Sending(server, shows, stop).send([folder], prune=False, dry_run=False)
        until(lambda: list(kb.settings.uploads.glob("*/")), lambda found: not found)

    assert kb.catalog.current_version() == 1


# -- kb watch ------------------------------------------------------------------------------------


def test_watch_sends_what_changes_to_the_server_until_ctrl_c(
    kb: KnowledgeBase,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KB_HOME", str(kb.settings.home))

    def uris() -> set[str]:
        return {one.source.uri for one in kb.catalog.documents(kb.catalog.current_version())}

    def change() -> None:
        try:
            until(uris, lambda found: "2.md" in found)
            (folder / "new.md").write_text(TEXT)
            until(uris, lambda found: "new.md" in found)
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    with served(kb, WordEmbedder()) as url, owned(kb.settings.index, url):
        changing = threading.Thread(target=change)
        changing.start()
        status = run(["watch", str(folder), "--settle", "0.2"])
        changing.join()

    told = capsys.readouterr()
    assert status == 0
    assert "1 added, 0 replaced, 3 unchanged, 0 removed, 0 failed; corpus version 3" in told.out
    assert "watching" in told.err
    assert told.err.splitlines()[-1] == "stopped"


# -- what changed for readers --------------------------------------------------------------------


def test_answers_that_lost_support_are_shown_also_by_way_of_a_server(
    make_kb: MakeKb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kb = make_kb(documents=())
    alford = tmp_path / "alford.md"
    alford.write_text(TEXT)
    with serving(create_app(kb)) as port:
        url = f"http://127.0.0.1:{port}"
        with Server(url, 20.0) as server:
            sending = Sending(server, silent, threading.Event())
            first = sending.send([alford], prune=False, dry_run=False)
            answer = kb.ask(Ask("How many tonnes does the weighbridge at Alford weigh?"))
            alford.write_text(TEXT.replace("40", "60"))
            second = sending.send([alford], prune=False, dry_run=False)
    show(second, dry_run=False)

    told = capsys.readouterr().out.splitlines()
    assert answer.citations
    assert first.affected.total == 0
    assert second.affected == AffectedAnswers((Affected(answer.id, "changed", ("alford.md",)),), 1)
    assert told[-2:] == [
        "1 stored answers lost support:",
        f"changed answer {answer.id}: alford.md",
    ]
    assert wire(second)["affected_total"] == 1
