"""An open-weights chat model in this process: any number of callers, one at a time."""

from __future__ import annotations

import atexit
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from kb.adapters.llamacpp_native import (
    NATIVE_ERRORS,
    Chunk,
    LlamaCppServer,
    NativeModel,
)
from kb.errors import ModelFailed, WeightsMissing
from kb.types import Message, Token

# Every way to write Yes and No is well within the first thousand; as many cost no more than twenty.
CANDIDATES = 1000

POLL_SECONDS = 0.05  # how late a cancelled caller may notice
STALL_SECONDS = 30.0  # a batch of prompt tokens takes 1 s on two idle cores, 10 on overloaded ones


@dataclass(eq=False, slots=True)
class _Turn:
    """One call's place in the queue. `chunks` ends with None, or with what went wrong."""

    request: Mapping[str, object]
    submitted: float
    given_up: threading.Event = field(default_factory=threading.Event)
    chunks: SimpleQueue[Chunk | ModelFailed | None] = field(default_factory=SimpleQueue)


class LlamaCppModel:
    """A chat model from one GGUF file. Any number of threads may call it: one thread owns the
    native model and serves them in the order in which they asked.

    A caller that cancels is let go at once, one that still waits never reaches the model. The
    native model itself stops after the batch or token it is at.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        threads: int,
        context_tokens: int,
        *,
        stall_seconds: float = STALL_SECONDS,
        open_native: Callable[[Path, int, int], NativeModel] = LlamaCppServer,
    ) -> None:
        """Loads the weights: 1 to 5 s. Raises WeightsMissing, or ModelFailed when the file is no
        model that llama.cpp can run. `stall_seconds`: silence after which a call fails."""
        if not path.is_file():
            raise WeightsMissing(
                f"there is no file {path}; fetch the weights with `kb models pull`"
            )
        self._name = name
        self._stall_seconds = stall_seconds
        self._native = open_native(path, threads, context_tokens)
        self._turns: SimpleQueue[_Turn | None] = SimpleQueue()
        self._submitting = threading.Lock()
        self._closing = threading.Event()
        self._sign_of_life = time.monotonic()
        self._server = threading.Thread(target=self._serve, name="llamacpp", daemon=True)
        self._server.start()
        # A process that ends while native threads are at work crashes.
        atexit.register(self.close)

    @property
    def name(self) -> str:
        return self._name

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        """Pieces of text as they are generated. Closing the generator stops the generation."""
        finished = False
        for chunk in self._chunks(_request(messages, max_tokens), cancelled):
            choice = chunk["choices"][0]
            finished = finished or choice["finish_reason"] is not None
            if piece := choice["delta"].get("content"):
                yield piece
        if not finished and not cancelled():
            raise ModelFailed("the model broke off in the middle of its answer; ask again")

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        """Tokens as they are generated, each allowed by the grammar."""
        request = _request(messages, max_tokens)
        request |= {"grammar": grammar, "logprobs": True, "top_logprobs": 1}
        finished = False
        for chunk in self._chunks(request, cancelled):
            choice = chunk["choices"][0]
            finished = finished or choice["finish_reason"] is not None
            if piece := choice["delta"].get("content"):
                yield Token(piece, probability_of(choice))
        if not finished and not cancelled():
            raise ModelFailed("the model broke off in the middle of its answer; ask again")

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        """P(Yes) / (P(Yes) + P(No)) of the next token, over every spelling among the 1000 likeliest
        tokens. One prompt's value moves by up to 0.01 with what of it was cached. Raises
        ModelFailed when neither word is among them, and when cancelled."""
        request = {**_request(messages, 1), "logprobs": True, "top_logprobs": CANDIDATES}
        for chunk in self._chunks(request, cancelled):
            if logprobs := chunk["choices"][0].get("logprobs"):
                return share_of_yes(logprobs["content"][0]["top_logprobs"])
        why = "was cancelled" if cancelled() else "broke off"
        raise ModelFailed(f"the model {why} before it had decided; ask again")

    def warm(self, messages: Sequence[Message]) -> None:
        """Reads a prompt into the cache, so that the next one that begins alike starts after it."""
        for _ in self._chunks(_request(messages, 0), lambda: False):
            pass

    def count_tokens(self, text: str) -> int:
        """How much of the context `text` takes, without the chat template around it."""
        if self._closing.is_set():
            raise _closed()
        return self._native.count_tokens(text)

    def close(self) -> None:
        """Ends what is running and frees the memory. Calls that wait, or come later, fail."""
        with self._submitting:
            if not self._closing.is_set():
                self._closing.set()
                self._turns.put(None)
                atexit.unregister(self.close)
        self._server.join(self._stall_seconds)

    # -- the callers' side ---------------------------------------------------------------------

    def _chunks(
        self, request: Mapping[str, object], cancelled: Callable[[], bool]
    ) -> Iterator[Chunk]:
        turn = self._submit(request)
        try:
            while not cancelled():
                try:
                    chunk = turn.chunks.get(timeout=POLL_SECONDS)
                except Empty:
                    self._check_alive(turn)
                    continue
                if isinstance(chunk, ModelFailed):
                    raise chunk
                if chunk is None:
                    return
                yield chunk
        finally:
            turn.given_up.set()

    def _submit(self, request: Mapping[str, object]) -> _Turn:
        turn = _Turn(request, time.monotonic())
        with self._submitting:
            if self._closing.is_set():
                raise _closed()
            self._turns.put(turn)
        return turn

    def _check_alive(self, turn: _Turn) -> None:
        silence = time.monotonic() - max(self._sign_of_life, turn.submitted)
        if silence > self._stall_seconds:
            raise ModelFailed(
                f"the model gave no sign of life for {self._stall_seconds:g} s; restart the server"
            )

    # -- the native model's side: one thread ---------------------------------------------------

    def _serve(self) -> None:
        while (turn := self._turns.get()) is not None:
            if self._closing.is_set():
                turn.chunks.put(_closed())
            elif not turn.given_up.is_set():
                turn.chunks.put(self._run(turn))
        self._native.close()

    def _run(self, turn: _Turn) -> ModelFailed | None:
        """What went wrong, if anything did."""
        failures: list[str] = []

        # An exception in here would be swallowed by the native side, and taken for "stop".
        def on_chunk(chunk: Chunk) -> bool:
            self._sign_of_life = time.monotonic()
            if "choices" in chunk:
                turn.chunks.put(chunk)
            else:
                failures.append(_complaint(chunk))
            return turn.given_up.is_set() or self._closing.is_set()

        self._sign_of_life = time.monotonic()
        try:
            self._native.chat(turn.request, on_chunk)
        except NATIVE_ERRORS as error:
            failures.append(str(error))
        if failures:
            return ModelFailed(f"the model failed: {failures[0]}")
        return _closed() if self._closing.is_set() else None


def share_of_yes(candidates: Iterable[Mapping[str, Any]]) -> float:
    """P(Yes) / (P(Yes) + P(No)), over all spellings with capitals and spaces.

    candidates: the next token's, each with `token` and `logprob`. Raises ModelFailed when neither
    word is among them: half and half would be made up.
    """
    mass = {"yes": 0.0, "no": 0.0}
    for candidate in candidates:
        word = candidate["token"].strip().lower()
        if word in mass:
            mass[word] += math.exp(candidate["logprob"])
    if not sum(mass.values()):
        raise ModelFailed("the model would say neither yes nor no; use an instruction-tuned model")
    return mass["yes"] / sum(mass.values())


def probability_of(choice: Mapping[str, Any]) -> float | None:
    """Of the first token that a streamed choice brings; None where it brings none."""
    told = (choice.get("logprobs") or {}).get("content") or []
    return math.exp(min(told[0]["logprob"], 0.0)) if told else None


def _request(messages: Sequence[Message], max_tokens: int) -> dict[str, object]:
    """Progress is asked for because a prompt that is being read can only be stopped between two
    reports of it."""
    return {
        "messages": [{"role": m.role, "content": m.content} for m in messages],
        "max_tokens": max_tokens,
        "temperature": 0,
        "stream": True,
        "return_progress": True,
    }


def _complaint(chunk: Chunk) -> str:
    error = chunk.get("error", chunk)
    return str(error.get("message", error))


def _closed() -> ModelFailed:
    return ModelFailed("the model has been closed; restart the server")
