"""How the reading of a file went: what of it is not in its text."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

AROUND_THE_TEXT = "word around the text"  # a page's menus, banners and footers


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


def stored(reading: Reading) -> str | None:
    """As the catalog keeps it; None where there is nothing to tell."""
    return None if reading.clean else json.dumps(asdict(reading), ensure_ascii=False)


def of_stored(text: str | None) -> Reading:
    if text is None:
        return Reading()
    held = json.loads(text)
    return Reading(tuple(Lost(**one) for one in held["lost"]), tuple(held["notes"]))
