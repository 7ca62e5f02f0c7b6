"""A question to the questions inside it: what one search can't find at once.

"Which model leads, and what does it cost?" asks twice; "Since it is free, where do I get it?"
takes something for granted that the sources may deny; "the price of the model with the best score"
has to find the model before its price.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest

from kb.evidence import Gathered, uncovered
from kb.mentions import Mention, mentions
from kb.retrieve import content_words
from kb.types import Evidence

MOST_PARTS = 3
_ASKING = (
    r"(?:what|which|who|whose|how|where|when|why|is|are|was|were|can|could|do|does|did|will|would|"
    r"should|has|have|may|must)\b"
)
_ALSO_ASKS = re.compile(rf"(?:,?\s(?:and|or|but)|;)\s+(?={_ASKING}\s+\w+)", re.IGNORECASE)
_PREMISE = re.compile(
    r"^(?:since|as|given(?: that)?|because|now that|seeing (?:that|as)|considering(?: that)?)\s+"
    r"(?P<premise>[^,?]{8,}),\s*(?P<rest>.{8,})$",
    re.IGNORECASE,
)
# "differ in price and in speed", "in terms of cost and of quality"
_IN_BOTH = re.compile(
    r"^(?P<head>.{8,}?)\s(?P<a>(?P<by>in|on|by|for|of|with|under|at)\s[^,?]{3,40}?),?\sand\s"
    r"(?P<b>(?P=by)\s[^,?]{3,40})\?*$",
    re.IGNORECASE,
)
_OF_A_MODEL = re.compile(r"\b(?:models?|LLMs?)\b", re.IGNORECASE)
_FEWEST_WORDS = 3  # of a part; "and why?" is none
_ONWARD = 2  # pieces of the second search


def parts(question: str) -> tuple[str, ...]:
    """The questions inside a question, in order, each standing alone; itself where it is one."""
    premise = _PREMISE.match(question)
    if premise:
        return (_with_subject(premise["rest"], premise["premise"]), premise["premise"])
    both = _IN_BOTH.match(question)
    if both:
        return tuple(f"{both['head']} {both[side]}?" for side in "ab")
    found = [part.strip() for part in _ALSO_ASKS.split(question)]
    if len(found) < 2 or any(len(part.split()) < _FEWEST_WORDS for part in found):
        return (question,)
    return tuple(_with_subject(part, found[0]) for part in found[:MOST_PARTS])


def _with_subject(part: str, first: str) -> str:
    """A later part goes on about what the first one names: "and who makes it?"."""
    if mentions(part) or not mentions(first):
        return part
    subject = ", ".join(mention.text for mention in mentions(first))
    return f"{part.rstrip(' ?')} ({subject})?"


def bridge(question: str, gathered: Gathered) -> str | None:
    """What to search next where a question only describes a model and the best evidence names it:
    that name, and the words of the question that this evidence leaves open. None where the
    question asks of no model, names one itself, or nothing is left open."""
    named = any(mention.is_model for mention in mentions(question))
    if not gathered.evidence or named or not _OF_A_MODEL.search(question):
        return None
    lead = max(gathered.evidence, key=lambda piece: piece.score)
    left = uncovered(content_words(question), lead.statement)
    found = [mention for mention in mentions(lead.statement) if _tells(mention)]
    return f"{found[0].text} {' '.join(left)}" if left and found else None


def _tells(mention: Mention) -> bool:
    return any(name.is_model and name.is_family for name in mention.names)


def gather_all(question: str, look: Callable[[str, int], Gathered], budget: int) -> Gathered:
    """Evidence on every part of the question, and on what its best piece leads to.
    look: a question and the most words of evidence, to the evidence."""
    asked = parts(question)
    found = [look(part, budget // len(asked)) for part in asked]
    onward = bridge(question, found[0]) if len(asked) == 1 else None
    if onward:
        found.append(_leading(look(onward, budget // 2)))
    return merged(question, found) if len(found) > 1 else found[0]


def _leading(gathered: Gathered) -> Gathered:
    """Of a search on a guess only what it found first."""
    return replace(gathered, evidence=gathered.evidence[:_ONWARD])


def merged(question: str, found: Sequence[Gathered]) -> Gathered:
    """Each piece once, the best of every part first. Coverage: the mean of the parts'."""
    ranks = zip_longest(*(one.evidence for one in found))
    pieces = _once(piece for rank in ranks for piece in rank if piece)
    mentioned = " ".join(f"{piece.heading} {piece.statement}" for piece in pieces)
    return Gathered(
        pieces,
        sum(one.coverage for one in found) / len(found),
        uncovered(content_words(question), mentioned),
        _once(piece for one in found for piece in one.near),
    )


def _once(pieces: Iterable[Evidence]) -> tuple[Evidence, ...]:
    places = {(p.source.revision, p.start, p.end): p for p in reversed(tuple(pieces))}
    return tuple(reversed(places.values()))
