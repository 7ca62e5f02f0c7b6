"""What can't be known is asked back, in one short question; what can be answered never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.clarify import Clarification, clarification
from kb.conversation import standalone
from kb.types import Message

TWO = "Compare GPT-4o with Claude Opus 4.7."


def history(*turns: str) -> list[Message]:
    """Questions; what begins with an arrow is the answer to the one before."""
    return [
        Message("assistant", turn.removeprefix("> "))
        if turn.startswith("> ")
        else Message("user", turn)
        for turn in turns
    ]


@pytest.mark.parametrize(
    ("question", "back"),
    [
        ("How much does it cost?", "“it”"),
        ("What is its licence?", "“its”"),
        ("Who made it?", "“it”"),
        ("Can I run it on a laptop?", "“it”"),
        ("Tell me more about it", "“it”"),
        ("Do they train on my data?", "“they”"),
        ("Is this model open source?", "Which model"),
        ("What does the model cost?", "Which model"),
        ("What are the opening hours of this public library?", "Which public library"),
        ("Does this animal have horns?", "Which animal"),
        ("Why?", "in full"),
        ("And the other one?", "in full"),
        ("Which of them is cheaper?", "in full"),
    ],
)
def test_a_first_question_that_points_at_nothing_is_asked_back(question: str, back: str) -> None:
    asked = clarification(question, [])

    assert asked is not None
    assert back in asked.text
    assert asked.text.count("?") == 1


@pytest.mark.parametrize(
    "question",
    [
        "What does GPT-4o cost?",
        "What is RAG and how does it work?",
        "Is it true that Llama is open source?",
        "Is it better to self-host?",
        "How much does it cost to run an LLM?",
        "How long does it take to fine-tune a model?",
        "When companies share data, who owns it?",
        "What is it called when a model makes things up?",
        "Does the model provider see my prompts?",
        "What changed this year?",
        "What do these documents say about licences?",
        "Do these price lists change?",
        "Which is better, open or proprietary?",
        "I have a laptop with 8 GB. Can I run models on it?",
        "How far apart are the two camps?",
        "And Gemini?",
    ],
)
def test_a_first_question_that_says_enough_is_not(question: str) -> None:
    assert clarification(question, []) is None


@pytest.mark.parametrize(
    "answered", [(), ("> GPT-4o costs $5 and Claude Opus 4.7 costs $3.",)], ids=["no", "both"]
)
def test_a_pronoun_that_two_can_be_meant_by_is_asked_back(answered: tuple[str, ...]) -> None:
    asked = clarification("What is its price?", history(TWO, *answered))

    assert asked == Clarification(
        "Do you mean GPT-4o or Claude Opus 4.7?",
        ("What is GPT-4o's price?", "What is Claude Opus 4.7's price?"),
    )


@pytest.mark.parametrize(
    ("before", "question"),
    [
        (["What does GPT-4o cost?"], "Is it open source?"),
        (["Is GPT-4o or Claude Haiku 4.5 cheaper?", "> Claude Haiku 4.5 is."], "Who made it?"),
        (["Is Claude Haiku 4.5 cheaper than GPT-4o?"], "Is it multimodal?"),
        ([TWO, "> GPT-4o is cheaper than Claude Opus 4.7."], "Is it open source?"),
        ([TWO], "Do they support images?"),
        ([TWO], "Is the second one open?"),
        ([TWO], "What is LoRA?"),
        (["Where is the public library?"], "When does this library open?"),
    ],
)  # fmt: skip
def test_what_the_conversation_tells_is_not_asked_back(before: list[str], question: str) -> None:
    assert clarification(question, history(*before)) is None


def test_the_third_of_two_is_asked_back() -> None:
    asked = clarification("Is the third one open?", history(TWO))

    assert asked is not None
    assert asked.text == "Do you mean GPT-4o or Claude Opus 4.7?"


def test_a_thing_that_was_not_spoken_of_is_asked_back_later_too() -> None:
    before = history("What does the city hall offer?", "> Passports and permits.")

    asked = clarification("Which languages does this clinic speak?", before)

    assert asked is not None
    assert asked.text == "Which clinic do you mean?"


def test_courtesies_are_nothing_to_refer_to() -> None:
    before = history("Hi!", "> Hello.", "Thank you!")

    assert clarification("How much does it cost?", before) is not None


@pytest.mark.parametrize(
    ("question", "reply", "meant"),
    [
        ("How much does it cost?", "GPT-4o", "How much does GPT-4o cost?"),
        ("What is its licence?", "I mean Falcon 7B.", "What is Falcon 7B's licence?"),
        ("When does this library open?", "the one in Leeds", "When does the one in Leeds open?"),
        ("How much does it cost?", "What is LoRA?", "What is LoRA?"),
        ("Why?", "GPT-4o", "GPT-4o"),
    ],
)
def test_a_reply_is_put_into_the_question(question: str, reply: str, meant: str) -> None:
    asked = clarification(question, [])
    assert asked is not None

    assert standalone(reply, history(question, f"> {asked.text}")) == meant


def test_a_reply_chooses_between_two() -> None:
    before = history(TWO, "What is its price?", "> Do you mean GPT-4o or Claude Opus 4.7?")

    assert standalone("Claude Opus 4.7", before) == "What is Claude Opus 4.7's price?"
    assert standalone("GPT-4o", before) == "What is GPT-4o's price?"


NAMED = st.sampled_from(["GPT-4o", "Claude Opus 4.7", "Falcon", "Gemini 3.1 Pro", "Mistral 7B"])
ABOUT = st.sampled_from(
    ["What does {} cost?", "Is {} open?", "Who made {}?", "How large is {}?", "Can I fine-tune {}?",
     "What is {}'s licence?", "Does {} cost more than it?", "{}?"]
)  # fmt: skip


@given(NAMED, ABOUT, st.lists(st.tuples(NAMED, ABOUT), max_size=3))
def test_a_question_that_names_its_subject_is_never_asked_back(
    name: str, about: str, before: list[tuple[str, str]]
) -> None:
    said = [Message("user", question.format(other)) for other, question in before]
    question = about.format(name)

    assert " than it" in question or clarification(question, said) is None


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=4))
def test_any_text_is_read(question: str, before: list[str]) -> None:
    asked = clarification(question, [Message("user", said) for said in before])

    assert asked is None or asked.text
