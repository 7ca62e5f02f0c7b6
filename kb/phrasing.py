"""Questions that a passage answers, phrased from what its author wrote: its heading, its row, or a
question that it opens with. What would not read like a person's question is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kb.cells import Cell, cells
from kb.names import names
from kb.types import Passage

FEWEST_WORDS, MOST_WORDS = 3, 18
_SUBJECT_WORDS, _HEADER_WORDS = 5, 3

_WORD = re.compile(r"[^\W\d_][\w'’.+-]*")
_ASKS = re.compile(
    r"(?:what|which|who|whose|how|where|when|why|is|are|was|were|can|could|do|does|did|will|would|"
    r"should|has|have|may|must)\b[^?]*\?$",
    re.IGNORECASE,
)
# Points back to what a reader of the question alone can't see, or asks that reader.
_LEANING = re.compile(
    r"^[^,]*\b(?:it(?! \w+ (?:to|that)\b)|its|they|them|their|these|those|he|she|his|her|above|"
    r"below|which one|this (?!year)\w+|this\?)(?![\w-])|\bwhich\?$|^did you\b",
    re.IGNORECASE,
)
# What a heading says of its own form.
_FORM = re.compile(r" (?:side by side|at a glance|in practice|explained|worked out)$", re.I)
_GLOSSARY = re.compile(r"\b(?:terms?|terminology|glossary|definitions?|vocabulary)\b", re.I)
_TERM = re.compile(r"^[-*•] \*\*(?P<term>[^*:]{2,40}):?\*\*", re.MULTILINE)
_BRACKETED = re.compile(r"\s*\([^()]*\)")
_PLURAL = re.compile(r"\w*[^\Wsui]s$")
_PREPOSITION = re.compile(r".+\s(?:for|of|in|by|to|with|on|at|from)$", re.IGNORECASE)

# A heading that names its topic, and the question that it answers.
_HEADINGS = (
    (r"What (?P<x>.+) (?P<be>is|are|was|were)", "What {be} {x}?"),
    (r"What (?P<x>.+?) (?P<verb>mean|cost|include|require|need|offer|cover)s?(?P<rest> .+)?",
     "What {does} {x} {verb}{rest}?"),
    (r"What (?P<rest>(?:counts as|makes|sets|happens|drives) .+)", "What {rest}?"),
    (r"How (?P<x>.+) (?P<verb>differ|compare|work|relate)s?(?P<rest> .+)?",
     "How {does} {x} {verb}{rest}?"),
    (r"(?P<ask>When|Where|Why) to (?P<rest>.+)", "{ask} should you {rest}?"),
    (r"How to (?P<rest>.+)", "How do you {rest}?"),
    (r"Which (?P<x>.+) to (?P<rest>\w+)", "Which {x} should you {rest}?"),
    (r"(?P<x>.+ and .+) compared", "How do {x} compare?"),
    (r"(?P<x>.*[^\Wsui]s) defined", "What are {x}?"),
    (r"(?:The )?(?P<x>(?:\w+ )?\w*[^\Wsui]s (?:of|to|between) .+)", "What are the {x}?"),
    (r"(?:The )?(?P<x>(?:\w+ )?(?:\w*[^\Ws]|\w+ss) of .+)", "What is the {x}?"),
)  # fmt: skip
_PATTERNS = [(re.compile(pattern, re.IGNORECASE), phrase) for pattern, phrase in _HEADINGS]
_AGENTS = frozenset(
    "author creator developer founder maker owner provider publisher vendor".split()
)
_COSTS = frozenset("cost costs price prices pricing".split())
# Column headers that no question asks for in these words.
_SAY_NOTHING = frozenset(
    "access comment comments detail details example examples kind name note notes other remarks "
    "status type".split()
)


def from_heading(heading: str) -> str | None:
    """heading: the path of headings, joined by " > "."""
    path = heading.split(" > ")
    title = _sentence_case(_FORM.sub("", path[-1].strip().rstrip(".:")))
    if title.endswith("?"):
        return _standing(title)
    if any(_GLOSSARY.search(parent) for parent in path[:-1]):
        return _meaning(title)
    for pattern, phrase in () if _GLOSSARY.search(title) else _PATTERNS:
        found = pattern.fullmatch(title)
        if found:
            return _standing(_filled(phrase, found))
    return None


def from_passage(passage: Passage) -> Iterator[str]:
    """From its own words: not from the headings above it."""
    if passage.kind == "row":
        found = _from_row(cells(passage.body))
    elif _GLOSSARY.search(passage.heading):
        found = (_meaning(match["term"]) for match in _TERM.finditer(passage.body))
    else:
        found = map(_standing, _opening_questions(passage))
    yield from (question for question in found if question)


# -- prose ---------------------------------------------------------------------------------------


def _opening_questions(passage: Passage) -> Iterator[str]:
    """Sentences that begin a line, ask, and are followed by one that doesn't."""
    said = [passage.body[unit.body_start : unit.body_end].strip() for unit in passage.units]
    for unit, sentence, following in zip(passage.units, said, said[1:], strict=False):
        before = passage.body[: unit.body_start].rstrip(" ")
        opens = not before or before.endswith("\n")
        if opens and not following.endswith("?") and _ASKS.match(sentence):
            yield _sentence_case(" ".join(sentence.split()))


