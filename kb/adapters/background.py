"""A chat model that is still on its way: the server answers before the weights are there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from kb.errors import ModelNotReady, WeighbridgeError
from kb.ports import ChatModel
from kb.types import Message, Token

Status = Literal["loading", "ready", "failed"]


class LoadedModel(ChatModel, Protocol):
    """A chat model that holds memory until it is closed."""

    def close(self) -> None: ...


class BackgroundModel:
    """Loads a chat model in a thread of its own, from the start on.

    Until it is loaded, and after loading has failed, every call raises ModelNotReady with the
    state in words.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], LoadedModel],
        state: Callable[[], str] = lambda: "the chat model is being loaded",
    ) -> None:
        """state: what `load` is doing at the moment: "weights are being fetched: 34 %"."""
        self._name = name
        self._load = load
        self._state = state
        self._model: LoadedModel | None = None
        self._failure: str | None = None
        self._closed = False
        self._changing = threading.Lock()
        self._loader = threading.Thread(target=self._run, name="model loader", daemon=True)
        self._loader.start()

    @property
    def name(self) -> str:
        return self._name

    @property
    def status(self) -> tuple[Status, str]:
        """(where it stands, the same in words)"""
        with self._changing:
            if self._failure is not None:
                return "failed", self._failure
            if self._model is not None:
                return "ready", f"{self._name} is loaded"
        return "loading", self._state()

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        yield from self._ready().write(messages, max_tokens, cancelled)

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        yield from self._ready().copy(messages, grammar, max_tokens, cancelled)

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        return self._ready().probability_of_yes(messages, cancelled)

    def close(self, wait_seconds: float = 10.0) -> None:
        """Waits for the loading to end, then closes the model. A load that takes longer than
        `wait_seconds` (weights are fetched for minutes) is left behind; its model is closed as
        soon as it is there."""
        with self._changing:
            self._closed = True
        self._loader.join(wait_seconds)
        if self._model is not None:
            self._model.close()

    def _ready(self) -> LoadedModel:
        status, detail = self.status
        if self._model is None:
            raise ModelNotReady(
                f"{detail}; ask again in a while" if status == "loading" else detail
            )
        return self._model

    def _run(self) -> None:
        failure: str | None = f"loading {self._name} broke off; the server's log says why"
        try:
            self._adopt(self._load())
            failure = None
        except WeighbridgeError as error:
            failure = str(error)
        finally:  # an error nobody expects goes on to the log, but must not leave us "loading"
            with self._changing:
                self._failure = failure

    def _adopt(self, model: LoadedModel) -> None:
        with self._changing:
            self._model = model
            closed = self._closed
        if closed:
            model.close()
