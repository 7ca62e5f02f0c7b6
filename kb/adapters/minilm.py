"""all-MiniLM-L6-v2 on onnxruntime: the encoder that serves, without torch."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

# onnxruntime's Linux builds report to their maker unless this is set before the first import;
# its disable_telemetry_events() comes too late to stop the first event and the device id.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from tokenizers import Tokenizer

from kb.errors import EncoderMismatch, ModelFailed, WeightsCorrupt, WeightsMissing
from kb.types import Encoding, Float32, Int8, TokenVectors, UInt16

MODEL = "all-MiniLM-L6-v2"
WEIGHTS_NAME = "all-minilm-l6-v2"  # its folder's name, and what `kb models pull` calls it
WEIGHTS_FILE, TOKENIZER_FILE = "model.safetensors", "tokenizer.json"
GRAPH_FILE, RECORD_FILE = "encoder.onnx", "encoder.json"
PROJECTION_FILE = Path(__file__).with_name("minilm_projection.npy")

WINDOW = 254  # tokens of text; with [CLS] and [SEP] the 256 that the model was trained on
MAX_CHARS = 65_535  # token starts are stored as uint16
CLS, SEP = 101, 102
BATCH = 8  # 4 to 32 are equally fast on two cores; the smallest keeps memory and waiting low

EXPORT_FORMAT = 1
EXPORT_COMMAND = (sys.executable, "-m", "kb.adapters.export_encoder")
EXPORT_PACKAGES = ("torch", "sentence_transformers", "transformers", "onnx")
EXIT_MISMATCH = 3

ORT_LOAD_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
)

log = logging.getLogger(__name__)


# -- the exported graph --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """What lies beside an exported graph: which files it was made from, and how well it fits."""

    format: int
    weights_sha256: str
    tokenizer_sha256: str
    graph_sha256: str
    min_cosine: float  # the worst of the check texts, against sentence-transformers

    @staticmethod
    def read(out: Path) -> ExportRecord | None:
        """None where there is no record, or one of another format."""
        try:
            return ExportRecord(**json.loads((out / RECORD_FILE).read_text()))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            return None

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")

    def describes(self, weights: Path, out: Path) -> bool:
        """Whether these very files are the ones in the two folders."""
        return (
            self.format == EXPORT_FORMAT
            and (out / GRAPH_FILE).is_file()
            and self.weights_sha256 == file_sha256(weights / WEIGHTS_FILE)
            and self.tokenizer_sha256 == file_sha256(weights / TOKENIZER_FILE)
            and self.graph_sha256 == file_sha256(out / GRAPH_FILE)
        )


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def ensure_encoder(weights: Path, out: Path, command: Sequence[str] = EXPORT_COMMAND) -> None:
    """Exports the weights' graph to `out`, unless one made from exactly these files is there.

    The export takes about 15 s and happens once, in a process of its own, so that this one never
    imports torch. Raises WeightsMissing, EncoderMismatch or ModelFailed.
    """
    _require(weights / WEIGHTS_FILE, weights / TOKENIZER_FILE)
    if _is_exported(weights, out):
        return
    absent = [package for package in EXPORT_PACKAGES if find_spec(package) is None]
    if absent:
        raise WeightsMissing(
            f"the encoder must be exported once, which needs {', '.join(absent)}: "
            'pip install "weighbridge[encoder]"'
        )
    done = subprocess.run([*command, str(weights), str(out)], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        failure = EncoderMismatch if done.returncode == EXIT_MISMATCH else ModelFailed
        raise failure(f"the encoder's export failed: {reason}")
    if not _is_exported(weights, out):
        raise ModelFailed(f"the encoder's export left no usable graph in {out}")


def _require(*files: Path) -> None:
    for file in files:
        if not file.is_file():
            raise WeightsMissing(f"{file} is missing: run `kb models pull {WEIGHTS_NAME}`")


def _is_exported(weights: Path, out: Path) -> bool:
    record = ExportRecord.read(out)
    return record is not None and record.describes(weights, out)


# -- one forward pass ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tokens:
    """ids, starts: (n,), cut at the window, without [CLS] and [SEP]. dropped: tokens cut off."""

    ids: UInt16
    starts: UInt16
    dropped: int


@dataclass(frozen=True, slots=True)
class Forward:
    """pooled: (384,) unit vector. vectors: (n, 384), one a token of `tokens`."""

    tokens: Tokens
    pooled: Float32
    vectors: Float32


class MiniLmGraph:
    """The exported graph and its tokenizer. Safe to share between threads."""

    def __init__(self, graph: Path, tokenizer: Path, threads: int) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        # The published file pads and cuts every text to 128 tokens.
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait starve the chat model on the same cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(graph, options, ["CPUExecutionProvider"])
        except ORT_LOAD_ERRORS as error:
            raise WeightsCorrupt(f"{graph} can't be opened; delete it and start again") from error

    def tokenize(self, text: str) -> Tokens:
        found = self._tokenizer.encode(_encodable(text[:MAX_CHARS]), add_special_tokens=False)
        return Tokens(
            ids=np.array(found.ids[:WINDOW], dtype=np.uint16),
            starts=np.array([start for start, _ in found.offsets[:WINDOW]], dtype=np.uint16),
            dropped=max(0, len(found.ids) - WINDOW),
        )

    def token_count(self, text: str) -> int:
        return len(self._tokenizer.encode(_encodable(text), add_special_tokens=False).ids)

    def forward(self, batch: Sequence[Tokens]) -> list[Forward]:
        """One pass over at least one text. All are padded to the longest."""
        longest = max(len(tokens.ids) for tokens in batch) + 2
        ids = np.zeros((len(batch), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, tokens in enumerate(batch):
            end = len(tokens.ids) + 2
            ids[row, :end] = [CLS, *tokens.ids, SEP]
            mask[row, :end] = 1
        (hidden,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return [
            _pooled(tokens, rows[: len(tokens.ids) + 2])
            for tokens, rows in zip(batch, hidden, strict=True)
        ]


def _encodable(text: str) -> str:
    """Lone surrogates, which no UTF-8 can hold, become question marks; offsets stay."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _pooled(tokens: Tokens, rows: Float32) -> Forward:
    """rows: (n + 2, 384), the first and last of them [CLS] and [SEP], which the mean includes."""
    mean = rows.mean(axis=0)
    return Forward(tokens, pooled=mean / np.linalg.norm(mean), vectors=rows[1:-1])


