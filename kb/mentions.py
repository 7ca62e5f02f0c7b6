"""What a question or an answer is about, as far as names tell it: what "it" may point back to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb.names import Name, names

_TOGETHER = re.compile(r" |['’]s |-")  # "OpenAI's GPT-4o", "Llama Community License"


@dataclass(frozen=True, slots=True)
class Mention:
    """A run of names as it stands in the text."""

    text: str
    names: tuple[Name, ...]

    @property
    def is_model(self) -> bool:
        return any(name.is_model or name.is_family for name in self.names)

    @property
    def is_sure(self) -> bool:
        """Known for a name by its words, so that it can stand for a pronoun."""
        return any(name.is_model or name.is_listed for name in self.names)


def mentions(text: str) -> list[Mention]:
    """In order, each once. Bare acronyms ("VRAM", "MMLU") count only where nothing else is named:
    they are mostly what is asked, not whom it is asked of."""
    found: dict[str, Mention] = {}
    for run in _runs(text, names(text)):
        said = text[run[0].start : run[-1].end].removesuffix("'s").removesuffix("’s")
        found.setdefault(said.lower(), Mention(said, tuple(run)))
    proper = [mention for mention in found.values() if not _is_acronym(mention)]
    return proper or list(found.values())


def one_of(mentioned: Sequence[Mention], answer: str) -> Mention:
    """The one that a singular pronoun means: the one that the answer begins with, else the first
    model, else the last."""
    for name in names(answer)[:3]:
        for mention in mentioned:
            if any(n.stated_by(name) and n.marks == name.marks for n in mention.names):
                return mention
    models = [mention for mention in mentioned if mention.is_model]
    return models[0] if models else mentioned[-1]


def listed(mentioned: Sequence[Mention]) -> str:
    *first, last = (mention.text for mention in mentioned)
    return f"{', '.join(first)} and {last}" if first else last


def _runs(text: str, found: Sequence[Name]) -> list[list[Name]]:
    runs: list[list[Name]] = []
    for name in found:
        if runs and _TOGETHER.fullmatch(text[runs[-1][-1].end : name.start]):
            runs[-1].append(name)
        else:
            runs.append([name])
    return runs


def _is_acronym(mention: Mention) -> bool:
    return mention.text.isupper() and not mention.is_model and " " not in mention.text
