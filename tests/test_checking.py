"""What the checker lets through by itself, what it asks the model about, and what it withholds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from quotes import quote, row

from kb.checking import CERTAIN, STATED, Checked, Checker
from kb.errors import DocumentNotFound
from kb.fakes import WordEmbedder
from kb.fakes_model import ScriptedModel
from kb.lookup import Frequencies
from kb.rows import VOCABULARY
from kb.sentences import read
from kb.types import Document, Evidence

NONE_COUNTED = Frequencies(100, np.zeros(VOCABULARY, np.int32))
MAC = quote("A MacBook with an M5 Max chip runs Llama 4 Scout at 20 tokens per second.")
MAC_SAID = "Apple's M5 Max chip runs Llama 4 Scout at 20 tokens per second."
LOOSE = "The M5 Max is able to run Llama 4 Scout, reaching 20 tokens per second on a MacBook."
MAC_ASKED = "How fast does Apple's M5 Max chip run Llama 4 Scout?"
GPT = row("Model: GPT-4o; Input: $5.00; Output: $30.00")


def checker(
    question: str, *evidence: Evidence, model: ScriptedModel | None = None
) -> tuple[Checker, ScriptedModel]:
    asked = model or ScriptedModel(yes=lambda prompt: 0.0)
    made = Checker(
        question, evidence, WordEmbedder(), asked, NONE_COUNTED, _document, lambda: False
    )
    return made, asked


def _document(document_id: str, revision: str) -> Document:
    """Of pieces whose quote is all there is."""
    texts = {piece.source.document_id: piece.quote for piece in (MAC, GPT)}
    if document_id not in texts:
        raise DocumentNotFound(document_id)
    return Document(document_id, document_id, None, f"{document_id}.md", None, texts[document_id])


def checked(
    sentence: str, question: str, *evidence: Evidence, model: ScriptedModel | None = None
) -> Checked:
    return checker(question, *evidence, model=model)[0].check(read(sentence))


def agreeing() -> ScriptedModel:
    return ScriptedModel(yes=lambda prompt: 1.0)


# -- sure ----------------------------------------------------------------------------------------


def test_a_repeated_quote_is_sure_and_the_model_is_not_asked() -> None:
    one, model = checker("How fast is the M5 Max?", MAC)

    verdict = one.check(read(MAC.quote))

    assert (verdict.failure, verdict.sure, verdict.quotable) == (None, True, False)
    assert model.judged == []
    assert verdict.pieces == (MAC,)


def test_what_the_model_only_just_confirms_is_shown_but_not_sure() -> None:
    hesitant = ScriptedModel(yes=lambda prompt: STATED)

    verdict = checked(LOOSE, "How fast is the M5 Max?", MAC, model=hesitant)

    assert (verdict.failure, verdict.sure) == (None, False)


def test_what_the_model_does_not_confirm_is_withheld() -> None:
    verdict = checked(LOOSE, "How fast is the M5 Max?", MAC)

    assert verdict.failure == "meaning"
    assert not verdict.quotable


def test_what_is_in_doubt_is_withheld_where_no_model_can_be_asked() -> None:
    dead = ScriptedModel(not_ready="weights are being fetched")

    assert checked(LOOSE, "How fast is the M5 Max?", MAC, model=dead).failure == "meaning"
    assert checked(MAC.quote, "How fast is the M5 Max?", MAC, model=dead).failure is None


@pytest.mark.parametrize(
    ("sentence", "failure"),
    [
        ("The M5 Max runs Llama 4 Scout at 40 tokens per second.", "figure: 40"),
        ("The M5 Max runs Gemma 3 at 20 tokens per second.", "name: Gemma 3"),
        ("20 tokens.", "fragment"),
    ],
)
def test_no_second_opinion_mends_what_is_certainly_wrong(sentence: str, failure: str) -> None:
    one, model = checker("How fast is the M5 Max?", MAC, model=agreeing())

    verdict = one.check(read(sentence))

    assert verdict.failure is not None
    assert verdict.failure.startswith(failure)
    assert model.judged == []


def test_a_count_of_something_else_is_not_what_was_asked() -> None:
    layers = quote("Llama 4 Scout has 16 experts and is an open model.")

    verdict = checked(layers.quote, "How many languages does Llama 4 Scout have?", layers)

    assert verdict.failure == "unasked"


# -- quotable ------------------------------------------------------------------------------------


def test_a_sentence_withheld_only_for_the_questions_own_name_can_be_quoted() -> None:
    verdict = checked(MAC_SAID, MAC_ASKED, MAC, model=agreeing())

    assert verdict.quotable
    assert verdict.failure == "name: Apple's"
    assert verdict.pieces == (MAC,)


def test_the_same_sentence_is_not_quotable_where_the_question_did_not_bring_the_name() -> None:
    verdict = checked(MAC_SAID, "How fast does an M5 Max chip run it?", MAC, model=agreeing())

    assert not verdict.quotable
    assert verdict.failure == "name: Apple's"


def test_the_questions_own_figure_can_be_quoted_around() -> None:
    asked = "At 7 watts, how fast does the M5 Max chip run Llama 4 Scout?"
    said = "At 7 watts the M5 Max chip runs Llama 4 Scout at 20 tokens per second."

    verdict = checked(said, asked, MAC, model=agreeing())

    assert verdict.quotable
    assert verdict.failure is not None
    assert verdict.failure.startswith("figure: 7")


@pytest.mark.parametrize("other", ["Gemma 3", "GPT-4o", "Llama 3.1", "Claude Opus 4.7"])
def test_another_models_name_is_never_quotable(other: str) -> None:
    """Of another model's quote nothing about this one can be learnt."""
    said = f"A MacBook with an M5 Max chip runs {other}."

    verdict = checked(said, f"Which chip runs {other}?", MAC, model=agreeing())

    assert verdict.failure is not None
    assert not verdict.quotable


