"""What the signs of the fonts Symbol and Wingdings show: their codes are letters of other fonts."""

from __future__ import annotations

_PRIVATE = 0xF000  # Office adds it to a sign's code
_SYMBOL = dict(
    zip(
        map(ord, "ABCDEFGHIKLMNOPQRSTUWXYZabcdefghiklmnopqrstuwxyzj"),
        "ΑΒΧΔΕΦΓΗΙΚΛΜΝΟΠΘΡΣΤΥΩΞΨΖαβχδεφγηικλμνοπθρστυωξψζϕ",
        strict=True,
    )
) | {
    0x22: "∀", 0x24: "∃", 0x2D: "−", 0x40: "≅", 0x56: "ς", 0x5E: "⊥", 0xA3: "≤", 0xA5: "∞",
    0xA9: "♥", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±",
    0xB3: "≥", 0xB4: "×", 0xB5: "∝", 0xB6: "∂", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBA: "≡",
    0xBB: "≈", 0xBC: "…", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xCC: "⊂", 0xCD: "⊆", 0xCE: "∈",
    0xCF: "∉", 0xD0: "∠", 0xD1: "∇", 0xD2: "®", 0xD3: "©", 0xD4: "™", 0xD5: "∏", 0xD6: "√",
    0xD7: "⋅", 0xD8: "¬", 0xD9: "∧", 0xDA: "∨", 0xDB: "⇔", 0xDC: "⇐", 0xDE: "⇒", 0xE2: "®",
    0xE5: "∑", 0xF2: "∫",
}  # fmt: skip
_WINGDINGS = {
    0x22: "✂", 0x28: "☎", 0x2A: "✉", 0x46: "☞", 0x4A: "☺", 0x4C: "☹", 0x52: "☼", 0x6C: "●",
    0x6E: "■", 0x6F: "☐", 0x71: "☐", 0x72: "☐", 0x75: "◆", 0x76: "❖", 0x77: "◆", 0x9E: "·",
    0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "☐", 0xAB: "★", 0xD8: "➢", 0xDF: "←", 0xE0: "→",
    0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
_WINGDINGS_2 = {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x2A: "☐",
                0xA3: "☐"}  # fmt: skip
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2}
UNKNOWN = "\ufffd"


def shown(font: str, code: str) -> str:
    """The character that a sign shows: `code` in hexadecimal figures, as Office writes it.
    UNKNOWN for one that isn't known."""
    try:
        number = int(code, 16)
    except ValueError:
        return UNKNOWN
    own = number - _PRIVATE if number >= _PRIVATE else number
    known = _FONTS.get(font.lower())
    if known is not None:
        return known.get(own, UNKNOWN)
    return chr(number) if number < _PRIVATE else UNKNOWN
