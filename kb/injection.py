"""What of a question is a question, and what tries to give orders."""

from __future__ import annotations

import re

from kb.sentences import split

# Orders to the assistant itself, not questions about the documents. Shapes, not topics: the
# taxonomy is that of Liu et al. 2024, "Formalizing and Benchmarking Prompt Injection Attacks".
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|rules?|prompts?|"
    r"guidelines?|passages?|documents?|sources?|above|previous|prior|training|restrictions?)\b"
    r"|\b(?:system|developer|admin(?:istrator)?)\s*(?:override|prompt|message|mode|notice)\b"
    r"|\bfrom now on\b|\byou are (?:now|no longer)\b|\bpretend (?:to be|you|that)\b"
    r"|\bact as\b|\bjailbreak\b|\bnew instructions?\b|\byou must (?:now )?(?:say|answer|reply|obey)"
    r"|\b(?:reveal|show|print|repeat|output|tell me)\b.{0,30}\b(?:system prompt|instructions|"
    r"secret|password|api key|hidden)\b"
    r"|\b(?:without|no) (?:citing|citations?|sources?)\b|\b(?:answer|respond|reply) only with\b",
    re.IGNORECASE | re.DOTALL,
)


def factual_part(question: str) -> str:
    """The question without the sentences that give orders; empty when nothing else is there."""
    return " ".join(part for part in split(question) if not _ORDER.search(part))


def gives_orders(text: str) -> bool:
    return bool(_ORDER.search(text))
