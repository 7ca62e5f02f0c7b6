"""Whether a sentence affirms what its quotes deny, or says more than they do.

Negations, limits ("only", "no longer"), directions ("above", "below") and superlatives are compared
by the words that they are about. What is nearly sure is marked so; a model may judge the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_NEGATION = re.compile(
    r"\b(?:no|not(?! (?:only|just|merely|necessarily)\b)|never|none|nobody|nothing|neither|nor|"
    r"cannot|without|unavailable|unable|impossible|lacks?|lacking|forbids?|forbidden|"
    r"prohibit(?:s|ed)?|bans?|banned|except|excluding|unless|fails?|refuses?|removed|false|"
    r"incorrect|ineligible)\b|n['’]t\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?:no|not|never|neither|nor|cannot|n['’]t)", re.IGNORECASE)
_CONDITION = re.compile(r"\b(?:unless|except|until|without|only|but|when|if)\b", re.IGNORECASE)
_ONLY = re.compile(r"\b(?:only|solely|exclusively|alone|nothing but)\b", re.IGNORECASE)
_EXCEPT = re.compile(r"\b(?:except|excluding|excepted|unless|apart from|other than)\b", re.I)
_EVERY = re.compile(r"\b(?:all|every|each|any|always|entire(?:ly)?|fully|completely)\b", re.I)
_UNIVERSAL = re.compile(
    r"\b(?:always|every|never|any|all (?:the |other |of the )?(?:[\w-]+ )?[\w-]{2,}s)\b",
    re.IGNORECASE,
)


# Superlatives that can stand for one another.
def _any_of(*groups: str) -> list[re.Pattern[str]]:
    return [re.compile(rf"\b(?:{words})\b", re.IGNORECASE) for words in groups]


_SUPERLATIVES = _any_of(
    "best|strongest|top|topped|leads?|leading|leader|led|first|ahead|highest|greatest|frontier",
    "cheapest|lowest|least expensive",
    "largest|biggest|longest|larger than any|larger than that of any",
    "fastest|quickest",
    "smallest|shortest",
    "worst|weakest|slowest",
    "newest|latest|current",
    "ever",
)
# Nobody says these in other words: one price does not tell that it is the lowest.
_LEAST = re.compile(r"\b(?:cheapest|lowest|least expensive)\b", re.IGNORECASE)
_LEAST_OF = re.compile(r"\b(?:cheap(?:er|est)?|low(?:er|est)?|least|less|minimum)\b", re.I)
_MOST = re.compile(r"\b(?:most|least) (?!of\b)([a-z][a-z-]{3,})", re.IGNORECASE)
_OVER = re.compile(r"\b(?:above|over|exceeds?|more than|at least|beyond)\s|[>≥]\s?", re.IGNORECASE)
_UNDER = re.compile(
    r"\b(?:below|under|fewer than|less than|at most|up to|within)\s|[<≤]\s?", re.IGNORECASE
)
_CLAUSE_END = re.compile(r"[;,:!?]|\.(?!\d)")
_CONTENT = re.compile(r"[A-Za-z][A-Za-z-]{2,}")
_FUNCTION_WORDS = frozenset(
    """
    about also and any are been being but can could did does for from had has have into its may
    might must nor not of on only or shall should so such than that the their them there these
    they this those though through to under via was were when which while will with would you your
    """.split()
)
_REACH = 6  # words after a negation that it is about
# "is not prevented by": what isn't stopped is possible.
_NOT_STOPPED = re.compile(
    r"(?:\b(?:not|never|nor|cannot|hardly)|n['’]t)\s(?:\w+\s){0,2}"
    r"(?:prevent|stop|avoid|eliminat|preclud|rul(?:e[sd]?|ing) out|exclud|hinder|remov)\w*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[;!?\n]|\.(?!\d)")
_FIGURE = re.compile(r"[~$€£]?(\d[\d.,]*\d|\d)")


def contradictions(sentence: str, quotes: str) -> Iterator[bool]:
    """One for each ground to think that the quotes deny, limit or don't go as far as what the
    sentence says: whether it is certain."""
    yield from _denied(sentence, quotes)
    yield from _invented_denial(sentence, quotes)
    if _not_stopped(sentence, quotes):
        yield True
    if _LEAST.search(sentence) and not _LEAST_OF.search(quotes):
        yield True
    if _widened(sentence, quotes) or _turned(sentence, quotes) or _outdone(sentence, quotes):
        yield False


def _denied(sentence: str, quotes: str) -> Iterator[bool]:
    """The quotes negate something that the sentence says without a negation: all that they say
    of it, which is nearly sure, or the half of it."""
    said = content(sentence)
    mine = [content(clause) for clause in _CLAUSE_END.split(sentence) if _NEGATION.search(clause)]
    for match, scope in _scopes(quotes):
        shared = scope & said
        if 2 * len(shared) < max(len(scope), 1) or any(scope & other for other in mine):
            continue
        after = _CLAUSE_END.split(quotes[match.end() :])[0]
        plain = bool(_PLAIN.fullmatch(match.group())) and not _CONDITION.search(after)
        yield plain and shared == scope and len(scope) > 1 and not mine
        return


def _invented_denial(sentence: str, quotes: str) -> Iterator[bool]:
    """The sentence negates what the quotes say without a negation."""
    said, known = content(sentence), content(quotes)
    if any(scope & said for _, scope in _scopes(quotes)):
        return
    silent = not _NEGATION.search(quotes)
    for match, scope in _scopes(sentence):
        if scope and len(scope & known) * 2 > len(scope):
            plain = bool(_PLAIN.fullmatch(match.group()))
            yield plain and silent and len(scope) > 1 and scope <= known


def _not_stopped(sentence: str, quotes: str) -> bool:
    """The sentence denies what the quotes say isn't prevented."""
    if _NOT_STOPPED.search(sentence):
        return False
    denied = [scope for _, scope in _scopes(sentence)]
    possible = [content(part) for part in _SENTENCE_END.split(quotes) if _NOT_STOPPED.search(part)]
    return any(scope & said for scope in denied for said in possible)


