"""Which names a source states."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.names import Name, names


def unstated_names(text: str, sources: str) -> list[Name]:
    """Names of `text` that nothing in `sources` states."""
    return missing_names(names(text), sources)


def missing_names(wanted: Sequence[Name], sources: str) -> list[Name]:
    """Those that nothing in `sources` states; a sibling of a model doesn't state the model."""
    known = names(sources)
    return [
        name
        for name in wanted
        if not any(name.stated_by(k) and not name.is_sibling(k) for k in known)
        and (name.marks or not _mentioned(name, sources))
    ]


def _mentioned(name: Name, sources: str) -> bool:
    """By the word itself or another form of it, or as the abbreviation of words or the words of
    an abbreviation."""
    low = sources.lower()
    form = rf"\b{re.escape(name.family)}(?:s|['’]s)?\b"
    if re.search(form, low):
        return True
    root = "" if name.is_listed or len(name.family) < 6 else name.family[:-3]
    if root and re.search(rf"\b{re.escape(root)}", low):  # Chinese, China
        return True
    if len(name.initials) > 1 and re.search(rf"\b{name.initials.upper()}s?\b", sources):
        return True
    initials = "".join(word[0] for word in re.findall(r"[a-z0-9]+", low))
    return len(name.family) > 2 and name.family.isalpha() and name.family in initials
