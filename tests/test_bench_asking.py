"""A row tells what happened on a question's way, as a reader would have seen it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import MakeKb
from shelf import PRICES, WEIGHTS, first_passage

from bench import answers
from bench.asking import Asking, Metered
from bench.rows import Made, Results
from bench.verifier import Checking, Claim, pieces
from kb.events import Ask
from kb.fakes_model import Prompt, ScriptedModel
from kb.types import Message

QUESTION = "What does the Gemini API cost for a million input tokens?"


def asking(make_kb: MakeKb, model: ScriptedModel) -> Asking:
    meter = Metered(model)
    return Asking(make_kb(meter, (WEIGHTS, PRICES), answer_cache=0), meter)


def test_a_row_holds_what_the_scorer_reads_and_what_it_took(make_kb: MakeKb) -> None:
    row = asking(make_kb, ScriptedModel(first_passage)).row(Ask(QUESTION))

    assert "$2.00" in row["answer"]
    assert row["abstained"] is False
    assert {c["source"] for c in row["citations"]} <= {WEIGHTS.uri, PRICES.uri}
    assert row["sentences"] == row["cited_sentences"] > 0
    assert 0 < row["seconds_to_first_sentence"] <= row["seconds"]
    assert row["tokens_read"] > 0
    assert row["tokens_written"] > 3
    assert row["probability"] > 0.5
    assert (row["unresolved"], row["unsourced_figures"]) == (0, 0)


def test_a_withheld_sentence_is_told_with_the_reason(make_kb: MakeKb) -> None:
    model = ScriptedModel(lambda prompt: "The Gemini API costs $7.00 for a million input tokens.")

    row = asking(make_kb, model).row(Ask(QUESTION))

    assert row["withheld"] == 1
    [(text, failure)] = row["withheld_sentences"]
    assert "$7.00" in text
    assert failure == "copied"
    assert "$7.00" not in row["answer"]


def test_a_refusal_is_an_abstention_with_its_reason(make_kb: MakeKb) -> None:
    row = asking(make_kb, ScriptedModel(first_passage, probability=0.0)).row(Ask(QUESTION))

    assert row["abstained"] is True
    assert row["reason"] == "not_stated"
    assert "seconds_to_first_sentence" not in row


def test_what_one_question_cost_is_not_counted_for_the_next(make_kb: MakeKb) -> None:
    bench = asking(make_kb, ScriptedModel(first_passage))

    first, second = bench.row(Ask(QUESTION)), bench.row(Ask(QUESTION))

    assert first["tokens_written"] == second["tokens_written"]
    assert first["model_calls"] == second["model_calls"]


def test_a_later_turn_is_asked_with_the_answers_that_earlier_ones_got(
    make_kb: MakeKb, tmp_path: Path
) -> None:
    questions = tmp_path / "questions.jsonl"
    item = {"id": "q1", "type": "multiturn", "turns": [QUESTION, "And what can be run offline?"]}
    questions.write_text(json.dumps(item) + "\n")
    results = Results(tmp_path / "answers.jsonl", Made("scripted", "abc", "2026-01-01"))

    rows = list(answers.run(asking(make_kb, ScriptedModel(first_passage)), questions, results))

    assert [row["id"] for row in rows] == ["q1#1", "q1#2"]
    *_, last = answers.turns(questions)
    assert last.history({"q1#1": rows[0]["answer"]}) == (
        Message("user", QUESTION),
        Message("assistant", rows[0]["answer"]),
    )


@pytest.mark.parametrize(
    ("text", "shown", "failure"),
    [
        ("The Gemini API costs $2.00 for a million input tokens.", True, None),
        ("The Gemini API costs $7.00 for a million input tokens.", False, "figure"),
    ],
)
def test_a_claim_is_checked_as_a_written_sentence_is(
    make_kb: MakeKb, text: str, shown: bool, failure: str | None
) -> None:
    meter = Metered(ScriptedModel([""], yes=lambda prompt: 0.25))
    known = pieces(PRICES, lambda words: len(words.split()))
    claim = Claim("c1", text, shown, "written", tuple(known))

    row = Checking(make_kb(meter), meter).row(claim, entailment=True)

    assert row["shown"] is shown
    assert (row["failure"] or "").partition(":")[0] == (failure or "")
    assert row["yes"] == 0.25
    assert row["asked"] is False


def test_the_metered_model_says_what_the_other_one_says() -> None:
    def half(prompt: Prompt) -> float:
        return 0.5

    meter = Metered(ScriptedModel(["one two three"], half))
    prompt = [Message("user", "say it")]

    said = "".join(meter.write(prompt, 100, lambda: False))

    assert (said, meter.pieces, meter.prompts) == ("one two three", 3, ["say it"])
    assert meter.probability_of_yes(prompt, lambda: False) == 0.5
    assert meter.name == "scripted"
