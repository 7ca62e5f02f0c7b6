"""Repairs what exporting and scraping did to a text; an undamaged text comes back unchanged."""

from __future__ import annotations

import re
import unicodedata

from ingest import joined, mojibake

_NEWLINES = re.compile(r"\r\n?|[\v\f\u2028\u2029]")
# Control and format characters that no reader sees. Some (bidi controls, tag characters) hide
# instructions from the people who read a document, though not from a model.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064"
    r"\u2066-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e01ef]"
    # Joiners spell Persian, Indic scripts and emoji; beside Latin letters they do nothing.
    r"|(?<![^\u0000-\u024f])[\u200c\u200d]+|[\u200c\u200d]+(?![^\u0000-\u024f])"
)
# These are bytes of characters where UTF-8 was read as Latin-1, so they go after the repairs.
_INVISIBLE_BYTES = re.compile(r"[\x80-\x9f\u00ad]")
_DOUBLE_BULLET = re.compile(r"^([ \t]*)[-*+] (?:[•◦▪‣·][ \t]?)+(?=\S)", re.MULTILINE)
_QUESTION_ITEM = re.compile(r"^[-*] [A-Z][^.\n]*\?$", re.MULTILINE)
_QUESTION_RUN_ON = re.compile(r"(?<=[.!?]) (?=[-*] [A-Z][^.?\n]{5,160}\?$)", re.MULTILINE)
_FURNITURE = re.compile(
    r"see also:.{0,200}"
    r"|←.{0,60}|.{0,60}→|[‹«] ?(?:previous|prev|older|back)\b.{0,60}|(?:next|newer)\b.{0,60}[›»]"
    r"|(?:.{0,40}[·|•—-]\s*)?\d{1,3}[ -]min(?:ute)?s? read"
    r"|(?:skip to (?:main )?content|back to (?:top|blog|all posts)|(?:view )?all posts|read more"
    r"|share(?: this(?: article| post)?)?|advertisement|table of contents|subscribe)[.:]?",
    re.IGNORECASE,
)


def clean(text: str) -> str:
    """The text in NFC with "\\n" newlines: wrong decodings undone, invisible characters removed,
    tables whose cells ran together set as Markdown tables."""
    text = _NEWLINES.sub("\n", text)
    text = visible(mojibake.repair(_INVISIBLE.sub("", text)))
    text = _DOUBLE_BULLET.sub(r"\1  - ", text)
    if _QUESTION_ITEM.search(text):  # a list of questions whose items lost their line breaks
        text = _QUESTION_RUN_ON.sub("\n", text)
    return joined.separate(text)


def visible(text: str) -> str:
    """The text in NFC without characters that nobody sees."""
    text = _INVISIBLE_BYTES.sub("", _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFC", text)


def is_furniture(line: str) -> bool:
    """Whether a line belongs to the page around a text (navigation, reading time, rules)."""
    line = line.strip()
    return not any(c.isalnum() for c in line) or _FURNITURE.fullmatch(line) is not None