def _meaning(term: str) -> str | None:
    bare = _lowered(_BRACKETED.sub("", term).strip())
    return f"What does “{bare}” mean?" if bare and len(bare.split()) <= _SUBJECT_WORDS else None


# -- rows ----------------------------------------------------------------------------------------


def _from_row(row: list[Cell]) -> Iterator[str | None]:
    """Of a row about a model each of its cells; of one about a quality, how the two things that
    the columns are about differ in it."""
    subject, values = row[0].value.strip(), [cell for cell in row[1:] if _says(cell.value)]
    if not subject or re.search(r"[,;/():]", subject) or len(subject.split()) > _SUBJECT_WORDS:
        return
    if any(name.is_model or name.is_family for name in names(subject)):
        yield from (_attribute(subject, cell.header) for cell in values)
    elif len(row) == len(values) + 1 == 3:
        yield _difference(subject, values[0].header, values[1].header)


def _says(value: str) -> bool:
    return any(map(str.isalnum, value)) and value.strip().lower() not in {"varies", "n/a", "none"}


def _attribute(subject: str, header: str) -> str | None:
    plain = re.sub(r"^(?:approx\.?|approximate|typical)\s", "", _lowered(header), flags=re.I)
    last = plain.rsplit(" ", 1)[-1]
    if not re.fullmatch(r"[^\W\d_][\w -]*", plain) or len(plain.split()) > _HEADER_WORDS:
        return None
    if last in _SAY_NOTHING:
        return None
    if last in _COSTS:
        return f"What does {subject} cost?"
    if last in _AGENTS:
        return f"Who is the {plain} of {subject}?"
    if _PREPOSITION.fullmatch(plain):
        return f"What is {subject} {plain}?"
    return f"What {'are' if _PLURAL.fullmatch(last) else 'is'} the {plain} of {subject}?"


def _difference(quality: str, first: str, second: str) -> str | None:
    """Only of plurals: "open models and closed models"."""
    things = [_lowered(header) for header in (first, second)]
    if _PREPOSITION.fullmatch(quality) or not all(
        _PLURAL.fullmatch(thing.split()[-1]) and re.fullmatch(r"[\w -]+", thing) for thing in things
    ):
        return None
    return f"How do {things[0]} and {things[1]} differ in {_lowered(quality)}?"


# -- words ---------------------------------------------------------------------------------------


def _filled(phrase: str, found: re.Match[str]) -> str:
    groups = {name: text or "" for name, text in found.groupdict().items()}
    groups = {name: text if name == "ask" else _lowered(text, 1) for name, text in groups.items()}
    thing = groups.get("x", "")
    several = " and " in thing or _PLURAL.fullmatch(thing.split(" ")[-1])
    return phrase.format(**groups, does="do" if several else "does")


def _standing(question: str) -> str | None:
    """The question, if it can be asked by itself."""
    length = len(question.split())
    fits = FEWEST_WORDS <= length <= MOST_WORDS and not _BRACKETED.search(question)
    return question if fits and not _LEANING.search(question) else None


def _sentence_case(title: str) -> str:
    """Of a title in capitals ("When To Use Open Models") the sentence; any other as it is."""
    later = [word for word in title.split()[1:] if len(word) > 3 and word[0].isalpha()]
    capital = [word for word in later if word[0].isupper()]
    if len(capital) * 2 <= len(later):
        return title
    low = _lowered(title)
    return low[:1].upper() + low[1:] if title[:1].isupper() and low[:1].islower() else low


def _lowered(text: str, most: int = 1000) -> str:
    """Without the capitals of a title, in the first `most` words; those of names stay."""
    kept = [(n.start, n.end) for n in names(text) if n.is_listed or n.is_model]

    def low(word: re.Match[str]) -> str:
        named = any(start < word.end() and word.start() < end for start, end in kept)
        parts = re.split(r"(-)", word[0])
        plain = all(part[1:].islower() or len(part) < 2 for part in parts)
        return word[0] if named or not plain or len(word[0]) < 2 else word[0].lower()

    return _WORD.sub(low, text, count=most)
