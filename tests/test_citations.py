"""Sentences are bound to the fewest quotes that state them, and both spans are exact."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from quotes import leaning, quote, row, units

from kb.citations import MOST_QUOTES, Bound, Composer, bind
from kb.subjects import loose_figures, source_figures
from kb.types import Citation, Evidence
from kb.verify import Needs, joined

GPT = row("Model: GPT-4o; Input: $5.00; Output: $30.00", start=60)
OPUS = row("Model: Claude Opus 4.7; Input: $5.00; Output: $25.00", start=120)
HEADER = quote("| Model | Input (per 1M tokens) | Output (per 1M tokens) |")
OTHER = quote("Open weights can be downloaded.", document="other")

CORPUS_PIECES = st.lists(st.sampled_from(units()), min_size=1, max_size=6, unique=True)
WORDS = (
    "GPT-4o costs $5 per 1M tokens, 17B of 109B and 64.3% in April 2026 [9] . Llama 4 Scout".split()
)
SENTENCES = st.one_of(
    st.sampled_from([piece.statement for piece in units()]),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join),
    st.text(min_size=1, max_size=40).filter(str.strip),
)


def bound(
    sentence: str,
    *evidence: Evidence,
    markers: Sequence[int] = (),
    similarities: Sequence[float] | None = None,
    above: Sequence[Evidence] = (),
) -> Bound:
    likeness = similarities or [0.9 - 0.1 * i for i in range(len(evidence))]
    return bind(sentence, markers, evidence, likeness, lambda piece: above)


def test_one_quote_is_enough_where_it_states_everything() -> None:
    found = bound("GPT-4o costs $5 for input.", OTHER, OPUS, GPT)

    assert found.pieces == (GPT,)
    assert found.unmet.met


def test_what_a_quote_leans_on_is_cited_only_where_it_is_needed() -> None:
    assert bound("GPT-4o costs $5.", GPT, above=[HEADER]).pieces == (GPT,)
    assert bound("GPT-4o costs $5 per 1M tokens.", GPT, above=[HEADER]).pieces == (GPT, HEADER)


def test_a_comparison_is_bound_to_both_rows() -> None:
    found = bound("Claude Opus 4.7 costs $25 for output, GPT-4o $30.", OTHER, GPT, OPUS)

    assert set(found.pieces) == {GPT, OPUS}
    assert found.unmet.met


def test_a_sibling_does_not_stand_in_for_a_model() -> None:
    mini = row("Model: GPT-4o mini; Input: $5.00")

    assert not bound("GPT-4o costs $5.", mini).unmet.met
    assert bound("GPT-4o costs $5.", mini, GPT).pieces == (GPT,)


def test_what_no_quote_states_is_left_unmet() -> None:
    found = bound("GPT-4o costs $7 and Zephyr-9 costs $5.", GPT, OPUS)

    assert [figure.value for figure in found.unmet.figures] == [7]
    assert [name.family for name in found.unmet.names] == ["zephyr"]


def test_nothing_is_read_across_two_quotes() -> None:
    halves = quote("The cap is 5"), quote("million users like it", document="other")

    assert not bound("The cap is 5 million users.", *halves).unmet.met


def test_a_marker_is_advice_and_no_more() -> None:
    twin = quote("Open weights may be downloaded.", document="twin")
    sentence = "Open weights can be downloaded."

    assert bound(sentence, OTHER, twin, markers=[2], similarities=[0.8, 0.8]).pieces == (twin,)
    assert bound(sentence, OTHER, twin, markers=[9], similarities=[0.8, 0.8]).pieces == (OTHER,)
    assert bound("GPT-4o costs $5.", OTHER, GPT, markers=[1]).pieces == (GPT,)


@settings(max_examples=200, deadline=None)
@given(SENTENCES, CORPUS_PIECES, st.lists(st.integers(-1, 12), max_size=3), st.data())
def test_quotes_state_the_figures_and_none_could_be_left_out(
    sentence: str, evidence: list[Evidence], markers: list[int], data: st.DataObject
) -> None:
    likeness = data.draw(st.lists(st.floats(0, 1), min_size=len(evidence), max_size=len(evidence)))
    found = bind(sentence, markers, evidence, likeness, leaning)
    quotes = [piece.quote for piece in found.pieces]

    assert found.sentence == sentence
    assert 1 <= len(quotes) <= MOST_QUOTES
    assert found.pieces[0] in evidence
    if found.unmet.met:
        known = [figure for quote in quotes for figure in source_figures(quote)]
        assert all(any(f.stated_by(k) for k in known) for f in loose_figures(sentence))
    for piece in found.pieces[1:]:
        rest = [other for other in found.pieces if other is not piece]
        assert len(Needs.of(sentence).unmet(joined(rest))) > len(found.unmet)


def test_the_similarity_is_that_of_the_piece_it_rests_on() -> None:
    assert bound("GPT-4o costs $5.", OTHER, GPT, similarities=[0.4, 0.7]).similarity == 0.7
    assert bound("GPT-4o costs $5.", OTHER, GPT, similarities=[0.7, 0.4]).similarity == 0.4


def test_a_figure_alone_does_not_outweigh_what_is_much_more_alike() -> None:
    price = quote("It costs $5.", document="price")
    found = bound("Open weights cost $5 and $7.", OTHER, price, similarities=[0.9, 0.1])

    assert found.pieces == (OTHER, price)


def leaning_on(**above: Evidence) -> Callable[[Evidence], Sequence[Evidence]]:
    """By the pieces' documents."""
    return lambda piece: [above[piece.source.document_id]] if _named(piece, above) else []


