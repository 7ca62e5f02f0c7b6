"""`kb eval answers`: a question file through the same path as the API, one line an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.asking import Asking
from bench.questions import load
from bench.rows import Results, Row
from kb.events import Ask
from kb.types import Message

FILE = "answers.jsonl"
# Questions of our own, written without the code in view, after everything had been tuned; those of
# SEEN were then looked at when rules were made.
_DATA = Path(__file__).parent / "data"
SEEN, SEEN_FILE = _DATA / "seen.jsonl", "seen.jsonl"
HELD_OUT, HELD_OUT_FILE = _DATA / "held_out.jsonl", "held_out.jsonl"
FRESH, FRESH_FILE = _DATA / "fresh.jsonl", "fresh.jsonl"  # written after copying was
OURS = {
    "seen": (SEEN, SEEN_FILE),
    "held_out": (HELD_OUT, HELD_OUT_FILE),
    "fresh": (FRESH, FRESH_FILE),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and the questions before it in its conversation, oldest first; "q080#2" is the
    second turn of q080."""

    key: str
    question: str
    earlier: tuple[str, ...] = ()

    def history(self, said: dict[str, str]) -> tuple[Message, ...]:
        """What a chat window would send: every earlier question with the answer it got."""
        conversation = self.key.partition("#")[0]
        messages: list[Message] = []
        for number, question in enumerate(self.earlier, 1):
            messages.append(Message("user", question))
            if answer := said.get(f"{conversation}#{number}"):
                messages.append(Message("assistant", answer))
        return tuple(messages)


def turns(questions: Path) -> Iterator[Turn]:
    for item in load(questions):
        if item["type"] != "multiturn":
            yield Turn(item["id"], item["question"])
            continue
        for number, question in enumerate(item["turns"], 1):
            yield Turn(f"{item['id']}#{number}", question, tuple(item["turns"][: number - 1]))


def run(asking: Asking, questions: Path, results: Results) -> Iterator[Row]:
    """A row a turn, as the scorer reads them."""
    said: dict[str, str] = {}

    def work(turn: Turn) -> Row:
        return asking.row(Ask(turn.question, history=turn.history(said)))

    for row in results.of(((turn.key, turn) for turn in turns(questions)), work):
        said[row["id"]] = row["answer"]
        yield row
