"""A follow-up that the rules can't put into words, for the model: the prompt, and the check.

What comes back is only a search query: nothing of it is shown as an answer. Still it may bring
nothing in that was not said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from kb.conversation import Understand, by_rules, needs_model, standalone
from kb.errors import ModelError
from kb.injection import factual_part
from kb.mentions import mentions
from kb.ports import ChatModel
from kb.types import Message
from kb.verify import Needs

SYSTEM = (
    "You rewrite the last question of a conversation so that it can be understood without the "
    "conversation. Replace words such as it, they, that one and there by what they mean. Add "
    "nothing that was not said. If it can be understood already, or begins a new topic, repeat it "
    "unchanged. Reply with the question only."
)
# Invented, and far from any corpus; part of the prefix that is read once.
_EXAMPLES = (
    (
        "Asked: What does a day's rental of the Tern 4 cost?\nAnswered: A day costs $20.\n"
        "Question: And for a week?",
        "What does a week's rental of the Tern 4 cost?",
    ),
    (
        "Asked: Why are locks not included in the daily rate?\nAnswered: Because few riders want "
        "one.\nQuestion: Does that hold for helmets as well?",
        "Are helmets not included in the daily rate either?",
    ),
    (
        "Asked: Who repairs the bicycles?\nAnswered: The workshop at the harbour does.\n"
        "Question: How many gears are usual in racing?",
        "How many gears are usual in racing?",
    ),
)
_PREFIX = (
    Message("system", SYSTEM),
    *(
        message
        for asked, rewritten in _EXAMPLES
        for message in (Message("user", asked), Message("assistant", rewritten))
    ),
)
TURNS = 2  # exchanges shown: reading them is most of the cost
ANSWER_WORDS = 40
REWRITE_TOKENS = 48
_MOST_WORDS = 40
_WORD = re.compile(r"[^\W_]{4,}")
_LONG_WORD = re.compile(r"[^\W_]{7,}")  # shorter ones are often only grammar


def rewrite_messages(question: str, history: Sequence[Message]) -> list[Message]:
    """The fixed prefix, then the last exchanges and the question."""
    lines: list[str] = []
    for message in history:
        if message.role == "user" and (asked := factual_part(message.content)):
            lines.append(f"Asked: {_cut(asked)}")
        elif message.role == "assistant" and lines:
            lines.append(f"Answered: {_cut(message.content)}")
    lines = lines[-2 * TURNS :]
    return [*_PREFIX, Message("user", "\n".join([*lines, f"Question: {question}"]))]


def accepted(rewrite: str, question: str, history: Sequence[Message]) -> bool:
    """Whether a rewrite may stand for the question: one short line that brings no name and no
    figure and no long word that was not said, loses no name or figure of the question, and keeps
    half of its words."""
    if not rewrite or "\n" in rewrite or len(rewrite.split()) > _MOST_WORDS:
        return False
    said = "\n".join([question, *(message.content for message in history)])
    figures_kept = not Needs.of(question).unmet(rewrite).figures
    own, other = set(_WORD.findall(question.lower())), rewrite.lower()
    kept = all(mention.text.lower() in other for mention in mentions(question))
    about = not own or sum(word[:5] in other for word in own) * 2 >= len(own)
    new = any(word[:5] not in said.lower() for word in _LONG_WORD.findall(other))
    return kept and figures_kept and about and not new and Needs.of(rewrite).unmet(said).met


def rewritten(
    question: str,
    history: Sequence[Message],
    model: ChatModel,
    cancelled: Callable[[], bool] = lambda: False,
) -> str:
    """The question standing alone: by the rules, and by the model where they are unsure, it can
    be had, and it keeps to what was said."""
    by_rule = standalone(question, history)
    if not needs_model(question, history):
        return by_rule
    try:
        pieces = model.write(rewrite_messages(question, history), REWRITE_TOKENS, cancelled)
        by_model = "".join(pieces).strip().removeprefix("Question: ")
    except ModelError:
        return by_rule
    return by_model if accepted(by_model, question, history) else by_rule


def understanding(by: Literal["rules", "model"], model: ChatModel) -> Understand:
    """How follow-ups are put into words, as the settings say."""
    if by == "rules":
        return by_rules
    return lambda question, history, cancelled: rewritten(question, history, model, cancelled)


def _cut(text: str) -> str:
    words = text.split()
    return " ".join(words[:ANSWER_WORDS]) + (" …" if len(words) > ANSWER_WORDS else "")
