"""Names that must match exactly: models with their versions and variants, licences, organisations.

"Llama 3.1" is not "Llama 4", "GPT-4o mini" is not "GPT-4o", "Apache 2.0" is not "MIT". A name is
kept as a family ("llama") with the version and variant words that follow it. Spelling variants are
one name: LLaMA/Llama, GPT-4o/GPT 4o, DeepSeek-R1/R1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from kb.families import (
    BENCHMARKS,
    CAPITAL_FAMILIES,
    CAPITAL_ORGANISATIONS,
    DEVICES,
    FAMILIES,
    IMPLIED,
    LICENCES,
    ORDINARY,
    ORGANISATIONS,
    SIBLINGS,
    THINGS,
    VARIANTS,
)
from kb.name_words import Word, words

_MODELS = FAMILIES | CAPITAL_FAMILIES
_ORGANISATIONS = ORGANISATIONS | CAPITAL_ORGANISATIONS
_CAPITALS = CAPITAL_FAMILIES | CAPITAL_ORGANISATIONS | LICENCES
_VERSION = re.compile(r"v?\d+(?:\.\d+)*[a-z]{0,2}")
_VERSION_SIGN = re.compile(r"^v(?=\d)")
_DOTTED = re.compile(r"v?\d\.\d+")
_LETTERED = re.compile(r"[a-z]\d(?:\.\d+)?")  # R1, V3, K2
_SIZE = re.compile(r"\d+(?:\.\d+)?b|(?:[2-9]\d|[1-9]\d\d)m|\d+x\d+b|a\d+b")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MEASURE = re.compile(r"\d+(?:\.\d+)?(?:[kmbtxsh]|st|nd|rd|th|[kmgt]b|hr|ms)")
# "MMLU 80–82%", "Llama 700 million": the number is a figure
_COUNTS = re.compile(
    r"\s?(?:%|×|[-–—](?!\d+(?:\.\d+)?b\b)\d|,\d{3}|x\b|"
    r"(?:percent|times|thousand|million|billion|points)\b)",
    re.IGNORECASE,
)
_HYPHENS = ("-", "\u2010", "\u2011")
_ALIASES = {"r1": ("deepseek", "r1"), **{f"o{n}": ("openai", f"o{n}") for n in (1, 3, 4)}}
_HARDWARE = re.compile(r"[abhlv]\d{2,3}")
_LISTED = re.compile(r"/|,? (?:and|or|&) |, ")
_LIST_GOES_ON = re.compile(r"\s*(?:[,;/|).]|$|(?:and|or|is|are|was|were|has|have|from|by)\b)")
_LICENCE_WORDS = frozenset("licence license version".split())
_ABBREVIATED = re.compile(r"(?:e\.g|i\.e|vs|al|approx|cf)\.$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """`family`: one lower-case word. `marks`: versions, sizes and variants, lower case.
    `initials`: of the capitalised words that it stands among; "osi" in "Open Source Initiative"."""

    family: str
    marks: frozenset[str]
    start: int
    end: int
    initials: str = ""

    def stated_by(self, other: Name) -> bool:
        """Whether `other` can be what this names: the same family with at least these marks."""
        return self.family == other.family and self.marks <= other.marks

    def is_sibling(self, other: Name) -> bool:
        """ "GPT-4o mini" of "GPT-4o": of a version of the family, the smaller or larger model."""
        versions = (self.marks & other.marks) - VARIANTS
        return bool(versions and (self.marks ^ other.marks) & SIBLINGS)

    @property
    def is_family(self) -> bool:
        """Of a known family of models, whichever of them it is."""
        return self.family in _MODELS

    @property
    def is_organisation(self) -> bool:
        return self.family in _ORGANISATIONS

    @property
    def is_listed(self) -> bool:
        """A family, an organisation or a licence that is known by its word, not by its shape."""
        return _known(self.family)

    @property
    def is_benchmark(self) -> bool:
        return self.family in BENCHMARKS

    @property
    def is_device(self) -> bool:
        return self.family in DEVICES or bool(_HARDWARE.fullmatch(self.family))

    @property
    def is_model(self) -> bool:
        """Tells which model, not only of which family or how large."""
        tells = any(not is_size(mark) for mark in self.marks)
        return tells and self.family not in THINGS and not _LETTERED.fullmatch(self.family)


def is_size(mark: str) -> bool:
    """ "70b" tells a model's size; "3.1" and "mini" tell which model."""
    return bool(_SIZE.fullmatch(mark))


