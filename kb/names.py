"""Names that must match exactly: models with their versions and variants, licences, organisations.

"Llama 3.1" is not "Llama 4", "GPT-4o mini" is not "GPT-4o", "Apache 2.0" is not "MIT". A name is
kept as a family ("llama") with the version and variant words that follow it. Spelling variants are
one name: LLaMA/Llama, GPT-4o/GPT 4o, DeepSeek-R1/R1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# Words that make another model of the same family and version.
VARIANTS = frozenset(
    """
    audio base behemoth chat coder deep flash haiku high instruct large lite maverick max
    medium mini mythos nano opus plus preview pro scout small sonnet thinking turbo ultra
    vision xl
    """.split()
)
# Licences are often one short word, which no pattern of shape can tell from an acronym.
_LICENCES = frozenset(
    """
    agpl apache bsd gpl lgpl mit mpl openrail
    """.split()
)
# Capitalised at a sentence's start or by habit, and no name.
_ORDINARY = frozenset(
    """
    a ai an and any api apis april are as at august be because best both but by can closed
    compared could december deploy deployment did do does each eight elo every faq february
    figures fine five for four from gb ghz gpu gpus had has have high higher how however i id
    ids if ii iii in input is iso it its iv january july june kb key know kwh large latest llm
    llms long low lower many march mau may mb mixture model models more most must nine no not
    november october of on one only open open-source open-weight open-weights or other our
    output price pricing pro proprietary provider providers running self-hosted self-hosting
    september seven should since six sla slas so soc2 some source sources such tb ten term
    terms than that the their them there these they this those three tip to tokens two ui
    under url use users using vendor vendors vs was we were what when where whether which
    while who whose why will with without would yes you your
    """.split()
)
_ALIASES = {"r1": ("deepseek", "r1"), "opensource": ("open", "source")}

_TOKEN = re.compile(r"\$?[A-Za-z]*\d[\w.]*\w|[A-Za-z]*\d|[A-Za-z][A-Za-z'’]*", re.ASCII)
_VERSION = re.compile(r"v?\d+(?:\.\d+)*[a-z]{0,2}|[a-z]\d+(?:\.\d+)?|\d+x\d+b", re.IGNORECASE)
_SIZE = re.compile(r"\d+(?:\.\d+)?[bm]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """`family`: one lower-case word. `marks`: versions, sizes and variants, lower case."""

    family: str
    marks: frozenset[str]
    start: int
    end: int

    def stated_by(self, other: Name) -> bool:
        """Whether `other` can be what this names: the same family with at least these marks."""
        return self.family == other.family and self.marks <= other.marks


def is_size(mark: str) -> bool:
    """ "70b" tells a model's size; "3.1" and "mini" tell which model."""
    return bool(_SIZE.fullmatch(mark))


@dataclass(frozen=True, slots=True)
class _Word:
    raw: str
    low: str
    start: int
    end: int


def _words(text: str) -> list[_Word]:
    return [
        _Word(m.group(), m.group().lower().removesuffix("'s").removesuffix("’s"), *m.span())
        for m in _TOKEN.finditer(text)
    ]


def _is_mark(word: _Word) -> bool:
    return bool(_VERSION.fullmatch(word.low)) or (word.low in VARIANTS)


def _is_family(word: _Word, first_of_sentence: bool) -> bool:
    if word.low in _ORDINARY or word.low in VARIANTS or not word.raw[0].isalpha():
        return False
    if word.low in _LICENCES:
        return word.raw[0].isupper()
    mixed = any(c.isupper() for c in word.raw[1:])
    return mixed or (word.raw[0].isupper() and not first_of_sentence)


@lru_cache(maxsize=20_000)
def names(text: str) -> tuple[Name, ...]:
    """Every name of the text, in order. Neighbouring capitalised words are separate families;
    versions and variants attach to the family before them."""
    words = _words(text)
    found: list[Name] = []
    i = 0
    while i < len(words):
        word = words[i]
        first = i == 0 or _begins_sentence(text, word.start)
        marked = i + 1 < len(words) and _attached(text, word, words[i + 1])
        alias = _ALIASES.get(word.low)
        if alias:
            found.append(Name(alias[0], frozenset(alias[1:]), word.start, word.end))
        elif _is_family(word, first and not marked) or (
            marked and word.raw[0].isalpha() and word.low not in _ORDINARY | VARIANTS
            and bool(re.search(r"\d", words[i + 1].raw))
        ):  # fmt: skip
            end = i
            while end + 1 < len(words) and _attached(text, words[end], words[end + 1]):
                end += 1
            marks = frozenset(w.low.removeprefix("v") for w in words[i + 1 : end + 1])
            found.append(Name(word.low, marks, word.start, words[end].end))
            found.extend(_siblings(text, found[-1], words[end + 1 : end + 3]))
            i = end
        i += 1
    return tuple(found)


def _siblings(text: str, name: Name, after: list[_Word]) -> list[Name]:
    """ "Llama 4 Scout/Maverick" names Llama 4 Maverick as well."""
    shared = name.marks - VARIANTS
    siblings = []
    end = name.end
    for word in after:
        if text[end : word.start] != "/" or word.low not in VARIANTS or shared == name.marks:
            break
        siblings.append(Name(name.family, shared | {word.low}, word.start, word.end))
        end = word.end
    return siblings


def _attached(text: str, left: _Word, right: _Word) -> bool:
    """A version or variant straight after: "GPT-4o mini", "Llama 3.1 70B", "Opus 4.7"."""
    gap = text[left.end : right.start]
    if gap not in (" ", "-", "", "\u2011") or not _is_mark(right):
        return False
    # "Llama large" is no variant: variants are written with a capital, or follow a hyphen
    return right.low not in VARIANTS or right.raw[0].isupper() or gap == "-" or right.low == "mini"


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'“‘*_([|-")
    return not before or before[-1] in ".!?:;\n|"


def unstated_names(text: str, sources: str) -> list[Name]:
    """Names of `text` that nothing in `sources` states."""
    known = names(sources)
    low = sources.lower()
    return [
        name
        for name in names(text)
        if not any(name.stated_by(k) for k in known)
        and (name.marks or not re.search(rf"\b{re.escape(name.family)}", low))
    ]
