"""Questions while the corpus is replaced again and again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import MakeKb

from ingest.pipeline import Pipeline
from kb.events import Ask
from kb.types import Answer
from kb.wiring import KnowledgeBase

ROUNDS, ASKERS, DOCUMENTS = 20, 2, 6
CITIES = ("Alford", "Banchory")
QUESTION = "How many tonnes does the weighbridge of the town weigh?"


def written(folder: Path, city: str) -> Path:
    """Every document anew: of another city the same ids and no text of the one before."""
    folder.mkdir(exist_ok=True)
    for number in range(DOCUMENTS):
        text = f"# Town {number}\n\nThe weighbridge of the town {city} weighs {number}0 tonnes."
        (folder / f"town{number}.md").write_text(text)
    return folder


def ask_until(kb: KnowledgeBase, done: threading.Event, answers: list[Answer | Exception]) -> None:
    while not done.is_set():
        try:
            answers.append(kb.ask(Ask(QUESTION)))
        except Exception as error:  # noqa: BLE001  # whatever it is, the test must fail by it
            answers.append(error)


def mixed(kb: KnowledgeBase, answer: Answer, held: dict[int, dict[str, str]]) -> bool:
    quoted = [*answer.citations, *answer.nearest]
    pairs = {(one.source.document_id, one.source.revision) for one in quoted}
    return not pairs <= held[answer.corpus_version].items()


@pytest.mark.slow
def test_answers_during_ingests_are_each_of_one_version_and_none_fails(
    make_kb: MakeKb, tmp_path: Path
) -> None:
    kb = make_kb(documents=())
    Pipeline.of(kb).run([written(tmp_path / "towns", CITIES[0])])
    held = {1: kb.catalog.live_revisions(1)}
    done = threading.Event()
    answers: list[list[Answer | Exception]] = [[] for _ in range(ASKERS)]
    askers = [threading.Thread(target=ask_until, args=(kb, done, mine)) for mine in answers]
    for asker in askers:
        asker.start()

    for turn in range(1, ROUNDS + 1):
        report = Pipeline.of(kb).run([written(tmp_path / "towns", CITIES[turn % 2])])
        held[report.version] = kb.catalog.live_revisions(report.version)
    done.set()
    for asker in askers:
        asker.join()

    assert kb.catalog.current_version() == ROUNDS + 1
    given = [one for mine in answers for one in mine]
    assert [one for one in given if isinstance(one, Exception)] == []
    told: Sequence[Answer] = [one for one in given if isinstance(one, Answer)]
    assert len({one.corpus_version for one in told}) > ROUNDS // 2
    assert [one for one in told if mixed(kb, one, held)] == []
    assert sum(bool(one.citations) for one in told) > ROUNDS
