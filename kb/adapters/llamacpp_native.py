"""llama.cpp loaded into this process, through xllamacpp, with no TCP port."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import httpx

from kb.errors import ModelFailed

# Threads that wait by spinning take the cores from everybody else: a second busy process then
# slows generation tenfold. The OpenMP runtime reads this once, when the library loads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# Prompt tokens between two chances to stop. On two cores 128 reads a prompt 5 % faster and takes up
# to 3 s to stop; 64 takes 1.5 s; 32 takes 1 s and reads 8 % slower than 64.
BATCH_TOKENS = 64

# Prompts that another one displaced stay here (28 KB a token with a 1.5B model), so that neither
# two conversations in turn nor writing and checking read their instructions anew each time. With
# 512 no more of ten prompts in turn was reused. llama.cpp's own default is 8192.
PROMPT_CACHE_MIB = 128

# What Cython turns C++ exceptions into.
NATIVE_ERRORS = (
    RuntimeError, ValueError, TypeError, MemoryError, OSError, LookupError, ArithmeticError,
)  # fmt: skip

Chunk = Mapping[str, Any]  # one event of llama.cpp's chat stream, as it was parsed from JSON


class NativeModel(Protocol):
    """One loaded model. `chat` is never called twice at once."""

    def chat(self, request: Mapping[str, object], on_chunk: Callable[[Chunk], bool]) -> None:
        """Blocks; hands every chunk to `on_chunk` and stops soon after it returns True."""
        ...

    def count_tokens(self, text: str) -> int: ...

    def close(self) -> None: ...


class LlamaCppServer:
    """xllamacpp's server without a TCP port: it can't do without a listener, so it gets a Unix
    socket in a folder that only this user can enter. Chats don't pass through it."""

    def __init__(self, path: Path, threads: int, context_tokens: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kb-")
        socket = os.path.join(self._folder.name, "model.sock")
        try:
            self._server = _load(path, threads, context_tokens, socket)
        except (ImportError, *NATIVE_ERRORS) as error:  # ImportError: it needs the system's libgomp
            self._folder.cleanup()
            raise ModelFailed(
                f"{path.name} can't be loaded ({error}). Check that it is a complete GGUF file of "
                "a chat model and that the machine has memory for it."
            ) from error
        # Its one listening thread would wait on a connection that is kept open.
        transport = httpx.HTTPTransport(
            uds=socket, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._http = httpx.Client(transport=transport, base_url="http://model", trust_env=False)

    def chat(self, request: Mapping[str, object], on_chunk: Callable[[Chunk], bool]) -> None:
        self._server.handle_chat_completions(dict(request), on_chunk)

    def count_tokens(self, text: str) -> int:
        """Costs 2 ms for 1000 tokens, also while a chat is running."""
        try:
            response = self._http.post("/tokenize", json={"content": text}).raise_for_status()
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: the client is closed
            raise ModelFailed(f"the tokens can't be counted: {error}") from error
        return len(response.json()["tokens"])

    def close(self) -> None:
        self._http.close()
        del self._server  # its destructor stops llama.cpp's threads and frees the weights
        self._folder.cleanup()


def _load(path: Path, threads: int, context_tokens: int, socket: str) -> Any:  # xllamacpp.Server
    import xllamacpp  # a 100 MB library, and OMP_WAIT_POLICY has to be set before it loads

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.n_ctx = context_tokens
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    params.n_parallel = 1  # two at once take twice as long each, and would halve the context
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.fit_params = False  # fitting to a GPU's memory doubles the time to load
    params.enable_reasoning = 0  # the first token has to be the answer
    params.verbosity = -1  # llama.cpp writes its log to stderr, whatever the process does there
    params.hostnames = [socket]
    params.n_threads_http = 1
    params.ui = False
    return xllamacpp.Server(params)
