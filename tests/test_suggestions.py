"""Suggested questions: phrased from the corpus, answered by the passage they come from."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import ClientOf
from corpora import Corpus, Fact, corpora, knowing, publish
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stores import MemoryAnswers

from kb.events import Ask
from kb.fakes_model import ScriptedModel
from kb.phrasing import MOST_WORDS, from_heading, from_passage
from kb.suggestions import OFFERED
from kb.types import Document, Filters, Passage, Unit
from kb.upkeep import Upkeep

GUIDE = Document(
    "guide",
    "Ferries",
    None,
    "guide.md",
    None,
    """# Ferries

## What a Ferry Pass Is

A ferry pass is a ticket that is valid on all lines for one month.

## When to book cabins

Cabins should be booked two weeks before the crossing.

## Questions

May dogs travel on deck? Dogs may travel on deck when they are on a lead.

Really?

## Models compared

| Model | Context Window | Approx. Cost | Best For |
|---|---|---|---|
| Gemma 3 | 128K tokens | $2/hr | Small laptops |
| Falcon 2 | 32K tokens | — | Batch work |
""",
)
SILENT = ScriptedModel([])


def passage(body: str, kind: str = "prose", heading: str = "") -> Passage:
    ends = [
        i + 1 for i, sign in enumerate(body) if sign in ".?" and body[i + 1 : i + 2] in ("", " ")
    ]
    starts = [0, *(end + 1 for end in ends[:-1])]
    units = tuple(Unit(a, b, a, b) for a, b in zip(starts, ends, strict=False))
    whole = (Unit(0, len(body), 0, len(body)),)
    return Passage(
        "d", "r", 0, "row" if kind == "row" else "prose", 0, len(body), heading, body,
        units if kind == "prose" and units else whole,
    )  # fmt: skip


# -- phrasing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("FAQ > Do Ferries Run In Winter?", "Do ferries run in winter?"),
        ("Does the GPU matter?", "Does the GPU matter?"),
        ("What a Ferry Pass Is", "What is a ferry pass?"),
        ("What the pass covers", "What does the pass cover?"),
        ("How trains and ferries differ", "How do trains and ferries differ?"),
        ("When to book cabins", "When should you book cabins?"),
        ("How to Book a Cabin", "How do you book a cabin?"),
        ("Which line to take", "Which line should you take?"),
        ("Advantages of night ferries", "What are the advantages of night ferries?"),
        ("Price of a cabin", "What is the price of a cabin?"),
        ("Night Ferries and Day Ferries Compared", "How do night ferries and day ferries compare?"),
        ("Glossary > Berth", "What does “berth” mean?"),
        ("Glossary > Mixture of Experts (MoE)", "What does “mixture of experts” mean?"),
        ("Conclusion", None),
        ("Which one to choose", None),
        ("Is it any good?", None),
        ("Did you know?", None),
        ("Prices, times and cabins", None),
    ],
)
def test_a_heading_becomes_the_question_that_it_answers(heading: str, question: str | None) -> None:
    assert from_heading(heading) == question


@pytest.mark.parametrize(
    ("row", "questions"),
    [
        (
            "Model: Gemma 3; Context Window: 128K tokens; Approx. Cost: $2/hr; Best For: Laptops",
            ["What is the context window of Gemma 3?", "What does Gemma 3 cost?",
             "What is Gemma 3 best for?"],
        ),
        (
            "Model family: Falcon; Developer: TII; Modalities: Text; Input (per 1M tokens): $2",
            ["Who is the developer of Falcon?", "What are the modalities of Falcon?"],
        ),
        (
            "Feature: Data Privacy; Open Models: yours; Closed Models: theirs",
            ["How do open models and closed models differ in data privacy?"],
        ),
        ("Feature: Cost; Open Model: low; Closed Model: high", []),
        ("Model: GPT-4, GPT-4o, o-series; Provider: OpenAI", []),
        ("Model: Gemma 3; Developer: —; License: Varies", []),
    ],
)  # fmt: skip
def test_a_row_becomes_what_a_person_would_ask_of_it(row: str, questions: list[str]) -> None:
    assert list(from_passage(passage(row, "row"))) == questions


def test_a_question_that_opens_a_paragraph_and_is_answered_in_it_is_one() -> None:
    assert list(from_passage(passage("May dogs travel? They may."))) == ["May dogs travel?"]
    assert list(from_passage(passage("They may. May dogs travel?"))) == []
    assert list(from_passage(passage("Are they allowed? They are."))) == []


@given(st.text(max_size=120))
def test_any_heading_gives_one_short_question_or_none(heading: str) -> None:
    question = from_heading(heading)

    assert question is None or question.endswith("?")
    assert question is None or len(question.split()) <= max(MOST_WORDS, 9)


# -- choosing ------------------------------------------------------------------------------------


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(corpora(), st.integers(1, 8))
def test_every_suggestion_is_found_in_a_passage_that_names_what_it_asks_about(
    corpus: Corpus, count: int
) -> None:
    with knowing(corpus.documents, SILENT) as kb:
        version = kb.catalog.current_version()
        found = kb.suggestions.central(version, count)
        hits = [kb.search(question, count=1).hits[0] for question in found]

    assert len(found) <= count
    assert len(set(found)) == len(found)
    models = {fact.model for fact in corpus.facts}
    for question, hit in zip(found, hits, strict=True):
        (asked_about,) = [model for model in models if model in question]
        assert asked_about in hit.stored.passage.body


def test_the_nearest_come_first_and_no_more_than_three() -> None:
    with knowing([GUIDE], SILENT) as kb:
        version = kb.catalog.current_version()
        found = kb.suggestions.for_question("How many parameters does Gemma 3 have?", version)

    assert 1 <= len(found) <= OFFERED
    assert "Gemma 3" in found[0]


def test_a_refused_question_is_not_suggested_to_whoever_asked_it() -> None:
    with knowing([GUIDE], SILENT) as kb:
        version = kb.catalog.current_version()
        found = kb.suggestions.for_question("what does gemma 3 cost", version)

    assert "What does Gemma 3 cost?" not in found


def test_a_question_back_comes_with_questions_that_could_have_been_meant() -> None:
    with knowing([GUIDE], SILENT) as kb:
        answer = kb.ask(Ask("What does it cost?"))

    assert answer.text.startswith("What do you mean by “it”?")
    assert answer.suggestions[0] == "What does Gemma 3 cost?"


@pytest.mark.parametrize("question", ["", "Who grows tulips on Zanzibar?"])
def test_a_question_about_something_else_gets_what_the_corpus_is_about(question: str) -> None:
    with knowing([GUIDE], SILENT) as kb:
        version = kb.catalog.current_version()
        found = kb.suggestions.for_question(question, version)

        assert found == kb.suggestions.central(version, OFFERED)
    assert found


def test_an_empty_corpus_suggests_nothing() -> None:
    with knowing([], SILENT) as kb:
        version = kb.catalog.current_version()

        assert kb.suggestions.central(version, 6) == ()
        assert kb.suggestions.for_question("What is a ferry?", version) == ()


def test_each_version_has_its_own_suggestions() -> None:
    text = GUIDE.text.replace("Gemma 3", "OLMo 2")
    with knowing([GUIDE], SILENT) as kb:
        before = kb.suggestions.central(1, 20)
        publish(kb, [Document("guide", "Ferries", None, "guide.md", None, text)])
        after = kb.suggestions.central(2, 20)

    assert any("Gemma 3" in question for question in before)
    assert not any("Gemma 3" in question for question in after)


def test_nothing_of_a_deleted_document_is_suggested_for_an_earlier_version_either() -> None:
    fact = Fact("OLMo 2", "$1.00", 8, "May 5, 2025")
    rest = Document("rest", "Rest", None, "rest.md", None, f"# Rest\n\n{fact.sentences[0]}\n")
    with knowing([GUIDE, rest], SILENT) as kb:
        version = kb.catalog.current_version()
        assert kb.suggestions.central(version, 6)
        upkeep = Upkeep(kb.catalog, kb.lookup, kb.store, MemoryAnswers(), kb.turn, 3)
        upkeep.delete("guide")

        assert kb.suggestions.central(version, 6) == ()


def test_filters_hold_for_suggestions_too() -> None:
    with knowing([GUIDE], SILENT) as kb:
        version = kb.catalog.current_version()
        others = Filters(document_ids=("another",))

        assert kb.suggestions.for_question("What does Falcon 2 cost?", version, others) == ()
        assert kb.suggestions.for_question("What does Falcon 2 cost?", version)


# -- over HTTP -----------------------------------------------------------------------------------


def test_the_route_gives_as_many_as_are_asked_for(tmp_path: Path, client_of: ClientOf) -> None:
    url = f"sqlite:///{tmp_path / 'catalog.sqlite3'}"  # one in memory is for one thread only
    with knowing([GUIDE], SILENT, database_url=url) as kb:
        client = client_of(kb)
        body = client.get("/v1/suggestions").json()
        two = client.get("/v1/suggestions", params={"count": 2}).json()["suggestions"]
        refused = client.get("/v1/suggestions", params={"count": 0})

    assert body["corpus_version"] == 1
    assert 2 < len(body["suggestions"]) <= 6
    assert two == body["suggestions"][:2]
    assert refused.status_code == 422
