"""What a reader is shown of a piece of evidence: its sentence, or its row read out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb.cells import Cell, cells
from kb.types import Evidence

Span = tuple[int, int]
WHOLE_ROW = 30  # words; of a longer row the subject and the cells that were copied are read out


@dataclass(frozen=True, slots=True)
class Statement:
    """text: all of it the source's words, white space and a row's punctuation aside. marked: spans
    of it, the words that answer."""

    text: str
    evidence: Evidence
    marked: tuple[Span, ...] = ()


def statement(evidence: Evidence, spans: Sequence[Span] = ()) -> Statement:
    """spans: of the evidence's `shown`, what was copied; none where the piece is only quoted."""
    row = cells(evidence.shown)
    if evidence.kind == "row" and len(row) > 1 and row[0].header:
        return _row_read_out(evidence, row, spans)
    at = evidence.statement.find(evidence.shown)
    marked = [(at + start, at + end) for start, end in spans] if at >= 0 else []
    return Statement(evidence.statement, evidence, tuple(marked))


def _row_read_out(evidence: Evidence, row: Sequence[Cell], spans: Sequence[Span]) -> Statement:
    """ "GPT-5.4: Input $2.50; Output $15.00": the first cell names what the others are of."""
    subject, *others = row
    copied = [cell for cell in others if any(_overlap(cell, span) for span in spans)]
    whole = not copied or len(evidence.shown.split()) <= WHOLE_ROW
    text, marked = f"{subject.value}:", list[Span]()
    for number, cell in enumerate(others if whole else copied):
        text += "; " if number else " "
        start = len(text)
        text += f"{cell.header} {cell.value}".strip()
        if cell in copied:
            marked.append((start, len(text)))
    return Statement(text, evidence, tuple(marked))


def _overlap(cell: Cell, span: Span) -> bool:
    return cell.start < span[1] and span[0] < cell.end
