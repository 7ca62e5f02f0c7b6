"""What a reader makes of a file's bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ingest.front_matter import FrontMatter
from kb.reading import Reading

PAGE_BREAK = "\f"  # as in any text file: what follows is on the next page
LONGEST = 20_000_000  # characters of text out of one file; novels have a million


@dataclass(frozen=True, slots=True)
class Parsed:
    """facts: what the file says about itself. paged: a PAGE_BREAK in the text begins a page, so
    that the first page ends at the first one. reading: what of the file is not in the text."""

    facts: FrontMatter
    text: str
    paged: bool = False
    reading: Reading = field(default_factory=Reading)


# Takes the file's name, for messages, and its bytes. Raises UnreadableFile.
Reader = Callable[[str, bytes], Parsed]