def _widened(sentence: str, quotes: str) -> bool:
    """An "only" or an exception that one side lacks. A sentence may leave out "only" as long as it
    adds nothing; it may not put one in."""
    said, known = content(sentence), content(quotes)
    if _ONLY.search(sentence) and not _ONLY.search(quotes):
        return not _NEGATION.search(quotes)
    if _ONLY.search(quotes) and not _ONLY.search(sentence) and not _NEGATION.search(sentence):
        limited = [
            _reach(quotes, m) for m in _ONLY.finditer(quotes) if quotes[m.end() :][:2] != " ("
        ]
        return bool(said - known) and any(scope & said for scope in limited)
    if _EXCEPT.search(quotes) and not _EXCEPT.search(sentence):
        return bool(_EVERY.search(sentence)) and not _NEGATION.search(sentence)
    return False


def _turned(sentence: str, quotes: str) -> bool:
    """A figure that is a lower bound on one side and an upper bound on the other."""
    mine, theirs = _directions(sentence), _directions(quotes)
    return any(
        figure in theirs and direction and theirs[figure] and not direction & theirs[figure]
        for figure, direction in mine.items()
    )


def _outdone(sentence: str, quotes: str) -> bool:
    """A superlative, or an "all", for which the quotes give no ground."""
    known = content(quotes)
    if any(p.search(sentence) and not p.search(quotes) for p in _SUPERLATIVES):
        return True
    if any(not content(match[1]) <= known for match in _MOST.finditer(sentence)):
        return True
    grounds = _EVERY.search(quotes) or _NEGATION.search(quotes)
    return bool(_UNIVERSAL.search(sentence)) and not grounds


def _directions(text: str) -> dict[str, set[str]]:
    """Each figure with what stands right before it: "over", "under", "" for neither."""
    found: dict[str, set[str]] = {}
    for figure in _FIGURE.finditer(text):
        before = text[max(0, figure.start() - 12) : figure.start()]
        over = any(m.end() == len(before) for m in _OVER.finditer(before))
        under = any(m.end() == len(before) for m in _UNDER.finditer(before))
        if over or under:
            found.setdefault(figure.group(1), set()).add("over" if over else "under")
    return found


def _scopes(text: str) -> list[tuple[re.Match[str], set[str]]]:
    return [(match, _reach(text, match)) for match in _NEGATION.finditer(text)]


def _reach(text: str, match: re.Match[str]) -> set[str]:
    """The content words after a match, up to the clause's end."""
    clause = _CLAUSE_END.split(text[match.end() :])[0]
    return content(" ".join(clause.split()[:_REACH]))


def content(text: str) -> set[str]:
    """Stems of the content words."""
    words = (word.lower() for word in _CONTENT.findall(text))
    return {word[:5] for word in words if word not in _FUNCTION_WORDS}
