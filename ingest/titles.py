"""What a text without front matter is called, and the date that it states at its head."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from ingest.clean import is_furniture, visible
from ingest.headings import first_heading, plain

LONGEST_TITLE = 120  # characters
_HEAD_LINES = 12  # where a masthead stands, lines that aren't blank
_BANNER = re.compile(r" [·|•] ")  # "Name of the site · what it is about"
_DATE_LINE = re.compile(
    r"(?:(?:last )?(?:published|updated|posted|date|as of)(?: on)?:? )?"
    r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{2}:\d{2}\S*)?(?:\s*[·|,–—-].{0,60})?",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"microsoft (?:word|powerpoint|excel)\b.*|word document|powerpoint presentation"
    r"|.*\.(?:docx?|pdf|tex|dvi|indd|rtf|odt|pptx?|xlsx?|html?)"
    r"|(?:untitled|document|title|slide|about:blank|unbenannt|dokument)\s?\d*",
    re.IGNORECASE,
)


def title_of(text: str) -> str | None:
    """The first Markdown heading, or else the first line that reads as a title: at most
    LONGEST_TITLE characters, no full stop, not the page's furniture. A name of the site or a
    single word is taken only when the head of the text has nothing better."""
    heading = first_heading(text)
    if heading and len(heading) <= LONGEST_TITLE:
        return heading
    lines = [plain(line) for line in _masthead(text)]
    good = (line for line in lines if len(line.split()) > 1 and not _BANNER.search(line))
    return next(good, lines[0] if lines else None)


def date_of(text: str) -> str | None:
    """The ISO date of a line at the head that holds little else ("2026-06-08 · 4 min read")."""
    for line in _head(text):
        found = _DATE_LINE.fullmatch(line)
        if found and _is_date(found[1]):
            return found[1]
    return None


def _masthead(text: str) -> Iterator[str]:
    """The lines above the first paragraph that may be a title."""
    for line in _head(text):
        if is_furniture(line) or _DATE_LINE.fullmatch(line):
            continue
        if len(line) > LONGEST_TITLE or line.endswith((".", ":", ";", ",")):
            return
        if not line.startswith(("|", "- ", "* ", "```", "~~~")):
            yield line


def _head(text: str) -> Iterator[str]:
    lines = (line.strip() for line in text[:8000].split("\n"))
    filled = (line for line in lines if line)
    return (line for line, _ in zip(filled, range(_HEAD_LINES), strict=False))


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def stated_title(title: str | None) -> str | None:
    """The title in a file's properties, unless it is the program's or the file's name."""
    words = " ".join(visible(title or "").split())
    named = 0 < len(words) <= LONGEST_TITLE and any(c.isalpha() for c in words)
    return words if named and not _NO_TITLE.fullmatch(words) else None
