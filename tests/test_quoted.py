"""What is quoted where no sentence of the model's may be shown."""

from __future__ import annotations

from quotes import quote

from kb.events import SentenceWithheld
from kb.writing import QUOTED, to_quote

PIECES = tuple(quote(f"Bicycle {n} costs ${n}00.", document=f"d{n}") for n in range(1, QUOTED + 3))
QUESTION = "What does a bicycle cost?"
LAST = PIECES[-1]


def test_the_best_evidence_is_quoted() -> None:
    assert to_quote(QUESTION, [], PIECES) == list(PIECES[:QUOTED])


def test_what_a_withheld_sentence_took_its_words_from_comes_first() -> None:
    withheld = [SentenceWithheld("It is $500.", "meaning", (LAST,))]
    assert to_quote(QUESTION, withheld, PIECES) == [LAST, *PIECES[: QUOTED - 1]]


def test_what_answers_by_itself_is_quoted_alone() -> None:
    withheld = [
        SentenceWithheld("It is $500.", "meaning", (PIECES[0],)),
        SentenceWithheld("Anna's costs $500.", "name: Anna's", (LAST, LAST), quotable=True),
    ]
    assert to_quote(QUESTION, withheld, PIECES) == [LAST]


def test_what_is_on_another_model_is_not_quoted() -> None:
    other = quote("GPT-4o costs $5.", document="other")
    withheld = [SentenceWithheld("It is $5.", "meaning", (other,))]
    assert to_quote("What does GPT-5 cost?", withheld, [other]) == []