@lru_cache(maxsize=20_000)
def names(text: str) -> tuple[Name, ...]:
    """Every name of the text, in order. Neighbouring capitalised words are separate families;
    versions and variants attach to the family before them."""
    return tuple(_Reader(text).read())


def _known(family: str) -> bool:
    return family in _MODELS | ORGANISATIONS | _CAPITALS


# -- reading -------------------------------------------------------------------------------------


class _Reader:
    """Goes through the words of a text once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._words = words(text)
        self._family = ""  # the model family named last

    def read(self) -> list[Name]:
        found: list[Name] = []
        at = 0
        while at < len(self._words):
            name, following = self._name(at)
            if name is None:
                at += 1
                continue
            found.append(name)
            if name.family in _MODELS:
                self._family = name.family
            at = following
            while at < len(self._words) and (sibling := self._sibling(found[-1], at)):
                found.append(sibling[0])
                at = sibling[1]
        return found

    def _name(self, at: int) -> tuple[Name | None, int]:
        """The name that begins at a word, and the word after it."""
        word = self._words[at]
        marks, following = self._marks(at)
        alias = _ALIASES.get(word.low)
        if alias:
            return self._made(alias[0], {alias[1]} | marks, at, following), following
        if word.low in IMPLIED and (word.capital or marks - VARIANTS):
            return self._made(IMPLIED[word.low], {word.low} | marks, at, following), following
        if self._family and word.capital and re.fullmatch(r"v\d(?:\.\d+)?", word.low):
            return self._made(self._family, {word.low[1:]} | marks, at, following), following
        if self._is_name(at, bool(marks)):
            return self._made(word.low, marks, at, following), following
        return None, at + 1

    def _made(self, family: str, marks: set[str] | frozenset[str], at: int, end: int) -> Name:
        start, stop = self._words[at].start, self._words[end - 1].end
        return Name(family, frozenset(marks), start, stop, self._initials(at))

    def _is_name(self, at: int, marked: bool) -> bool:
        word = self._words[at]
        if word.low in FAMILIES | ORGANISATIONS:
            return True
        licensed = self._text[word.end :].lower().startswith((" licen", "-licen"))
        if word.low in LICENCES and (marked or licensed):
            return True
        if word.low in _CAPITALS:
            return word.capital or (marked and word.low in CAPITAL_FAMILIES)
        if _HARDWARE.fullmatch(word.low):
            return True
        if word.low in ORDINARY or word.low in VARIANTS or not word.raw[0].isalpha():
            return False
        if word.mixed:
            return True
        possessive = word.raw.lower() != word.low
        begins = _begins_sentence(self._text, word.start) and not possessive
        hyphened = self._text[: word.start].endswith(_HYPHENS)
        benchmark = word.low == "bench" and hyphened
        return benchmark or (word.capital and (marked or not (begins or hyphened)))

    def _marks(self, at: int) -> tuple[set[str], int]:
        """Versions and variants straight after a word, and the word after them."""
        marks: set[str] = set()
        following = self._after_licence_words(at)
        while following < len(self._words) and self._attached(at, following, marks):
            marks.add(_VERSION_SIGN.sub("", self._words[following].low))
            following += 1
        return marks, following if marks else at + 1

    def _after_licence_words(self, at: int) -> int:
        """ "Apache License, Version 2.0" is "Apache 2.0"."""
        following = at + 1
        if self._words[at].low in LICENCES:
            while following < len(self._words) and self._words[following].low in _LICENCE_WORDS:
                following += 1
        return following

    def _attached(self, at: int, following: int, marks: set[str]) -> bool:
        head, left, word = self._words[at], self._words[following - 1], self._words[following]
        gap = self._text[left.end : word.start]
        if gap not in (" ", "", *_HYPHENS) or left.raw.lower() != left.low:
            return False  # a possessive or a plural ends a name
        hyphen = gap != " "
        model = head.low in _MODELS or head.low in IMPLIED or head.low in _ALIASES
        if word.low in VARIANTS:
            return self._is_variant(head, following, model, hyphen, marks)
        if _SIZE.fullmatch(word.low):
            return model or hyphen
        if any(not is_size(mark) and mark not in VARIANTS for mark in marks):
            return False  # one version a name
        if _LETTERED.fullmatch(word.low):
            return model or head.low == "openai" or (hyphen and head.capital)
        return self._is_version(head, word, model, hyphen)

    def _is_variant(
        self, head: Word, following: int, model: bool, hyphen: bool, marks: set[str]
    ) -> bool:
        """Written with a capital or behind a hyphen, or in a name without any capitals; "Llama
        large" is none."""
        word = self._words[following]
        if word.capital or hyphen or word.low in ("mini", "nano"):
            return model or head.mixed or bool(marks) or head.low == "bench"
        if word.low == "oss":  # no English word
            return model
        versioned = _VERSION.match(self._text, word.end + 1)
        fits = word.low in IMPLIED or versioned or (marks and word.low in SIBLINGS)
        return model and not head.capital and bool(fits)

    def _is_version(self, head: Word, word: Word, model: bool, hyphen: bool) -> bool:
        low = word.low
        if not _VERSION.fullmatch(low) or _YEAR.fullmatch(low) or _MEASURE.fullmatch(low):
            return False
        if _COUNTS.match(self._text, word.end):
            return False
        if hyphen:
            return head.raw[0].isalpha() and (model or head.capital)
        dotted = bool(_DOTTED.fullmatch(low))
        if model:
            return dotted or len(re.sub(r"\D", "", low)) <= 2
        return dotted and (head.capital or head.low in LICENCES)

    def _sibling(self, name: Name, at: int) -> tuple[Name, int] | None:
        """ "Llama 4 Scout/Maverick", "Opus 4.7 and Sonnet 4.6", "Claude 3, 3.5": the next one."""
        at += self._words[at].low in ("and", "or") and at + 1 < len(self._words)
        word = self._words[at]
        if not _LISTED.fullmatch(self._text[name.end : word.start]) or not name.marks:
            return None
        shared = name.marks - VARIANTS
        if word.low in VARIANTS and word.capital and shared != name.marks:
            marks, following = self._marks(at)
            own = any(mark not in VARIANTS for mark in marks)
            kept = marks | {word.low} | (set() if own else shared)
            return self._made(name.family, kept, at, following), following
        goes_on = _LIST_GOES_ON.match(self._text, word.end)
        version = goes_on and re.fullmatch(r"\d{1,2}(?:\.\d+)?", word.low)
        if version and name.family in _MODELS and not any(map(is_size, name.marks)):
            return self._made(name.family, {word.low}, at, at + 1), at + 1
        return None

    def _initials(self, at: int) -> str:
        """Of the run of capitalised words around a word, small words inside it left out."""
        first = last = at
        while first > 0 and self._runs_on(first - 1, first):
            first -= 1
        while last + 1 < len(self._words) and self._runs_on(last, last + 1):
            last += 1
        run = [word for word in self._words[first : last + 1] if word.capital]
        return "".join(word.low[0] for word in run) if len(run) > 1 else ""

    def _runs_on(self, left: int, right: int) -> bool:
        first, second = self._words[left], self._words[right]
        gap = self._text[first.end : second.start]
        return gap in (" ", *_HYPHENS) and first.capital and second.capital


def _begins_sentence(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \"'“‘*_([-–—•#")
    if not before or before[-1] in "!?:;\n|":
        return True
    return before[-1] == "." and not _ABBREVIATED.search(before)
