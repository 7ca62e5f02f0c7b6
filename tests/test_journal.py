"""What is stored of conversations: whole, for as long as it was said, and no longer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from answers import BILLS, COSTS, answered, refused
from conftest import MakeKb
from hypothesis import given
from hypothesis import strategies as st
from shelf import PRICES, WEIGHTS, publish, replaying

from kb.errors import AnswerNotFound, ConversationNotFound
from kb.events import Answered, Ask
from kb.feedback import FeedbackBook
from kb.journal import DAY, HISTORY_TURNS, Journal
from kb.journal_rows import BODY
from kb.types import Answer, Conflict, Message, Position
from kb.wiring import KnowledgeBase

RUN = "run them offline."


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def journal_of(kb: KnowledgeBase, clock: Clock) -> Callable[[int], Journal]:
    return lambda days: Journal(kb.database, days, clock)


@pytest.fixture
def journal(journal_of: Callable[[int], Journal]) -> Journal:
    return journal_of(30)


# -- answers come back as they were --------------------------------------------------------------


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
plain = answered("a1", [(COSTS, PRICES), (RUN, WEIGHTS)])


@given(
    st.builds(
        replace,
        st.sampled_from(
            [
                plain,
                refused("a2", BILLS, PRICES),
                replace(
                    plain,
                    outcome="conflicting",
                    conflicts=(Conflict("price", (Position("2", (1,)), Position("3", (2,)))),),
                ),
            ]
        ),
        question=texts,
        standalone_question=texts,
        model=texts,
        corpus_version=st.integers(0, 2**31 - 1),
        withheld=st.integers(0, 9),
        suggestions=st.lists(texts, max_size=3).map(tuple),
        timings_ms=st.dictionaries(texts, st.integers(0, 10**6), max_size=3),
    )
)
def test_every_answer_survives_being_written_down(answer: Answer) -> None:
    assert BODY.validate_json(BODY.dump_json(answer)) == answer


def test_a_stored_answer_is_the_answer_that_was_given(kb: KnowledgeBase) -> None:
    given = kb.ask(Ask("What does the Gemini API cost for a million input tokens?"))

    assert kb.journal.answer(given.id).answer == given


def test_turns_are_numbered_within_their_conversation(journal: Journal) -> None:
    for answer_id, conversation in [("a1", "c1"), ("b1", "c2"), ("a2", "c1"), ("a3", "c1")]:
        journal.record(answered(answer_id, conversation=conversation))

    turns = journal.turns("c1")
    assert [(turn.number, turn.answer.id) for turn in turns] == [(1, "a1"), (2, "a2"), (3, "a3")]


def test_turns_that_are_recorded_at_once_all_arrive(journal: Journal) -> None:
    names = [f"a{n}" for n in range(24)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: journal.record(answered(name)), names))

    assert sorted(turn.answer.id for turn in journal.turns("c1")) == sorted(names)


def test_conversations_are_listed_newest_question_first(journal: Journal, clock: Clock) -> None:
    for answer_id, conversation in [("a1", "old"), ("b1", "other"), ("a2", "old"), ("c1", "new")]:
        journal.record(answered(answer_id, conversation=conversation, question=f"{answer_id}?"))
        clock.now += 60

    page, total = journal.conversations(2)
    rest, _ = journal.conversations(2, offset=2)

    assert total == 3
    assert [(one.id, one.question, one.turns) for one in [*page, *rest]] == [
        ("new", "c1?", 1), ("old", "a1?", 2), ("other", "b1?", 1),
    ]  # fmt: skip
    assert page[1].last_at - page[1].started_at == 120


def test_a_question_that_no_database_can_hold_as_text_is_stored(journal: Journal) -> None:
    journal.record(answered("a1", question="why\0not?"))

    assert journal.answer("a1").answer.question == "why\0not?"
    assert journal.conversations(1)[0][0].question == "why not?"


# -- what goes -----------------------------------------------------------------------------------


def test_a_conversation_expires_after_its_last_question(journal: Journal, clock: Clock) -> None:
    journal.record(answered("a1"))
    clock.now += 20 * DAY
    journal.record(answered("a2"))
    clock.now += 29 * DAY
    assert len(journal.turns("c1")) == 2

    clock.now += DAY + 1

    with pytest.raises(ConversationNotFound):
        journal.turns("c1")
    with pytest.raises(AnswerNotFound):
        journal.answer("a2")
    assert journal.cited_revisions() == set()


def test_with_no_days_nothing_is_stored(journal_of: Callable[[int], Journal]) -> None:
    journal_of(30).record(answered("a1"))
    off = journal_of(0)

    off.record(answered("a2"))

    assert off.conversations(9) == ([], 0)
    assert journal_of(30).conversations(9) == ([], 0)  # what was there before has gone


def test_deleting_a_conversation_leaves_nothing_of_it(
    kb: KnowledgeBase, journal: Journal, clock: Clock
) -> None:
    journal.record(answered("a1"))
    journal.record(refused("a2", BILLS, PRICES))
    journal.record(answered("b1", conversation="c2"))
    feedback = FeedbackBook(kb.database, clock)
    feedback.give("a1", "up", "private words")

    assert journal.delete("c1") == 2

    assert [one.id for one in journal.conversations(9)[0]] == ["c2"]
    assert feedback.given(9) == ([], 0)
    with pytest.raises(ConversationNotFound):
        journal.delete("c1")


def test_a_deleted_conversation_is_in_no_file_any_more(kb: KnowledgeBase) -> None:
    kb.ask(Ask("Is the word zanzibarbecue anywhere?", conversation_id="c9"))
    kb.journal.delete("c9")
    kb.close()

    files = [path for path in kb.settings.index.rglob("*") if path.is_file()]
    assert files
    assert not [path.name for path in files if b"zanzibarbecue" in path.read_bytes()]


def test_a_document_that_is_forgotten_is_quoted_in_no_answer(journal: Journal) -> None:
    journal.record(answered("both", [(COSTS, PRICES), (RUN, WEIGHTS)]))
    journal.record(refused("shown", BILLS, PRICES))
    journal.record(answered("other", [(RUN, WEIGHTS)]))

    assert journal.forget_document(PRICES.id) == 2

    assert [turn.answer.id for turn in journal.turns("c1")] == ["other"]
    assert journal.cited_revisions() == {(WEIGHTS.id, WEIGHTS.revision)}


def test_an_answer_that_quotes_what_was_just_deleted_is_not_stored(
    kb: KnowledgeBase, journal: Journal
) -> None:
    kb.upkeep.delete(PRICES.id)

    journal.record(answered("late", [(COSTS, PRICES)]))
    journal.record(answered("fine", [(RUN, WEIGHTS)]))

    assert [turn.answer.id for turn in journal.turns("c1")] == ["fine"]


def test_what_an_answer_cites_outlives_every_update(kb: KnowledgeBase) -> None:
    given = kb.ask(Ask("What does the Gemini API cost for a million input tokens?"))
    for price in range(3, 3 + 2 * kb.settings.keep_versions):
        publish(kb, [replace(PRICES, text=PRICES.text.replace("$2.00", f"${price}.00"))])
        kb.upkeep.sweep()

    for citation in given.citations:
        text = kb.catalog.document(citation.source.document_id, citation.source.revision).text
        assert text[citation.start : citation.end] == citation.quote


# -- conversations that go on --------------------------------------------------------------------


def test_stored_turns_are_the_history_of_a_conversation(make_kb: MakeKb) -> None:
    kb = make_kb()
    kb.ask(Ask("What does the Gemini API cost?", conversation_id="c1"))

    followed = kb.ask(Ask("And what does it take to run Mistral Small?", conversation_id="c1"))
    pointed = kb.ask(Ask("Is it billed by token?", conversation_id="c1"))

    assert followed.question != pointed.standalone_question
    assert "it" not in pointed.standalone_question.lower().split()


def test_history_holds_the_last_turns_oldest_first(journal: Journal) -> None:
    for n in range(HISTORY_TURNS + 2):
        journal.record(answered(f"a{n}", question=f"{n}?"))

    history = journal.history("c1")

    assert len(history) == 2 * HISTORY_TURNS
    assert history[:2] == (Message("user", "2?"), Message("assistant", "Answer a2. [1]"))
    assert history[-1] == Message("assistant", f"Answer a{HISTORY_TURNS + 1}. [1]")
    assert journal.history("unknown") == ()


class Recorder:
    """Stands in for Answering: remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Ask] = []

    def events(self, ask: Ask, cancelled: Callable[[], bool]) -> object:
        self.asked.append(ask)
        yield Answered(answered(f"a{len(self.asked)}"))


def test_a_history_that_the_client_holds_wins(kb: KnowledgeBase) -> None:
    recorder = Recorder()
    kb = replace(kb, answering=recorder)  # type: ignore[arg-type]  # it has what is called
    held = (Message("user", "What is Falcon?"),)

    for history in ((), (), held):
        kb.ask(Ask("And its licence?", conversation_id="c1", history=history))

    assert [len(ask.history) for ask in recorder.asked] == [0, 2, 1]
    assert recorder.asked[2].history == held


def test_a_catalog_that_cannot_be_written_to_still_answers(
    kb: KnowledgeBase, caplog: pytest.LogCaptureFixture
) -> None:
    twice = replaying(kb, Answered(answered("same", question="a private question?")))
    twice.ask(Ask("?"))

    with caplog.at_level(logging.DEBUG, "weighbridge"):
        again = twice.ask(Ask("?"))  # its id is taken: the catalog refuses it

    assert again.id == "same"
    assert "could not be stored" in caplog.text
    assert "private" not in caplog.text
