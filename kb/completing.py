"""What a written answer leaves out: the pieces of evidence that are quoted behind it.

A small model names one of three conditions, or the input price without the output price. What it
wrote is true, so it stays; what it left out is added in the source's own words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import permutations

from kb.cells import Cell, cells
from kb.expected import awaited, bearing, gives
from kb.figures import Figure, figures
from kb.names import names
from kb.types import Evidence

MOST_QUOTES = 2
MOST_WORDS = 80
NEWS = 0.6  # the share of a piece's words that the answer must lack for the piece to be added
MISSED = 0.3  # the same for a piece that a withheld sentence was about

# Asks for one fact: who, when, how much. A reader who has it needs no more. "What is X" and "which
# three" ask for more than one.
_ONE_FACT = re.compile(
    r"^\W*(?:(?:in|on|for|by|from|to|under|at|about|roughly|with)\s+)?(?:\w+ ){0,3}?"
    r"(?:who|when|how (?:much|many|large|long|fast|big|old|far)|"
    r"(?:which|what)(?! (?:two|three|four|five|six|\w+s)\b))\b",
    re.IGNORECASE,
)
_WHEN = re.compile(r"\b(?:when|since|until|date|day|month|year|quarter)\b", re.IGNORECASE)
_EXPLAINED = re.compile(r"^\W*what (?:is|are|does|do)\b", re.IGNORECASE)
_SEVERAL = re.compile(r"\band\b|\bcompare|\bdiffer", re.IGNORECASE)
_WORD = re.compile(r"[\w.$%–-]+")
_COMMON = {"number", "date"}  # kinds of figures of which most sentences have some more


def left_out(
    question: str, answer: str, evidence: Sequence[Evidence], missed: Collection[Evidence] = ()
) -> list[Evidence]:
    """The best pieces that say mostly other things than the answer does, within MOST_WORDS. missed:
    what a sentence rested on that had to be withheld: it stands for itself."""
    added: list[Evidence] = []
    said, words = _words(answer), 0
    for piece in sorted(bearing(question, evidence), key=lambda p: -p.score):
        own = _words(piece.statement)
        length = len(piece.statement.split())
        enough = MISSED if piece in missed else NEWS
        new = len(own - said) >= enough * len(own) or _cut_short(question, answer, piece)
        if not new or words + length > MOST_WORDS:
            continue
        added.append(piece)
        said |= own
        words += length
        if len(added) == MOST_QUOTES:
            break
    return added


def settles(question: str, sentence: str, pieces: Sequence[Evidence]) -> bool:
    """Whether the sentence gives the one fact that was asked for, and all of it."""
    figure = awaited(question)
    one = figure or (_ONE_FACT.match(question) and not _EXPLAINED.match(question))
    if not one or _SEVERAL.search(question) or not gives(sentence, figure):
        return False
    return _brings(question, sentence) and not any(
        _cut_short(question, sentence, p) for p in pieces
    )


def _brings(question: str, sentence: str) -> bool:
    """A figure or a name that the question doesn't have; a date only where one is asked for."""
    asked = question.lower()
    dated = awaited(question) == "date" or _WHEN.search(question)
    told = [f for f in figures(sentence) if dated or f.kind != "date"]
    found = [sentence[f.start : f.end] for f in told]
    found += [sentence[n.start : n.end] for n in names(sentence)]
    return any(text.lower() not in asked for text in found)


def _cut_short(question: str, sentence: str, piece: Evidence) -> bool:
    """The sentence gives one of the piece's prices, and not the other: of a row only the cells
    count that bear on the question."""
    stated = figures(sentence)
    if piece.kind == "row" and piece.shown == piece.statement:
        return _half_told(question, stated, cells(piece.statement)[1:])
    given = figures(piece.shown if piece.kind == "prose" else _values(piece.shown))
    left = [f for f in given if not any(f.stated_by(s) for s in stated)]
    kinds = {f.kind for f in given if f not in left} - _COMMON
    return any(f.kind in kinds for f in left)


def _half_told(question: str, stated: Sequence[Figure], row: Sequence[Cell]) -> bool:
    """Of two columns alike but for a word ("Input per 1M", "Output per 1M") only one is told, and
    the question has the word of neither."""
    told = [_tells(stated, cell) for cell in row]
    for (one, has), (other, lacks) in permutations(zip(row, told, strict=True), 2):
        words, others = _words(one.header), _words(other.header)
        apart = words ^ others
        alike = len(words & others) > 0 and 0 < len(apart) <= 2
        if has and not lacks and alike and figures(other.value) and not apart & _words(question):
            return True
    return False


def _tells(stated: Sequence[Figure], cell: Cell) -> bool:
    return any(f.stated_by(s) for f in figures(cell.value) for s in stated)


def _values(row: str) -> str:
    return "; ".join(cell.value for cell in cells(row)[1:])


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))
