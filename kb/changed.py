"""What changed between two texts of a document. Pure."""

from __future__ import annotations

from difflib import unified_diff

MOST_LINES, MOST_CHARACTERS = 5_000, 500_000  # of each text: comparing takes their product
LONGEST = 100_000  # characters of a difference


def difference(before: str, after: str, names: tuple[str, str]) -> str | None:
    """A unified diff, empty where the texts are equal; None where one of them, or what differs, is
    too long to be read. names: of the two texts."""
    texts = before.splitlines(), after.splitlines()
    if max(map(len, texts)) > MOST_LINES or max(len(before), len(after)) > MOST_CHARACTERS:
        return None
    found = "\n".join(unified_diff(*texts, *names, lineterm=""))
    return found if len(found) <= LONGEST else None