def test_a_second_fault_that_the_question_did_not_bring_is_not_quotable() -> None:
    said = "Apple's M5 Max chip runs Llama 4 Scout at 90 tokens per second."

    verdict = checked(said, MAC_ASKED, MAC, model=agreeing())

    assert not verdict.quotable
    assert verdict.failure is not None


def test_quotes_that_do_not_support_the_rest_are_not_offered() -> None:
    verdict = checked(MAC_SAID, MAC_ASKED, MAC, model=ScriptedModel(yes=lambda prompt: 0.0))

    assert not verdict.quotable


def test_a_passed_sentence_is_not_quotable() -> None:
    assert not checked(MAC.quote, MAC_ASKED, MAC, model=agreeing()).quotable


@given(st.text(max_size=120), st.booleans())
def test_support_is_a_share_and_failing_is_neither_sure_nor_silent(text: str, yes: bool) -> None:
    model = ScriptedModel(yes=lambda prompt: float(yes))

    verdict = checked(text or "-", MAC_ASKED, MAC, GPT, model=model)

    assert 0 <= verdict.support <= 1
    assert not (verdict.sure and verdict.failure)
    assert not verdict.quotable or verdict.failure


def test_what_the_rules_doubt_takes_a_model_that_is_nearly_certain() -> None:
    piece = row("Dimension: MMLU; Open-weights models: 80%; Proprietary models: 88%")
    for yes, failure in ((STATED, "column"), (CERTAIN, None)):
        model = ScriptedModel(yes=lambda prompt, yes=yes: yes)
        said = "Open-weights models reach an MMLU of 88%."
        assert checked(said, "What do they reach?", piece, model=model).failure == failure


def test_a_sentence_of_the_questions_own_words_is_withheld() -> None:
    question = "Which chip is credited with starting the whole movement?"
    said = "The chip that is credited with starting the whole movement is the M5 Max."
    one, model = checker(question, MAC, model=agreeing())
    assert one.check(read(said)).failure == "meaning"
    assert model.judged == []


def test_what_holds_at_another_amount_is_no_answer() -> None:
    piece = quote("At 50M tokens a day, the M5 Max costs $750 a day.")
    said, question = "The M5 Max costs $750 a day.", "What does the M5 Max cost at {} tokens a day?"
    for amount, failure in (("5M", "unasked"), ("50M", None)):
        found = checked(said, question.format(amount), piece, model=agreeing())
        assert found.failure == failure


# -- pronouns ------------------------------------------------------------------------------------


SCOUT = quote("Llama 4 Scout fits on one H100.", document="scout")
ITS_SPEED = "It runs at 20 tokens per second."


def test_a_pronoun_means_what_the_sentence_before_rests_on() -> None:
    one, _ = checker(MAC_ASKED, MAC, SCOUT, model=agreeing())
    assert one.check(read(ITS_SPEED), (MAC,)).failure is None
    assert one.check(read(ITS_SPEED), (SCOUT,)).failure == "subject: It"


def test_what_the_question_points_at_is_no_pronoun() -> None:
    said = "These lists change quarterly."
    for question, failure in (
        ("How often do these lists change?", None),
        ("How often do lists change?", "subject: These"),
        ("Are these good?", "subject: These"),
    ):
        one, _ = checker(question, quote("Lists change quarterly."), model=agreeing())
        assert one.check(read(said), ()).failure == failure


def test_a_pronoun_with_nothing_before_it_is_withheld() -> None:
    one, model = checker(MAC_ASKED, MAC, model=agreeing())
    assert one.check(read(ITS_SPEED), ()).failure == "subject: It"
    assert model.judged == []


def test_a_pronoun_is_let_through_where_nobody_knows_what_came_before() -> None:
    one, _ = checker(MAC_ASKED, MAC, model=agreeing())
    assert one.check(read(ITS_SPEED)).failure is None
