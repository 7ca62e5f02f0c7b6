"""Does this sentence follow from those quotes: figures, names, subjects, polarity.

Everything here is exact and explains itself; what only a model can judge (meaning) is left to the
caller, who asks it where `Doubt` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from kb.compared import misordered, summands
from kb.counted_things import miscounted
from kb.dated import misdated
from kb.enumerated import unlisted
from kb.families import ORDINARY
from kb.figures import Figure, missing
from kb.names import Name, names
from kb.polarity import contradictions
from kb.rates import misrated
from kb.roles import other_columns, other_roles, turned_pairs
from kb.stated import missing_names
from kb.subjects import borrowed, lent, loose_figures, mislabelled, misplaced, source_figures
from kb.together import apart
from kb.types import Evidence

Failure = Literal["figure", "name", "subject", "column", "item", "together", "polarity"]

# A first word that no quote has, with a verb behind it: perhaps an organisation.
_OPENING = re.compile(
    r"(?P<word>[A-Z][a-z]{2,})(?:['’]s)?\s"
    r"(?:is|was|has|had|will|cut|made|built|sold|won|led|said|found|ran|paid|[a-z]{3,}(?:ed|[^s]s))\b"
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a sentence may not follow. `certain`: it does not; else a model may be asked."""

    failure: Failure
    about: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Needs:
    """What a sentence says that a quote must say too. A version is a name's, not a figure."""

    figures: tuple[Figure, ...]
    names: tuple[Name, ...]

    @classmethod
    def of(cls, sentence: str) -> Needs:
        return cls(tuple(loose_figures(sentence)), names(sentence))

    def unmet(self, quotes: str) -> Needs:
        return Needs(
            tuple(missing(self.figures, source_figures(quotes), quotes)),
            tuple(missing_names(self.names, quotes)),
        )

    @property
    def met(self) -> bool:
        return not self.figures and not self.names

    def __len__(self) -> int:
        return len(self.figures) + len(self.names)


def joined(pieces: Sequence[Evidence]) -> str:
    """Their quotes, so that nothing is read across two of them: "5" and "million" aren't 5M."""
    return "\n;\n".join(piece.quote for piece in pieces)


def doubts(sentence: str, pieces: Sequence[Evidence]) -> list[Doubt]:
    """All that speaks against the sentence, given the quotes that it is bound to."""
    quotes = "\n".join(piece.statement for piece in pieces)
    prose = all(piece.kind == "prose" for piece in pieces)  # a row's cells deny different things
    return [
        *_missing(sentence, pieces),
        *(Doubt("subject", about, certain) for about, certain in borrowed(sentence, pieces)),
        *(Doubt("subject", about, certain=True) for about in lent(sentence, pieces)),
        *(Doubt("name", about, certain=True) for about in mislabelled(sentence, pieces)),
        *(Doubt("subject", about, certain) for about, certain in misplaced(sentence, pieces)),
        *(Doubt("column", about, certain) for about, certain in other_roles(sentence, pieces)),
        *(Doubt("column", about, certain=True) for about in miscounted(sentence, pieces)),
        *(Doubt("column", about, certain=True) for about in misdated(sentence, pieces)),
        *(Doubt("figure", about, certain=True) for about in misordered(sentence)),
        *(Doubt("figure", about, certain=True) for about in summands(sentence, pieces)),
        *(Doubt("column", about, certain=True) for about in misrated(sentence, pieces)),
        *(Doubt("item", about, certain=True) for about in unlisted(sentence, pieces)),
        *(Doubt("together", about, certain) for about, certain in apart(sentence, pieces)),
        *(Doubt("column", about, certain=False) for about in other_columns(sentence, pieces)),
        *(Doubt("column", about, certain=False) for about in turned_pairs(sentence, pieces)),
        *(
            Doubt("polarity", sentence, certain and prose)
            for certain in contradictions(sentence, quotes)
        ),
    ]


def _missing(sentence: str, pieces: Sequence[Evidence]) -> Iterator[Doubt]:
    quotes = joined(pieces)
    unmet = Needs.of(sentence).unmet(quotes)
    for figure in unmet.figures[:1]:
        yield Doubt("figure", sentence[figure.start : figure.end], certain=True)
    for name in unmet.names[:1]:
        yield Doubt("name", sentence[name.start : name.end], certain=True)
    opening = _OPENING.match(sentence)
    word = opening["word"].lower() if opening else ""
    if opening and word not in ORDINARY and word[:4] not in quotes.lower():
        yield Doubt("name", opening["word"], certain=False)
