"""A text's words as names are read from them: "Llama3.1" is two, "A100s" is one A100."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kb.families import CAPITAL_FAMILIES, FAMILIES

_TOKEN = re.compile(r"[A-Za-z]*\d[\w.]*\w|[A-Za-z]*\d|[A-Za-z][A-Za-z'’]*", re.ASCII)
_GLUED = re.compile(rf"({'|'.join(sorted(FAMILIES | CAPITAL_FAMILIES))})(\d[\w.]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Word:
    """`low`: lower case, without a possessive, and an acronym's without its plural."""

    raw: str
    low: str
    start: int
    end: int

    @property
    def capital(self) -> bool:
        return self.raw[0].isupper()

    @property
    def mixed(self) -> bool:
        """Capitals or digits inside: an acronym, a product."""
        return self.raw[0].isalpha() and any(c.isupper() or c.isdigit() for c in self.raw[1:])


def words(text: str) -> list[Word]:
    found = []
    for match in _TOKEN.finditer(text):
        glued = _GLUED.fullmatch(match.group())
        for part in (1, 2) if glued else (0,):
            spelled = glued or match
            start = match.start() + spelled.start(part) - spelled.start()
            found.append(_word(spelled.group(part), start))
    return found


def _word(raw: str, start: int) -> Word:
    low = raw.lower().replace("’", "'").removesuffix("'s").rstrip("'")
    bare = raw[: len(low)]
    plural = len(low) > 2 and bare.endswith("s") and (bare[:-1].isupper() or low[-2].isdigit())
    return Word(raw, low[:-1] if plural else low, start, start + len(raw))