def _named(piece: Evidence, above: Mapping[str, Evidence]) -> bool:
    return piece.source.document_id in above


def test_what_a_further_piece_leans_on_is_looked_at_and_goes_no_further() -> None:
    first = quote("It costs $5.", document="first")
    further = quote("Another costs $7.", document="further")
    header = quote("All prices of 2024 and 300 users.", document="header")
    title = quote("For 999 pages.", document="title")
    leaning = leaning_on(further=header, header=title)

    def bind_to(sentence: str) -> Bound:
        return bind(sentence, (), [first, further], [0.9, 0.5], leaning)

    assert bind_to("It costs $5, another $7.").pieces == (first, further)
    assert bind_to("It costs $5, another $7, for 300 users.").pieces == (first, further, header)
    assert bind_to("It costs $5, another $7, for 300 users.").unmet.met
    assert not bind_to("It costs $5, another $7, for 300 users on 999 pages.").unmet.met


def test_the_rest_of_the_evidence_is_still_looked_at_after_what_a_piece_leans_on() -> None:
    pieces = [quote(f"It costs ${n}.", document=f"d{n}") for n in (5, 7, 9)]
    found = bind("It costs $5, $7 or $9.", (), pieces, [0.9, 0.5, 0.4], leaning_on(d7=HEADER))

    assert found.pieces == tuple(pieces)


def test_pieces_that_add_nothing_take_no_room() -> None:
    idle = [quote(f"Nothing of note, {word}.", document=word) for word in "abcdefgh"]
    needed = quote("It costs $7.", document="needed")
    likeness = [0.9] * len(idle) + [0.1]

    found = bound("It costs $7.", *idle, needed, similarities=likeness)

    assert needed in found.pieces
    assert found.unmet.met


def test_a_sentence_is_bound_to_no_more_quotes_than_a_reader_can_check() -> None:
    prices = [quote(f"It costs ${n}.", document=f"d{n}") for n in range(11, 19)]
    said = " or ".join(f"${n}" for n in range(11, 19))

    found = bound(f"It costs {said}.", *prices)

    assert len(found.pieces) == MOST_QUOTES
    assert len(found.unmet.figures) == 8 - MOST_QUOTES


# -- putting sentences together ------------------------------------------------------------------


def test_a_place_keeps_its_marker() -> None:
    composer = Composer()
    composer.add("First.", [GPT], 0.9)
    composer.add("Second.", [OPUS, GPT], 0.8)

    assert composer.text == "First. [1] Second. [2][1]"
    assert [citation.marker for citation in composer.citations] == [1, 2, 1]


def test_a_place_is_cited_once_a_sentence() -> None:
    composer = Composer()
    added = composer.add("Twice.", [GPT, GPT], 0.9)

    assert len(added) == 1
    assert composer.text == "Twice. [1]"


def test_a_citation_says_under_which_heading_and_how_well_it_supports() -> None:
    piece = replace(GPT, heading="Prices > Input")

    (citation,) = Composer().add("It costs $5.", [piece], 0.98765)

    assert citation.heading == "Prices > Input"
    assert citation.support == 0.988


def test_an_empty_composer_has_no_text() -> None:
    assert (Composer().text, Composer().citations) == ("", ())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(SENTENCES, st.lists(st.sampled_from(units()), min_size=1, max_size=4)),
        min_size=1,
        max_size=5,
    )
)
def test_both_spans_are_exact_and_markers_number_distinct_places(
    written: list[tuple[str, list[Evidence]]],
) -> None:
    composer = Composer()
    added: list[tuple[str, list[Citation]]] = [
        (sentence, composer.add(sentence, pieces, 0.5)) for sentence, pieces in written
    ]

    for sentence, citations in added:
        assert citations
        assert all(composer.text[c.answer_start : c.answer_end] == sentence for c in citations)
    places = {(c.source.revision, c.start, c.end): c.marker for c in composer.citations}
    assert sorted(set(places.values())) == list(range(1, len(places) + 1))
    assert [c for _, citations in added for c in citations] == list(composer.citations)
    assert all(c.quote == piece_text(c) for c in composer.citations)


def piece_text(citation: Citation) -> str:
    return next(
        piece.quote
        for piece in units()
        if (piece.source.revision, piece.start, piece.end)
        == (citation.source.revision, citation.start, citation.end)
    )
