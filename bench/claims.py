"""Claims whose truth is known, made by rule from sentences that answer held questions.

The rules know nothing of how claims are checked: figures, names and negations are found with plain
patterns, not with the product's.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench.squad import Reading
from bench.verifier import Claim
from kb.types import Evidence

AROUND = 2  # sentences before and after the gold one that the checks may bind to instead
TRUE_KINDS = ("as it stands", "without an aside")
FALSE_KINDS = ("other figure", "other subject", "negated")
KINDS = (*TRUE_KINDS, *FALSE_KINDS)

_FIGURE = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,-])\d+(?:\.\d+)?(?![\w-])")
_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][a-z]{2,})(?: [A-Z][a-z]{2,})*(?! [A-Z])\b")
_ASIDE = re.compile(r" \([^()]*\)|, (?:which|who|where) [^,.;]*(?=[,.])")
_VERB = re.compile(r"\b(?:is|are|was|were|can|could|will|would|has|have|had|must|should)\b")
_NOT = re.compile(r"\b(?:not|never|no longer)\b ?")


@dataclass(frozen=True, slots=True)
class Gold:
    """A sentence that states a gold answer, and the pieces around it."""

    id: str
    sentence: str
    around: tuple[Evidence, ...]


def golds(readings: Sequence[Reading], known: Mapping[str, Sequence[Evidence]]) -> list[Gold]:
    """Of each answerable reading the sentence of its paragraph that holds the answer, once.
    known: each article's pieces, in order."""
    found: dict[str, Gold] = {}
    for reading in readings:
        article = known[reading.article]
        for at, piece in enumerate(article):
            sentence = piece.statement
            if (
                piece.kind == "prose"
                and sentence in " ".join(reading.paragraph.split())
                and any(answer in sentence for answer in reading.answers)
                and sentence.endswith(".")
            ):
                around = tuple(article[max(at - AROUND, 0) : at + AROUND + 1])
                found.setdefault(sentence, Gold(reading.id, sentence, around))
                break
    return list(found.values())


def made(found: Sequence[Gold], each: int) -> list[Claim]:
    """`each` claims of every kind at most, one gold sentence after another; the same every time."""
    names = sorted({name for gold in found for name in _NAME.findall(gold.sentence)})
    figures = sorted({figure for gold in found for figure in _FIGURE.findall(gold.sentence)})
    rules: dict[str, Callable[[Gold], str | None]] = {
        "as it stands": lambda gold: gold.sentence,
        "without an aside": lambda gold: _without_aside(gold.sentence),
        "other figure": lambda gold: _swapped(gold, _FIGURE, figures),
        "other subject": lambda gold: _swapped(gold, _NAME, names),
        "negated": lambda gold: _negated(gold.sentence),
    }
    return [
        Claim(f"{gold.id}/{kind}", text, kind in TRUE_KINDS, kind, gold.around)
        for kind, rule in rules.items()
        for gold, text in _first(found, rule, each)
    ]


def _first(
    found: Sequence[Gold], rule: Callable[[Gold], str | None], each: int
) -> Iterator[tuple[Gold, str]]:
    made = ((gold, text) for gold in found if (text := rule(gold)) and text_differs(gold, text))
    for _, pair in zip(range(each), made, strict=False):
        yield pair


def text_differs(gold: Gold, text: str) -> bool:
    """A claim is a sentence of some length; one that another piece states word for word is true."""
    return len(text.split()) > 3 and all(
        piece.statement != text for piece in gold.around if piece.statement != gold.sentence
    )


def _without_aside(sentence: str) -> str | None:
    aside = _ASIDE.search(sentence)
    if not aside:
        return None
    rest = sentence[: aside.start()] + sentence[aside.end() :]
    # "A, which is B, does C" leaves a comma behind that "A does C" has not.
    return rest[: aside.start()] + rest[aside.start() :].removeprefix(",")


def _swapped(gold: Gold, pattern: re.Pattern[str], others: Sequence[str]) -> str | None:
    """Another figure or name, one that none of the pieces has, in the place of one of them."""
    places = list(pattern.finditer(gold.sentence))
    near = "\n".join(piece.statement for piece in gold.around)
    absent = [other for other in others if other.split()[0] not in near]
    if not places or not absent:
        return None
    chance = random.Random(hashlib.sha256((gold.id + pattern.pattern).encode()).hexdigest())
    place = chance.choice(places)
    return gold.sentence[: place.start()] + chance.choice(absent) + gold.sentence[place.end() :]


def _negated(sentence: str) -> str | None:
    """The first verb that takes a "not" gets one, or the first negation goes."""
    negation = _NOT.search(sentence)
    if negation:
        return sentence[: negation.start()] + sentence[negation.end() :]
    verb = _VERB.search(sentence)
    return f"{sentence[: verb.end()]} not{sentence[verb.end() :]}" if verb else None
