"""Which sentences and rows become evidence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import opened

from kb.evidence import MOST_PIECES, Gathered, gather

TABLE = (
    "| Factor | Left | Right |\n|---|---|---|\n| Control | Much | Little |\n| Speed | Slow | Fast |"
)
LEAD_INS = (
    "These factors decide which side wins:",
    "The following table shows which factors decide the matter and which side wins.",
    "The table below shows which factors decide the matter and which side wins.",
)
QUESTION = "Which factors decide which side wins?"


def found(folder: Path, text: str, question: str = QUESTION, budget: int = 130) -> Gathered:
    (folder / "one.md").write_text(f"# Title\n\n{text}\n")
    with opened() as index:
        index.pipeline().run([folder])
        version = index.catalog.current_version()
        return gather(question, index.retriever.search(question, version), budget)


def statements(gathered: Gathered) -> list[str]:
    return [piece.statement for piece in gathered.evidence]


@pytest.mark.parametrize("lead_in", LEAD_INS)
def test_a_lead_in_brings_what_it_announces(lead_in: str, tmp_path: Path) -> None:
    evidence = statements(found(tmp_path, f"{lead_in}\n\n{TABLE}"))

    at = evidence.index(lead_in)
    assert {one.split(";")[0] for one in evidence[at + 1 : at + 3]} == {
        "Factor: Control",
        "Factor: Speed",
    }


@pytest.mark.parametrize("lead_in", LEAD_INS)
def test_a_lead_in_to_nothing_is_no_evidence(lead_in: str, tmp_path: Path) -> None:
    text = f"## One\n\nOf wins little is known.\n\n## Two\n\n{lead_in}\n\n## Three\n\nThe end."

    evidence = statements(found(tmp_path, text))

    assert "Of wins little is known." in evidence
    assert lead_in not in evidence


def test_a_colon_inside_announces_nothing(tmp_path: Path) -> None:
    sentence = "Two factors decide which side wins: control and speed."

    assert statements(found(tmp_path, sentence)) == [sentence]


def test_a_heading_that_asks_is_no_evidence(tmp_path: Path) -> None:
    text = f"{QUESTION}\n\nControl decides which side wins."

    assert statements(found(tmp_path, text)) == ["Control decides which side wins."]


WORD = st.sampled_from("control speed side wins factors decide left right of the".split())
SENTENCE = st.lists(WORD, min_size=1, max_size=12).map(lambda words: " ".join(words).capitalize())
LINE = st.tuples(SENTENCE, st.sampled_from([".", ":", "?"])).map("".join)


@settings(max_examples=25, deadline=None)
@given(lines=st.lists(LINE, min_size=1, max_size=12), budget=st.integers(1, 60))
def test_evidence_is_within_its_budget_each_piece_once_and_no_question(
    lines: list[str], budget: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gathered = found(tmp_path_factory.mktemp("one"), "\n\n".join(lines), budget=budget)

    words = sum(len(piece.shown.split()) for piece in gathered.evidence)
    places = [(piece.start, piece.end) for piece in gathered.evidence]
    assert len(places) <= MOST_PIECES
    assert len(set(places)) == len(places)
    assert words <= budget or len(places) == 1
    assert not any(piece.statement.endswith("?") for piece in gathered.evidence)
    assert 0 <= gathered.coverage <= 1 + 1e-6