# -- the encoder ---------------------------------------------------------------------------------


class MiniLmEncoder:
    """The Embedder port on an exported graph. Safe to share between threads."""

    def __init__(self, weights: Path, out: Path, threads: int = 2) -> None:
        """weights, out: the folders given to ensure_encoder, which must have run.
        Raises WeightsMissing or WeightsCorrupt."""
        _require(weights / TOKENIZER_FILE)
        record = ExportRecord.read(out)
        if record is None:
            raise WeightsMissing(f"{out} holds no exported encoder; run ensure_encoder first")
        self._weights_sha256 = record.weights_sha256
        self._graph = MiniLmGraph(out / GRAPH_FILE, weights / TOKENIZER_FILE, threads)
        self._projection: Float32 = np.load(PROJECTION_FILE)
        # Stored token vectors can't be compared across projections, so the name tells them apart.
        self._name = f"{MODEL}+{file_sha256(PROJECTION_FILE)[:8]}"

    @property
    def name(self) -> str:
        return self._name

    @property
    def weights_sha256(self) -> str:
        return self._weights_sha256

    @property
    def dimension(self) -> int:
        return int(self._projection.shape[0])

    def token_count(self, text: str) -> int:
        """Tokens in the text, uncut; more than `window` of them don't fit into one encoding."""
        return self._graph.token_count(text)

    @property
    def window(self) -> int:
        return WINDOW

    def embed_query(self, text: str) -> Encoding:
        return self.embed_passages([text])[0]

    def embed_passages(self, texts: Sequence[str]) -> list[Encoding]:
        """One encoding a text, in order. What lies past the window is cut, and logged."""
        tokens = [self._graph.tokenize(text) for text in texts]
        _report_cut(tokens)
        by_length = sorted(range(len(tokens)), key=lambda i: len(tokens[i].ids))
        encodings: dict[int, Encoding] = {}
        for first in range(0, len(by_length), BATCH):
            batch = by_length[first : first + BATCH]
            forwards = self._graph.forward([tokens[i] for i in batch])
            encodings.update(zip(batch, map(self._encoding, forwards), strict=True))
        return [encodings[i] for i in range(len(texts))]

    def _encoding(self, forward: Forward) -> Encoding:
        vectors = reduced(forward.vectors, self._projection)
        tokens = TokenVectors(forward.tokens.ids, forward.tokens.starts, vectors)
        return Encoding(forward.pooled, tokens)


def reduced(vectors: Float32, projection: Float32) -> Int8:
    """(n, 384) float32 to (n, 64) int8: projected, normalised to unit length, times 127."""
    short = vectors @ projection
    unit = short / np.linalg.norm(short, axis=1, keepdims=True)
    scaled: Int8 = np.rint(unit * 127).astype(np.int8)
    return scaled


def _report_cut(tokens: Sequence[Tokens]) -> None:
    dropped = [t.dropped for t in tokens if t.dropped]
    if dropped:
        log.warning("encoder cut texts=%d tokens_dropped=%d", len(dropped), sum(dropped))
