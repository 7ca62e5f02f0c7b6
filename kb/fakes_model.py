"""A chat model that says what a script says: for tests and for trying out everything around it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from kb.errors import ModelFailed, ModelNotReady
from kb.types import Message, Token

Prompt = tuple[Message, ...]
Script = Callable[[Prompt], str]

PIECE = re.compile(r"\s*\S+|\s+")  # a word with the space before it, as tokenizers cut
POLL_SECONDS = 0.005


def in_turn(answers: Sequence[str]) -> Script:
    """A script that gives one answer a call. Raises ModelFailed when there are none left."""
    left = iter(answers)

    def answer(_: Prompt) -> str:
        if (text := next(left, None)) is None:
            raise ModelFailed(f"the script has only {len(answers)} answers; give it more")
        return text

    return answer


class ScriptedModel:
    """Answers from a script, a word at a time, and can be told to fail the ways models do.

    script: the answers in turn, or a function of the prompt. yes: P(Yes), from the prompt.
    probability: of each token that is copied. `written` and `judged` hold the prompts of every
    call that reached the model.
    """

    def __init__(
        self,
        script: Script | Sequence[str] = (),
        yes: Callable[[Prompt], float] = lambda prompt: 1.0,
        *,
        probability: float | None = None,
        name: str = "scripted",
        not_ready: str | None = None,
        dies_after: int | None = None,
        stalls_after: int | None = None,
        stall_seconds: float = 30.0,
    ) -> None:
        """not_ready: why every call raises ModelNotReady. dies_after, stalls_after: after how many
        pieces it breaks off, or falls silent; the silence ends in ModelFailed, or when the caller
        cancels."""
        self._script = script if callable(script) else in_turn(script)
        self._yes = yes
        self._probability = probability
        self._name = name
        self._not_ready = not_ready
        self._dies_after = dies_after
        self._stalls_after = stalls_after
        self._stall_seconds = stall_seconds
        self._turn = threading.Lock()
        self._closed = False
        self.written: list[Prompt] = []
        self.judged: list[Prompt] = []

    @property
    def name(self) -> str:
        return self._name

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        self._check_open()
        if cancelled():
            return
        with self._turn:
            self.written.append(tuple(messages))
            text = self._script(tuple(messages))
        for count, piece in enumerate(PIECE.findall(text)[:max_tokens]):
            if count == self._stalls_after:
                self._stall(cancelled)
            if cancelled():
                return
            if count == self._dies_after:
                raise ModelFailed("the model broke off in the middle of its answer; ask again")
            self._check_open()
            yield piece

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        """What `write` gives, whatever the grammar says: as a server that knows none."""
        for piece in self.write(messages, max_tokens, cancelled):
            yield Token(piece, self._probability)

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        self._check_open()
        if cancelled():
            raise ModelFailed("the model was cancelled before it had decided; ask again")
        with self._turn:
            self.judged.append(tuple(messages))
            return self._yes(tuple(messages))

    def close(self) -> None:
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise ModelFailed("the model has been closed; restart the server")
        if self._not_ready is not None:
            raise ModelNotReady(self._not_ready)

    def _stall(self, cancelled: Callable[[], bool]) -> None:
        end = time.monotonic() + self._stall_seconds
        while not cancelled():
            if time.monotonic() > end:
                raise ModelFailed(
                    f"the model gave no sign of life for {self._stall_seconds:g} s; "
                    "restart the server"
                )
            time.sleep(POLL_SECONDS)
