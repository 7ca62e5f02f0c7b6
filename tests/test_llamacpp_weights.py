"""The embedded runtime with real weights: what it does to the process that it lives in."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from kb.adapters.llamacpp import LlamaCppModel
from kb.adapters.llamacpp_native import Chunk, LlamaCppServer
from kb.errors import ModelFailed
from kb.settings import load_settings
from kb.types import Message

PROMPT = (Message("user", "Hello?"),)


def never() -> bool:
    return False


def smollm_path() -> Path:
    found = sorted((load_settings().weights / "smollm2-135m").glob("*.gguf"))
    if not found:
        pytest.skip("SmolLM2's weights are not under KB_HOME; `kb models pull smollm2-135m`")
    return found[0]


class Recorded(LlamaCppServer):
    """The real native model; `read` holds how many tokens of each prompt were not in the cache."""

    def __init__(self, path: Path, threads: int, context_tokens: int) -> None:
        self.read: list[int] = []
        super().__init__(path, threads, context_tokens)

    def chat(self, request: Mapping[str, object], on_chunk: Callable[[Chunk], bool]) -> None:
        def seen(chunk: Chunk) -> bool:
            progress = chunk.get("prompt_progress")
            if progress and progress["processed"] == progress["cache"]:
                self.read.append(progress["total"] - progress["cache"])
            return on_chunk(chunk)

        super().chat(request, seen)


@pytest.fixture(scope="module")
def native() -> Recorded:
    return Recorded(smollm_path(), 2, 1024)


@pytest.fixture(scope="module")
def smollm(native: Recorded) -> Iterator[LlamaCppModel]:
    model = LlamaCppModel(smollm_path(), "smollm2-135m", 2, 1024, open_native=lambda *_: native)
    with closing(model):
        yield model


def listening_tcp_ports() -> set[str]:
    """This process's own: the kernel's table, narrowed to the sockets that we hold open."""
    held = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            held.add(os.readlink(entry))
        except FileNotFoundError:  # the descriptor of this very listing
            continue
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path("/proc/self/net", table).read_text().splitlines()[1:]
    ]
    return {f[1] for f in lines if f[3] == "0A" and f"socket:[{f[9]}]" in held}


@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's table of sockets")
def test_the_check_for_open_ports_sees_one() -> None:
    before = listening_tcp_ports()
    with socket.create_server(("127.0.0.1", 0)):
        assert len(listening_tcp_ports() - before) == 1


@pytest.mark.model
@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's table of sockets")
def test_no_tcp_port_is_opened() -> None:
    before = listening_tcp_ports()
    with closing(LlamaCppModel(smollm_path(), "smollm2-135m", 2, 512)) as model:
        assert "".join(model.write(PROMPT, 3, never))
        assert listening_tcp_ports() == before


@pytest.mark.model
def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with closing(LlamaCppModel(smollm_path(), "smollm2-135m", 2, 512)) as model:
        list(model.write(PROMPT, 3, never))

    assert capfd.readouterr() == ("", "")


@pytest.mark.model
@pytest.mark.usefixtures("ctrl_c")
def test_signals_still_reach_python() -> None:
    before = signal.getsignal(signal.SIGINT)
    with closing(LlamaCppModel(smollm_path(), "smollm2-135m", 2, 512)):
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.model
def test_a_process_that_forgets_to_close_still_ends_well() -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom kb.adapters.llamacpp import LlamaCppModel\n"
        "from kb.types import Message\n"
        "model = LlamaCppModel(Path(sys.argv[1]), 'smollm2-135m', 2, 512)\n"
        "next(model.write([Message('user', 'Count to fifty.')], 400, lambda: False))\n"
        "kept = model.write([Message('user', 'Count to fifty.')], 400, lambda: False)\n"
        "next(kept)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(smollm_path())],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.model
def test_a_prompt_longer_than_the_context_is_an_error_that_says_so(smollm: LlamaCppModel) -> None:
    with pytest.raises(ModelFailed, match="context size"):
        list(smollm.write((Message("user", "word " * 3000),), 5, never))


@pytest.mark.model
def test_a_warmed_prefix_is_not_read_again(smollm: LlamaCppModel, native: Recorded) -> None:
    rules = Message("system", "Answer from the passages. " * 12)
    smollm.warm((rules,))
    warmed = native.read[-1]
    list(smollm.write((rules, Message("user", "Hello?")), 2, never))

    assert warmed > 50
    assert native.read[-1] < 20


@pytest.mark.model
def test_a_prompt_that_another_displaced_comes_back_from_the_cache(
    smollm: LlamaCppModel, native: Recorded
) -> None:
    prompts = [(Message("user", f"{word} " * 150),) for word in ("alpha", "beta", "alpha")]
    for prompt in prompts:
        smollm.probability_of_yes(prompt, never)

    first, _, again = native.read[-3:]
    assert first > 100
    assert again < 20


@pytest.mark.model
def test_cancelling_while_the_prompt_is_read_lets_the_caller_go_at_once(
    smollm: LlamaCppModel,
) -> None:
    began = time.monotonic()
    prompt = (Message("user", " ".join(f"number {n}" for n in range(150))),)

    written = list(smollm.write(prompt, 200, lambda: time.monotonic() - began > 0.3))

    assert written == []
    assert time.monotonic() - began < 1.5
    assert list(smollm.write(PROMPT, 3, never))


@pytest.mark.model
def test_counting_tokens_goes_on_while_the_model_writes(smollm: LlamaCppModel) -> None:
    writing = smollm.write((Message("user", "Count to fifty."),), 300, never)
    next(writing)

    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(smollm.count_tokens, ["", "one", "one two three", "one " * 40]))
    writing.close()  # type: ignore[attr-defined]  # an Iterator that happens to be a generator

    assert counts[0] == 0
    assert counts == sorted(counts)
    assert 40 <= counts[-1] <= 82
