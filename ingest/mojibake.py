"""Undoes text that was decoded with the wrong character set, where the text itself proves it."""

from __future__ import annotations

import re

import ftfy

# UTF-8 read as ISO-8859-7 and stripped of control characters: an en or em dash (E2 80 93) is left
# as its first byte, "β"; "≤" (E2 89 A4) as "β€"; "×" (C3 97) as "Γ"; an emoji (F0 9F …) as "π".
# What is left is also a Greek letter, so the whole document decides which of the two it is.

# What no Greek text and no formula holds.
_DAMAGE = re.compile(
    r"β€|β₯(?=\s?\d)"
    r"|^[ \t]*(?:[-*+] )?β’(?=\s)"  # a bullet
    r"|(?<=\d)β(?=[\d$€£])"  # a range
    r"|(?<=[a-z])β(?=(?:s|t|re|ve|ll|d|m)\b)"  # an apostrophe
    r"|(?<=\d)Γ(?=[\s,.;)]|$)|(?<=\d[KMBT]) ?Γ (?=[$\d])"
    r"|(?<![ΒΓ])Β[·°£§©®«»±]"  # two-byte characters whose second byte survived
    r"|^π[^\w\s]? (?=[A-Z])|οΈ"  # an emoji before a label; what makes a sign an emoji
    r"|(?<=[\w%)]) β (?=(?:the|an?|its?|your?|we|our|they|their|th[eo]se|this|there|not|no"
    r"|including|such|even|especially|from)\b)",
    re.MULTILINE,
)
# What a dash often looks like, and a letter sometimes.
_DASH_LIKE = re.compile(r"(?<=[\w%)\"'.,:]) β (?=[\w\"'($~<>])|(?<=[a-z]{2})β(?=[a-z]{2})")
# What only a Greek letter looks like.
_GREEK = re.compile(
    r"[αγδεζηθικλμνξρςστυφχψωάέήίόύώϊϋΐΰΑΖΗΘΙΚΛΜΝΠΡΣΤΥΦΧΨΩ]|ο(?!Έ)|Δ(?![\u00a0-\u00bf\u0384-\u038f])"
    r"|(?<![\wβ])[βπ](?=[-\d₀-₉_^=)(\],.;:+*/²])"
    r"|[-_*/]β(?![€₯’])|\(β(?![€₯])"
    r"|[βπΓ]\s*[=≈≠<>≤≥∈/]|[=≈≠≤≥∈]\s*[βπΓ]|\dπ|Γ\("
    r"|\b(?:[Tt]he|an?|of|and|where|[Ww]ith|parameter|coefficient|slope|by|for|in|to|if|[Ll]et"
    r"|when|as|is|are|called|or|between|both|via|using) [βπ](?= )"
    r"| [βπ] (?:is|are|was|were|be|has|denotes|equals|represents|coefficients?|parameters?|values?"
    r"|cells?|decay|particles?|sheets?|phase|blockers?|agonists?|receptors?|radians?)\b"
)
_LEADS = {"Β": 0xC2, "Γ": 0xC3}
_PAIR = re.compile(
    r"(?<![ΒΓ])([ΒΓ])([\u00a0-\u00bf\u0384-\u038f\u2015\u2018\u2019\u20ac\u20af\u037a])"
)
_QUOTED = re.compile(r"(?<![^\s(])β(\w[^β\n]*?[\w.,!?])β(?![^\s).,;:!?])")
_REPAIRS = [
    (re.compile(r"β€"), "≤"),
    (re.compile(r"β₯"), "≥"),
    (re.compile(r"β¦"), "…"),
    (re.compile(r"β¬"), "€"),
    (re.compile(r"^([ \t]*(?:[-*+] )?)β’(?=\s)", re.MULTILINE), r"\1•"),
    (re.compile(r"(?<=\w)β’(?!\w)"), "™"),
    (re.compile(r"(?<=[\dKMBT%)])( ?)Γ(?![\w(])"), r"\1×"),
    (re.compile(r"Γ(?= ?[\d$])"), "×"),
    (re.compile(r"(?<=[\d%KMBT+])β(?=[\d$€£~])"), "–"),
    (re.compile(r"(?<=[A-Za-z])β(?=(?:s|t|re|ve|ll|d|m)\b)"), "’"),
    (_QUOTED, r"“\1”"),
    (re.compile(r"(?<=\w)β(?=[\s).,;:]|$)"), "’"),
    (re.compile(r"οΈ"), ""),
    (re.compile(r"^[πβ][^\w\n]?[ \t]+(?=\S)", re.MULTILINE), ""),  # an emoji, or a mark like ✓
    (re.compile(r"[ \t]π[^\w\s]?(?=\s|$)"), ""),
    (re.compile(r"(?<=[\s\w.,;:!?)\"'])β(?=[\s\w(\"'$~])"), "—"),
]


def repair(text: str) -> str:
    """Text with wrong decodings undone; text that shows none comes back as it is."""
    if text.isascii():
        return text
    if reads_as_damaged(text):
        text = _restore(text)
    lines = text.split("\n")
    return "\n".join(line if line.isascii() else ftfy.fix_encoding(line) for line in lines)


def reads_as_damaged(text: str) -> bool:
    """Whether the Greek letters in the text are what is left of other characters."""
    certain = _places(_DAMAGE, text)
    signs = len(certain | _places(_DASH_LIKE, text))
    # One sign can be chance, and in a long document one in ten may look Greek by chance.
    return bool(certain) and signs >= 2 and 10 * len(_GREEK.findall(text)) <= signs


def _places(pattern: re.Pattern[str], text: str) -> set[int]:
    return {m.start() + m[0].index(c) for m in pattern.finditer(text) for c in "βπΓΒο" if c in m[0]}


def _restore(text: str) -> str:
    text = _PAIR.sub(_second_byte_survived, text)
    for pattern, replacement in _REPAIRS:
        text = pattern.sub(replacement, text)
    return text


def _second_byte_survived(match: re.Match[str]) -> str:
    lead, second = match.groups()
    byte = second.encode("iso8859_7")[0]
    return bytes([_LEADS[lead], byte]).decode()
