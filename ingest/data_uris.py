"""Pictures and other files inside of a text, as data: addresses. They are never text."""

from __future__ import annotations

import re

_DATA = r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+=-]+)*,"
_BASE64 = r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+=-]+)*?;base64,[A-Za-z0-9+/=_%-]*"
_PICTURES = rf"!\[[^\]\n]{{0,1000}}\]\(\s*<?{_DATA}[^)\n]*\)|<img\b[^>]*{_DATA}[^>]*>"
_PICTURE = re.compile(_PICTURES, re.IGNORECASE)
_REFERENCE = rf"^[ \t]*\[[^\]\n]{{1,200}}\]:[ \t]*<?{_DATA}\S*.*$"
_ANY = re.compile(f"{_PICTURES}|{_REFERENCE}|{_BASE64}", re.MULTILINE | re.IGNORECASE)


def without_data(text: str) -> tuple[str, int]:
    """The text without them, and how many there were."""
    return _ANY.subn("", text) if "data:" in text else (text, 0)


def without_pictures(text: str) -> str:
    """Without those that Markdown or HTML shows in their place."""
    return _PICTURE.sub("", text) if "data:" in text else text
