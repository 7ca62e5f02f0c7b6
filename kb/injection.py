"""What of a question is a question, and what tries to give orders."""

from __future__ import annotations

import re

from kb.sentences import split

# Orders to the assistant itself, not questions about the documents. Shapes, not topics: the
# taxonomy is that of Liu et al. 2024, "Formalizing and Benchmarking Prompt Injection Attacks". An
# order is in the imperative, at the start of a clause: "How do I ignore case?" is none.
_START = (
    r"(?:^|[:;,.!(\[—–\"“]\s*|\b(?:and|then|but|also|so|or)\s+)"
    r"(?:(?:please|now|just|also|then|first|instead|kindly|simply)\s+)*"
)
_RULES = (
    r"(?:(?:all|any|the|your|my|these|those|every|of|previous|prior|earlier|above|other|safety|"
    r"system|content|given|citation)\s+)*(?:instructions?|rules?|prompts?|guidelines?|passages?|"
    r"documents?|sources?|context|restrictions?|policies|training|citations?|everything|above|"
    r"previous|prior|that|this)\b"
)
_OWN = (
    r"(?:me\s+)?(?:(?:the|your|all|full|entire|initial|hidden|secret|exact|of)\s+)*"
    r"(?:system\s+(?:prompt|message|instructions?)|hidden\s+(?:instructions?|prompt)|"
    r"(?:instructions?|prompt|text|words?|everything)\s+above|secret\s+password|passwords?|"
    r"(?:api\s+)?keys?\s+(?:that\s+)?you)\b"
    r"|(?:me\s+)?your\s+(?:\w+\s+)?(?:instructions?|rules|prompt|guidelines|configuration|key)\b"
)
_IMPERATIVES = (
    rf"(?:ignore|disregard|forget|override|bypass|skip|drop|abandon)\s+(?:about\s+)?{_RULES}",
    rf"(?:stop|quit|cease)\s+(?:following|obeying|using|citing|applying)\s+{_RULES}",
    rf"(?:do\s+not|don['’]t|never)\s+(?:follow|obey|use|cite|consult|rely\s+on|mention)\s+{_RULES}",
    r"never\s+cite\b",
    rf"(?:reveal|show|print|repeat|output|display|leak|dump|tell|give|write\s+out)\s+(?:{_OWN})",
    r"(?:pretend|imagine|suppose)\s+(?:to\s+be|(?:that\s+)?you)\b",
    r"(?:act|behave|respond|speak)\s+(?:as|like)\s+(?:if|an?|the|though)\b|role-?play\b",
    r"(?:answer|respond|reply|claim|insist)\s+(?:(?:only|just|solely|exclusively|always)\s+)?"
    r"(?:with|that|yes|no)\b",
    r"(?:answer|respond|reply)\s+(?:\w+\s+){0,3}?(?:without|from\s+(?:your\s+)?(?:own\s+)?memory)\b",
    r"say\s+(?!what|how|which|why|whether|who|when|where|if)[\w'\"“‘]",
    r"do\s+anything\s+now\b",
    r"(?:enter|enable|activate|switch\s+to)\s+\w+\s+mode\b",
)
_DECLARATIONS = (
    r"you\s+are\s+(?:now|no\s+longer)\s+(?!allowed|able|required)",
    r"you\s+(?:must|will|shall|have\s+to)\s+(?:now\s+|only\s+|always\s+)?"
    r"(?:say|answer|reply|respond|obey|agree|comply|pretend|ignore)\b",
    r"from\s+now\s+on,?\s+(?:you|always|never|only|answer|respond|reply|act|speak|ignore|pretend)\b",
    r"new\s+instructions?\s*:",
    r"(?:system|admin(?:istrator)?|developer)\s+(?:override|notice|command|mode\s+(?:on|enabled))\b",
)
_ORDER = re.compile(
    rf"{_START}(?:{'|'.join((*_IMPERATIVES, *_DECLARATIONS))})"
    rf"|\b(?:can|could|will|would)\s+you\s+(?:please\s+)?(?:{'|'.join(_IMPERATIVES)})"
    r"|\b(?:what|which)\s+(?:is|are|was|were)\s+your\s+(?:\w+\s+)?(?:instructions|prompt|rules)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(?:[:;,—–-]\s*|\b(?:and|then|but)\s+)(?P<question>(?:(?:please|then)\s+)?"
    r"(?:tell\s+me\s+|answer\s+|explain\s+|say\s+)?(?:what|which|who|whose|how|when|where|why|is|"
    r"are|was|were|does|do|did|can|could|may|must|should|will|would|has|have)\b.*)$",
    re.IGNORECASE | re.DOTALL,
)
# Chat templates' own marks: what stands between them is text like any other.
_TEMPLATE = re.compile(
    r"<[|/]?\s*/?(?:system|user|assistant|im_start|im_end|inst)\b[^>\n]{0,20}>|\[/?INST\]",
    re.IGNORECASE,
)


def factual_part(question: str) -> str:
    """The question without what gives orders; empty when nothing else is there."""
    parts = (_without_orders(part) for part in split(_TEMPLATE.sub("\n", question)))
    return " ".join(part for part in parts if part)


def gives_orders(text: str) -> bool:
    return any(_ORDER.search(part) for part in split(_TEMPLATE.sub("\n", text)))


def _without_orders(sentence: str) -> str:
    """The sentence; of one that orders something, the question that it ends with."""
    if not _ORDER.search(sentence):
        return sentence
    for asks in _ASKS.finditer(sentence):
        if not _ORDER.search(asks["question"]):
            return asks["question"].strip()
    return ""
