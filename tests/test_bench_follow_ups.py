"""The follow-ups' evaluation: what is relevant, which half, and figures that compare ways."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import report
from bench.conversations import conversations, half, passages, tasks
from bench.follow_ups import FILE, LAST, RULES, asked_back, figures
from bench.summary import summarise
from kb.types import Message


def task(number: int, kind: str, said: list[str], found: list[str]) -> dict[str, Any]:
    speakers = ("user", "agent")
    return {
        "task_id": f"task-{number}",
        "answerability": [kind],
        "contexts": [{"document_id": name, "text": f"About {name}."} for name in found],
        "input": [{"speaker": speakers[i % 2], "text": text} for i, text in enumerate(said)],
    }


@pytest.fixture
def mtrag(tmp_path: Path) -> Path:
    path = tmp_path / "mtrag.jsonl"
    lines = [
        task(1, "ANSWERABLE", ["What is Falcon?", "A model.", "Who made it?"], ["a", "b"]),
        task(2, "UNDERSPECIFIED", ["How much does it cost?"], []),
        task(3, "PARTIAL", ["Is Qwen open?", "Yes.", "Why?"], ["b", "c"]),
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    gold = {"answer": "TII.", "must_include": [["TII"]], "evidence": ["TII"], "answerable": True}
    lines = [
        {"id": "q1", "type": "factoid", "question": "Who made Falcon?", **gold},
        {"id": "q2", "type": "multiturn", "turns": ["Who made Falcon?", "Why?"],
         "gold": [gold, gold]},
    ]  # fmt: skip
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_every_passage_is_kept_once_and_tasks_name_it(mtrag: Path) -> None:
    known = passages(mtrag)
    first, _, third = tasks(mtrag)

    assert len(known) == len({document.id for document in known.values()}) == 3
    assert first.relevant == {known["a"].id, known["b"].id}
    assert first.relevant & third.relevant == {known["b"].id}


def test_a_task_is_its_last_turn_with_what_was_said_before(mtrag: Path) -> None:
    first, second, _ = tasks(mtrag)

    assert first.question == "Who made it?"
    assert first.history == (Message("user", "What is Falcon?"), Message("assistant", "A model."))
    assert second.history == ()
    assert second.kind == "underspecified"


def test_a_conversations_turn_knows_the_answers_before_it(questions: Path) -> None:
    _, first, second = (turn for turn, _ in conversations(questions))

    assert (first.id, second.id) == ("q2#1", "q2#2")
    assert first.history == ()
    assert second.history[-1] == Message("assistant", "TII.")


def test_a_task_stays_in_its_half() -> None:
    halves = [half(f"task {number}") for number in range(200)]

    assert halves == [half(f"task {number}") for number in range(200)]
    assert 70 < halves.count("held back") < 130


def test_ways_are_compared_question_by_question() -> None:
    found = figures({LAST: [0.0, 1.0, 0.5, 1.0], RULES: [1.0, 0.5, 0.5, 1.0]})

    assert (found[RULES]["better"], found[RULES]["worse"]) == (1, 1)
    assert found[LAST]["recall"]["mean"] == 0.625
    assert found[RULES]["recall"]["mean"] == 0.75
    assert found[RULES]["gain"]["mean"] == 0.125
    assert found[RULES]["gain"]["low"] < 0.125 < found[RULES]["gain"]["high"]
    assert found[LAST]["found"]["hits"] == 3
    assert found[LAST]["recall"]["low"] < 0.625 < found[LAST]["recall"]["high"]
    assert (found[LAST]["better"], found[LAST]["worse"]) == (0, 0)


def test_questions_back_are_counted_by_kind(mtrag: Path, questions: Path) -> None:
    back = asked_back(mtrag, questions)
    kinds = back["kinds"]

    (underspecified,) = (one for kind, one in kinds.items() if "underspecified" in kind)
    assert (underspecified["hits"], underspecified["of"]) == (1, 1)
    assert (kinds["development questions"]["hits"], kinds["development questions"]["of"]) == (0, 3)
    assert back["rules_unsure"]["hits"] == 1  # "Why?"


def test_the_report_tells_them(mtrag: Path, questions: Path, tmp_path: Path) -> None:
    known = {"some": figures({LAST: [0.0, 1.0], RULES: [1.0, 1.0]})}
    found = {"retrieval": known, "asked_back": asked_back(mtrag, questions), "model": "small"}
    (tmp_path / FILE).write_text(json.dumps(found))

    sections = summarise(tmp_path, tmp_path / "none.jsonl")
    lines = report.page({"on": "today", "cores": 2, "processor": "x", "python": "3"}, sections)

    assert sections == {"follow_ups": found}
    assert "## Follow-ups" in lines
    assert any("some (2) | rewritten by rules | 1.000" in line for line in lines)
    assert any("+0.500" in line and "| 1, 0 |" in line for line in lines)
    assert any("development questions | 0.0 %" in line for line in lines)
