"""Texts that break programs, by what they break: made here, more than 515 of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LINES = Path(__file__).with_name("naughty.txt")

_BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
_INVISIBLE = "\u00ad\u034f\u115f\u17b4\u180e\u200b\u200c\u200d\u2060\u2061\u2064\u3164\ufeff\uffa0"
_SPACES = "\t\n\x0b\x0c\r\x85\xa0\u1680\u2000\u2003\u2007\u2009\u2028\u2029\u202f\u205f\u3000"
_MARKS = "\u0300\u0316\u0323\u0335\u0346\u0489\u20dd\u20e3"
_LINE_ENDS = ("\n", "\r", "\r\n", "\u2028", "\x85")
_METACHARACTERS = r"\ ^ $ . | ? * + ( ) [ ] { } < > - _ / ~ ! @ # % & = : ; , ' ` " + '"'
_EMOJI = (
    "😀", "👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳️‍🌈", "🇩🇪🇪", "🇦", "👍🏿🏿", "❤️", "❤", "#️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\u200d\u200d",
    "👨‍", "🧑‍🤝‍🧑" * 20,
    "¯\\_(ツ)_/¯", "(╯°□°)╯︵ ┻━┻", "😀" * 500,
)  # fmt: skip


def _written() -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a keyboard has, a text a line: queries, code, paths, numbers, words."""
    for family in LINES.read_text().split("==== ")[1:]:
        name, *lines = family.removesuffix("\n").split("\n")
        yield name, tuple(lines)


def _controls() -> Iterator[str]:
    for code in (*range(0x20), *range(0x7F, 0xA0)):
        yield f"prices{chr(code)}weights"
    yield "".join(map(chr, range(0x20)))


def _invisible() -> Iterator[str]:
    for character in _BIDI + _INVISIBLE + _SPACES:
        yield character
        yield f"{character}pri{character}ces{character}"
    yield from ("p\u200brices", "prices\u0301", "a\tb")
    yield _BIDI * 50
    yield _INVISIBLE * 50


def _piled() -> Iterator[str]:
    """Marks on marks (zalgo), and what no font has."""
    for mark in _MARKS:
        yield "".join(letter + mark * 12 for letter in "prices")
        yield mark * 300
    yield from ("\ufffd", "\ufffe", "\uffff", "\U0010ffff", "\ue000", "\U000e0041", "\ufdd0")


def _metacharacters() -> Iterator[str]:
    for one in _METACHARACTERS.split(" "):
        yield from (one, one * 500, f"{one}prices", f"prices{one}")
    yield from (
        "(a+)+$",
        "(.*)*x",
        "[[:alpha:]]",
        "(?P<a>.)(?P=a)",
        "a{99999}",
        "\\Q\\E",
        "(?#",
        "[^",
    )


def _long() -> Iterator[str]:
    for piece in (
        "a",
        "1",
        "é",
        "漢",
        " ",
        "a ",
        "1,",
        "-",
        "a.",
        "\n",
        "| ",
        "(",
        "[1] ",
        "? ",
        "Aa ",
    ):
        yield (piece * 1999)[:1999]
    yield "a" * 1000 + " " + "b" * 998
    yield "Pneumono" * 200


FAMILIES: dict[str, tuple[str, ...]] = {
    **dict(_written()),
    "emoji": _EMOJI,
    "controls": tuple(_controls()),
    "invisible": tuple(_invisible()),
    "piled": tuple(_piled()),
    "metacharacters": tuple(_metacharacters()),
    "long": tuple(_long()),
    "breaks": tuple(f"a{end}2026-01-01 INFO forged{end}b" for end in _LINE_ENDS),
}  # fmt: skip
NAUGHTY = tuple(dict.fromkeys(text for family in FAMILIES.values() for text in family))

# Half a character: JSON can hold them, in escapes, and UTF-8 can't.
HALVES = ("\ud800", "\udfff", "a\ud83d", "\ude00\ud83d", "\udc00" * 50)
