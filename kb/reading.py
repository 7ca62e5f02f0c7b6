"""How the reading of a file went: what of it is not in its text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that a person sees in a file and that its text doesn't hold. kind: "picture",
    "hidden block", …; where: in the file's own words, "" for anywhere in it."""

    kind: str
    count: int
    where: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the reading of a file went. notes: what was decided about it, for its owner to check."""

    lost: tuple[Lost, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        return not (self.lost or self.notes)
