"""What a model may copy, where a copied line stands, and that nothing else is ever shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from corpora import Corpus, asked, assert_sound, corpora, knowing, questions
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from quotes import quote

from kb.answering.copying import MOST_LINES, Copying, grammar, located, pointed
from kb.answering.statements import WHOLE_ROW, statement
from kb.cells import cells
from kb.fakes_model import ScriptedModel
from kb.types import Answer

MANY = [HealthCheck.too_slow, HealthCheck.data_too_large]
SENTENCE = quote("Helmets are free, but locks are not included in the daily rate.")
ROW = quote("Model: Tern 4; Weight: 11.5 kg; Price: $900; Best for: Commuting", kind="row")
HARD = (
    'A "quoted" \\ back\\slash | ::= root [a-z] (x)* {1,3} # no comment',
    "المفتاح عند الحارس طوال الليل ولا يُعار لأحد",
    "Price 🚲 rises 😀 by 3 € – not by 30 – every May.",
    "a\u0301 e\u0301 zero\u200bwidth \u202eright-to-left override\u202c ends",
)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    str.split
)


# -- the grammar, read as llama.cpp reads it -------------------------------------------------------


def accepts(rules: str, text: str) -> bool:
    """Whether the grammar derives the text: literals, choices, groups, `?` and {0,n} are all that
    ours is made of."""
    known = dict(line.split(" ::= ", 1) for line in rules.splitlines() if line.strip())
    return any(end == len(text) for end in _ends(known, known["root"], text, 0))


_PART = re.compile(r'"(?:\\.|[^"\\])*"|\((?:"(?:\\.|[^"\\])*"|[^()"])*\)|\w+')


def _ends(known: dict[str, str], body: str, text: str, at: int) -> Iterator[int]:
    for choice in _choices(body):
        yield from _sequence(known, choice, text, {at})


def _choices(body: str) -> list[str]:
    parts, last = [], 0
    for match in re.finditer(r'"(?:\\.|[^"\\])*"|\([^()]*\)|\|', body):
        if match.group() == "|":
            parts.append(body[last : match.start()])
            last = match.end()
    return [*parts, body[last:]]


def _sequence(known: dict[str, str], body: str, text: str, starts: set[int]) -> set[int]:
    at = 0
    while match := _PART.search(body, at):
        at = match.end()
        least, most = 1, 1
        if body[at : at + 1] == "?":
            least, at = 0, at + 1
        elif counted := re.match(r"\{0,(\d+)\}", body[at:]):
            least, most, at = 0, int(counted[1]), at + counted.end()
        every = set(starts) if least == 0 else set()
        here = set(starts)
        for _ in range(most):
            here = {end for start in here for end in _part(known, match.group(), text, start)}
            every |= here
        starts = every
    return starts


def _part(known: dict[str, str], part: str, text: str, at: int) -> set[int]:
    if part.startswith('"'):
        literal = str(json.loads(part))
        return {at + len(literal)} if text.startswith(literal, at) else set()
    body = part[1:-1] if part.startswith("(") else known[part]
    return set(_ends(known, body, text, at))


@pytest.mark.parametrize("text", HARD)
def test_any_run_of_words_may_be_copied_and_nothing_else(text: str) -> None:
    words = text.split()
    rules = grammar([quote(text)])

    assert accepts(rules, " ".join(words))
    assert accepts(rules, " ".join(words[1:3]))
    assert not accepts(rules, " ".join([*words[:2], "invented"]))
    assert not accepts(rules, " ".join(reversed(words)))


@settings(max_examples=50)
@given(TEXT, st.data())
def test_what_may_be_copied_is_found_again_in_its_piece(text: str, data: st.DataObject) -> None:
    words = text.split()
    start = data.draw(st.integers(0, len(words) - 1))
    line = " ".join(words[start : data.draw(st.integers(start + 1, len(words)))])
    piece = quote(" ".join(words))

    assert accepts(grammar([piece]), line)
    copied = located(line, [piece])
    if copied:  # a run that ends inside of a word's letters, as with combining marks, is none
        [(a, b)] = copied.spans
        assert piece.shown[a:b] == line


def test_of_a_row_its_subject_and_some_of_its_cells_may_be_copied_in_order() -> None:
    rules = grammar([ROW])

    assert accepts(rules, "Model: Tern 4; Price: $900")
    assert accepts(rules, "Model: Tern 4; Weight: 11.5 kg; Best for: Commuting")
    assert not accepts(rules, "Model: Tern 4; Price: $90")
    assert not accepts(rules, "Price: $900")
    assert not accepts(rules, "Model: Tern 4; Price: $900; Weight: 11.5 kg")


def test_a_few_lines_may_be_copied_and_no_more() -> None:
    rules = grammar([SENTENCE, ROW])
    line = "Helmets are free,"

    assert accepts(rules, f"{line}\nModel: Tern 4; Price: $900")
    assert accepts(rules, "\n".join([line] * MOST_LINES))
    assert not accepts(rules, "\n".join([line] * (MOST_LINES + 1)))


def test_a_thousand_rows_make_about_as_many_rules_as_cells() -> None:
    rows = [quote(f"Model: M{n}; Price: ${n}; Weight: {n} kg", kind="row") for n in range(1_000)]

    assert len(grammar(rows).splitlines()) < 6 * len(rows)


# -- where a copied line stands --------------------------------------------------------------------


def test_a_copied_run_is_marked_in_its_sentence() -> None:
    copied = located("locks are not included", [ROW, SENTENCE])

    assert copied
    shown = statement(copied.evidence, copied.spans)
    assert shown.text == SENTENCE.statement
    assert [shown.text[a:b] for a, b in shown.marked] == ["locks are not included"]


def test_a_row_is_read_out_as_subject_header_and_value() -> None:
    copied = located("Model: Tern 4; Price: $900", [SENTENCE, ROW])

    assert copied
    shown = statement(copied.evidence, copied.spans)
    assert shown.text == "Tern 4: Weight 11.5 kg; Price $900; Best for Commuting"
    assert [shown.text[a:b] for a, b in shown.marked] == ["Price $900"]


def test_of_a_wide_row_only_what_was_copied_is_read_out() -> None:
    others = "; ".join(f"Column {n}: value {n} of it" for n in range(WHOLE_ROW))
    wide = quote(f"Model: Tern 4; {others}; Price: $900", kind="row")
    copied = located("Model: Tern 4; Price: $900", [wide])

    assert copied
    assert statement(copied.evidence, copied.spans).text == "Tern 4: Price $900"


@pytest.mark.parametrize("line", ["", "Locks are free.", "Model: Tern 5; Price: $900", "free, and"])
def test_what_stands_nowhere_is_not_located(line: str) -> None:
    assert located(line, [SENTENCE, ROW]) is None


def test_a_beginning_points_once_it_stands_in_one_piece_alone() -> None:
    other = quote("Helmets are free, and locks are lent.")

    assert pointed("Helmets are free,", [SENTENCE, other]) is None
    copied = pointed("Helmets are free, but", [SENTENCE, other])
    assert copied
    assert copied.evidence is SENTENCE


def test_what_no_source_holds_is_counted_and_left_out() -> None:
    copying = Copying(ScriptedModel(["Locks cost $7.\nHelmets are free,"]), "?", [SENTENCE])

    pieces = list(copying.pieces(lambda: False))

    assert [one.evidence for one in pieces] == [SENTENCE]
    assert copying.strays == ["Locks cost $7."]


# -- whole answers, of models that no grammar holds ------------------------------------------------


@st.composite
def floods(draw: st.DrawFn, corpus: Corpus) -> str:
    """Words of the corpus and others in any order, on any number of lines."""
    words = [word for fact in corpus.facts for said in fact.sentences for word in said.split()]
    made = st.sampled_from([*words, "not", "$9.99", "Zorblax", "\n", "[1]", '"', "|", "😀"])
    return " ".join(draw(st.lists(made, max_size=300)))


@settings(max_examples=40, suppress_health_check=MANY)
@given(corpora(), st.data())
def test_every_shown_word_stands_in_its_cited_span(corpus: Corpus, data: st.DataObject) -> None:
    question = data.draw(questions(corpus.facts[0].model))
    model = ScriptedModel([data.draw(floods(corpus))], probability=data.draw(st.floats(0, 1)))

    with knowing(corpus.documents, model) as kb:
        answer, events = asked(kb, question)
        assert_sound(kb, answer, events)

    if answer.outcome != "conflicting":
        assert_words_are_quoted(answer)
    for start, end in answer.marked:
        assert answer.text[start:end].strip()


def assert_words_are_quoted(answer: Answer) -> None:
    for start, end in {(c.answer_start, c.answer_end) for c in answer.citations}:
        quotes = " ".join(
            c.quote for c in answer.citations if (c.answer_start, c.answer_end) == (start, end)
        )
        known = set(re.findall(r"\w+", quotes))
        assert set(re.findall(r"\w+", answer.text[start:end])) <= known


def test_cells_of_a_row_without_a_subject_header_are_copied_as_words() -> None:
    piece = quote("Tern 4 costs $900 a year", kind="row")

    assert len(cells(piece.shown)) == 1
    assert accepts(grammar([piece]), "costs $900")
