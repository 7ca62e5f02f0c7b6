"""Whatever a model says, no answer breaks its promises: random corpora, adversarial models."""

from __future__ import annotations

from corpora import Corpus, asked, assert_sound, corpora, knowing, questions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lies import Lie, liar, lies

SLOW_TO_MAKE = [HealthCheck.too_slow, HealthCheck.data_too_large]


@st.composite
def told(draw: st.DrawFn) -> tuple[Corpus, str, list[Lie], str]:
    corpus = draw(corpora())
    model = draw(st.sampled_from([fact.model for fact in corpus.facts]))
    question, said = draw(questions(model)), draw(lies(corpus, model))
    return corpus, question, said, draw(st.sampled_from([" ", "\n", "\n\n"]))


@settings(max_examples=50, suppress_health_check=SLOW_TO_MAKE)
@given(told(), st.booleans())
def test_every_answer_is_sound_and_holds_nothing_of_a_lie(
    case: tuple[Corpus, str, list[Lie], str], seconded: bool
) -> None:
    corpus, question, said, joint = case
    with knowing(corpus.documents, liar(said, seconded, joint)) as kb:
        answer, events = asked(kb, question)

        assert_sound(kb, answer, events)
    for lie in said:
        assert not [part for part in lie.forbidden if part in answer.text]
        assert seconded or not [part for part in lie.doubtful if part in answer.text]
