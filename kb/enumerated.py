"""What a sentence lists: each item of "text, vision, and sound" has to stand in its quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kb.polarity import content
from kb.types import Evidence

LEAST = 3  # items, short ones: between two commas there may be a clause
_ITEM = r"[A-Za-z][\w'’/-]*(?: [\w'’/-]+){0,2}"
_LIST = re.compile(rf"(?<![\w'’/-])({_ITEM}(?:, {_ITEM})+),? (?:and|or|as well as) ({_ITEM})")
# "With open models, safety and alignment are yours": what opens a sentence need not be an item.
_OPENS = re.compile(r"(?:With|For|In|On|At|Under|By|Among|As|To|From|Of|Unlike|Like|Besides)\b")


def unlisted(sentence: str, pieces: Sequence[Evidence]) -> Iterator[str]:
    """Each listed item, in content words, of which no quote and no heading has any."""
    stated = "\n".join(f"{p.heading}\n{p.quote}\n{p.statement}" for p in pieces).lower()
    for found in _LIST.finditer(sentence):
        items = [*found[1].split(", "), found[2]]
        if _OPENS.match(sentence) and " " not in sentence[: found.start()].strip():
            items = items[1:] if len(items) > LEAST else []
        for item in items:
            # a letter less than a stem: "texts" for "text"
            stems = [stem[:-1] if len(stem) > 4 else stem for stem in content(item)]
            if stems and not any(stem in stated for stem in stems):
                yield item
