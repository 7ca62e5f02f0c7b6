"""Rows survive a run that is broken off, and say which code and model made them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rows import Made, Results, Row, fingerprint, read

MADE = Made("small", "abc", "2026-01-01")
ITEMS = [(name, name) for name in "abcd"]


def results(tmp_path: Path, made: Made = MADE, most: int | None = None) -> Results:
    return Results(tmp_path / "rows" / "answers.jsonl", made, most)


class Working:
    """Work that remembers what it did, and fails at one item."""

    def __init__(self, fails_at: str | None = None) -> None:
        self.done: list[str] = []
        self._fails_at = fails_at

    def __call__(self, item: str) -> Row:
        if item == self._fails_at:
            raise KeyboardInterrupt
        self.done.append(item)
        return {"answer": item * 2}


def test_a_run_that_was_broken_off_goes_on_where_it_stopped(tmp_path: Path) -> None:
    first, second = Working(fails_at="c"), Working()

    with pytest.raises(KeyboardInterrupt):
        list(results(tmp_path).of(ITEMS, first))
    rows = list(results(tmp_path).of(ITEMS, second))

    assert first.done == ["a", "b"]
    assert second.done == ["c", "d"]
    assert [row["answer"] for row in rows] == ["aa", "bb", "cc", "dd"]
    assert read(results(tmp_path).path) == rows


def test_a_half_written_line_is_made_again(tmp_path: Path) -> None:
    file, again = results(tmp_path), Working()
    list(file.of(ITEMS, Working()))
    text = file.path.read_text()
    file.path.write_text(text[: len(text) - 10])

    list(file.of(ITEMS, again))

    assert again.done == ["d"]
    assert [row["id"] for row in read(file.path)] == list("abcd")


@pytest.mark.parametrize("other", [replace(MADE, model="large"), replace(MADE, code="def")])
def test_rows_of_another_model_or_other_code_are_made_again(tmp_path: Path, other: Made) -> None:
    again = Working()
    list(results(tmp_path).of(ITEMS, Working()))

    list(results(tmp_path, other, most=2).of(ITEMS, again))

    assert again.done == ["a", "b"]
    found = {row["id"]: (row["model"], row["code"]) for row in read(results(tmp_path).path)}
    assert found["a"] == (other.model, other.code)
    assert found["d"] == (MADE.model, MADE.code)


def test_rows_of_other_code_are_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    again = Working()
    list(results(tmp_path).of(ITEMS, Working()))

    list(results(tmp_path, replace(MADE, code="def", keep=True)).of(ITEMS, again))

    assert again.done == []


@given(st.lists(st.text(max_size=20), max_size=5))
def test_rows_come_back_as_they_were_whatever_their_text(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    file = Results(tmp_path_factory.mktemp("rows") / "rows.jsonl", MADE)
    items = [(str(number), text) for number, text in enumerate(texts)]

    list(file.of(items, lambda text: {"text": text}))

    assert [row["text"] for row in read(file.path)] == texts


def test_the_codes_fingerprint_is_the_same_every_time() -> None:
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 12
