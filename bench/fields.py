"""Document sets of other fields, with questions written by people who did not see the code.

Those of SEEN were looked at while the product was tuned; the others were asked once, at the end,
and read by nobody who tunes before that.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench import answers
from bench.asking import Asking, Metered
from bench.index import indexed
from bench.rows import Results, Row
from kb.settings import Settings

FOLDER = Path(__file__).parent / "data" / "fields"
SEEN = ("harbour", "orchard")


def names() -> list[str]:
    return sorted(path.name for path in FOLDER.iterdir() if (path / "questions.jsonl").is_file())


def questions(name: str) -> Path:
    return FOLDER / name / "questions.jsonl"


def file(name: str) -> str:
    """Where its rows go."""
    return f"field-{name}.jsonl"


def run(settings: Settings, name: str, model: Metered, results: Results) -> Iterator[Row]:
    """A row a question, over an index of that field's documents alone."""
    with indexed(settings, [FOLDER / name / "documents"], model) as kb:
        yield from answers.run(Asking(kb, model), questions(name), results)
