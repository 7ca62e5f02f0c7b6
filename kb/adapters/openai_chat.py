"""A chat model behind any OpenAI-compatible server: llama.cpp's own, vLLM, Ollama."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import Any, Literal, TypeVar

import httpx
import openai
from anyio.from_thread import start_blocking_portal
from openai.types.chat import ChatCompletionMessageParam

from kb.adapters.llamacpp import share_of_yes
from kb.adapters.openai_failures import translated
from kb.breaker import Breaker
from kb.errors import ModelError, ModelFailed, ModelNotReady
from kb.types import Message, Token

POLL_SECONDS = 0.05  # how late a cancelled caller may notice
CONNECT_SECONDS = 5.0
RETRIES = 2  # of a call that has brought nothing yet; the client waits 0.5 to 8 s, with jitter
CANDIDATES = 20  # likeliest tokens that are asked for: the most that the common servers give
PROBE_SECONDS, PROBE_KEPT_SECONDS = 3.0, 2.0

Status = Literal["loading", "ready", "failed"]
Got = TypeVar("Got")


class OpenAiChatModel:
    """Any number of threads may call it; the server decides how many it serves at once.

    The calls run on an event loop in a thread of its own, so that a caller that cancels, or closes
    its generator, closes its connection at once: that is how such servers are told to stop. Text
    that has begun is never asked for again; what fails before that is tried `retries` times more.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str | None = None,
        *,
        silence_seconds: float = 60.0,
        retries: int = RETRIES,
        breaker: Breaker | None = None,
    ) -> None:
        """url: with the version, as in http://127.0.0.1:8080/v1. Nothing is asked of the server
        yet. silence_seconds: without a byte from it, after which a call fails."""
        self._url = url
        self._model = model
        self._breaker = breaker or Breaker()
        self._closed = False
        self._grammars = True
        self._running: set[Future[Any]] = set()
        self._probed: tuple[float, tuple[Status, str]] | None = None
        self._probing = threading.Lock()
        self._client = openai.AsyncOpenAI(
            base_url=url,
            api_key=key or "none",
            organization="",  # or it is read from the environment
            project="",
            max_retries=retries,
            timeout=httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS),
            http_client=httpx.AsyncClient(trust_env=False, follow_redirects=True),
        )
        self._stack = ExitStack()
        self._loop = self._stack.enter_context(start_blocking_portal(name="chat server"))

    @property
    def name(self) -> str:
        return self._model

    @property
    def status(self) -> tuple[Status, str]:
        """(where it stands, the same in words): the server is asked, every 2 s at most."""
        with self._probing:
            if self._probed is None or time.monotonic() - self._probed[0] > PROBE_KEPT_SECONDS:
                self._probed = time.monotonic(), self._probe()
            return self._probed[1]

    def write(
        self, messages: Sequence[Message], max_tokens: int, cancelled: Callable[[], bool]
    ) -> Iterator[str]:
        """Pieces of text as they are generated. Closing the generator stops the generation."""
        for token in self._tokens(messages, max_tokens, cancelled, {}):
            yield token.text

    def _tokens(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        cancelled: Callable[[], bool],
        extra: Mapping[str, object],
    ) -> Iterator[Token]:
        pieces: SimpleQueue[Token | None] = SimpleQueue()  # ends with None

        async def stream() -> None:
            await self._stream(messages, max_tokens, extra, pieces.put)

        if cancelled():
            self._check_open()
            return
        future = self._start(stream)
        future.add_done_callback(lambda _: pieces.put(None))
        try:
            while not cancelled():
                try:
                    piece = pieces.get(timeout=POLL_SECONDS)
                except Empty:
                    continue
                if piece is None:
                    self._result(future)
                    return
                yield piece
        finally:
            future.cancel()

    def copy(
        self,
        messages: Sequence[Message],
        grammar: str,
        max_tokens: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Token]:
        """Tokens as they are generated. The grammar goes along in the spellings of llama.cpp's
        server and of vLLM's; a server that takes it for a mistake is asked without, from then
        on."""
        if self._grammars:
            begun = False
            try:
                for token in self._tokens(messages, max_tokens, cancelled, _with_grammar(grammar)):
                    begun = True
                    yield token
                return
            except ModelFailed as error:
                if begun or not _is_mistaken(error.__cause__):
                    raise
                self._grammars = False
        yield from self._tokens(messages, max_tokens, cancelled, {})

    def probability_of_yes(
        self, messages: Sequence[Message], cancelled: Callable[[], bool]
    ) -> float:
        """P(Yes) / (P(Yes) + P(No)) of the next token, over every spelling among the 20 likeliest.
        Raises ModelFailed when neither word is among them, when the server gives no probabilities,
        and when cancelled."""

        async def judge() -> float:
            return await self._judge(messages)

        self._check_open()
        if not cancelled():
            future = self._start(judge)
            done = threading.Event()
            future.add_done_callback(lambda _: done.set())
            try:
                while not cancelled():
                    if done.wait(POLL_SECONDS):
                        return self._result(future)
            finally:
                future.cancel()
        raise ModelFailed("the model was cancelled before it had decided; ask again")

    def close(self) -> None:
        """Ends what is running. Calls that come later fail."""
        if self._closed:
            return
        self._closed = True
        for future in [*self._running]:
            future.cancel()
        self._loop.call(self._client.close)
        self._stack.close()

    # -- the callers' side -----------------------------------------------------------------------

    def _start(self, work: Callable[[], Awaitable[Got]]) -> Future[Got]:
        self._check_open()
        if (wait := self._breaker.wait_seconds()) > 0:
            raise ModelNotReady(
                f"the chat server at {self._url} has failed several times in a row; it is tried "
                f"again in {wait:.0f} s. Look whether it runs, and whether KB_CHAT_URL is right"
            )
        future = self._loop.start_task_soon(work)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return future

    def _result(self, future: Future[Got]) -> Got:
        try:
            return future.result()
        except CancelledError:
            raise _closed() from None

    def _check_open(self) -> None:
        if self._closed:
            raise _closed()

    def _probe(self) -> tuple[Status, str]:
        if self._closed:
            return "failed", str(_closed())
        try:
            self._loop.call(self._ask_for_models)
        except ModelNotReady as error:
            return "loading", str(error)
        except ModelError as error:
            return "failed", str(error)
        return "ready", f"the chat server at {self._url} answers"

    # -- the server's side: the event loop -------------------------------------------------------

    async def _stream(
        self,
        messages: Sequence[Message],
        max_tokens: int,
        extra: Mapping[str, object],
        put: Callable[[Token], None],
    ) -> None:
        finished = False
        with translated(self._url, self._model, self._breaker):
            async with await self._client.chat.completions.create(
                model=self._model,
                messages=_messages(messages),
                max_tokens=max_tokens,
                temperature=0,
                stream=True,
                extra_body=dict(extra),
            ) as stream:
                async for chunk in stream:
                    for choice in chunk.choices[:1]:
                        finished = finished or choice.finish_reason is not None
                        if choice.delta.content:
                            put(Token(choice.delta.content))
            if not finished:
                raise httpx.RemoteProtocolError("it broke off in the middle of its answer")

    async def _judge(self, messages: Sequence[Message]) -> float:
        with translated(self._url, self._model, self._breaker):
            answer = await self._client.chat.completions.create(
                model=self._model,
                messages=_messages(messages),
                max_tokens=1,
                temperature=0,
                logprobs=True,
                top_logprobs=CANDIDATES,
            )
            logprobs = answer.choices[0].logprobs
            likeliest = logprobs.content[0].top_logprobs if logprobs and logprobs.content else []
            if not likeliest:
                raise ModelFailed(
                    f"the chat server at {self._url} gives no log probabilities; use one that does"
                )
            return share_of_yes({"token": t.token, "logprob": t.logprob} for t in likeliest)

    async def _ask_for_models(self) -> None:
        client = self._client.with_options(timeout=PROBE_SECONDS, max_retries=0)
        with translated(self._url, self._model), suppress(openai.NotFoundError):
            await client.models.list()  # a server that has no such list answers, too


def _is_mistaken(error: BaseException | None) -> bool:
    """Whether the server says that the request is wrong: so say those that know no grammars."""
    return isinstance(error, openai.APIStatusError) and error.status_code in (400, 422)


def _with_grammar(grammar: str) -> dict[str, object]:
    return {"grammar": grammar, "structured_outputs": {"grammar": grammar}}


def _messages(messages: Sequence[Message]) -> list[ChatCompletionMessageParam]:
    made: list[ChatCompletionMessageParam] = []
    for one in messages:
        match one.role:
            case "system":
                made.append({"role": "system", "content": one.content})
            case "user":
                made.append({"role": "user", "content": one.content})
            case "assistant":
                made.append({"role": "assistant", "content": one.content})
    return made


def _closed() -> ModelFailed:
    return ModelFailed("the model has been closed; restart the server")
