"""Turns the encoder's published weights into the graph that serving uses, and checks it.

Run once, as `python -m kb.adapters.export_encoder WEIGHTS_FOLDER OUT_FOLDER`. Nothing else imports
torch or sentence-transformers.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.normalize import Normalize
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling
from transformers import BertConfig, BertModel

from kb.adapters.minilm import (
    EXIT_MISMATCH,
    EXPORT_FORMAT,
    GRAPH_FILE,
    RECORD_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    WINDOW,
    ExportRecord,
    MiniLmGraph,
    file_sha256,
)
from kb.errors import EncoderMismatch
from kb.types import Float32

HIDDEN = 384
LOWEST_COSINE = 0.9999  # fp32 against fp32: anything lower is another model, not rounding
POSITIONS_BUFFER = "embeddings.position_ids"  # in the published file, computed since

CHECK_TEXTS = (
    "",
    " \n\t ",
    ".",
    "Which of the two models may be used commercially?",
    "Running your own weights moves the bill from tokens to machines.",
    "License: Apache-2.0; Context window: 128k tokens; Price: $0.55 per million input tokens",
    "UPPER, lower and MiXeD case make no difference; punctuation -- does it?!",
    "Ünïcödé: naïve café, Ελλάδα, привет, 大きなモデル, ≤ 7 × 10³, 🙂",
    "e\u0301 as two code points, \u200bzero width, \u00a0no-break, \x07 bell",
    "[CLS] a literal marker [SEP] inside a text [MASK]",
    "x" * 300,
    "A passage just within what one pass can hold. " * 20,
    "The first half speaks of licences. " * 25 + "The second half speaks of whales. " * 40,
)


def export(weights: Path, out: Path) -> ExportRecord:
    """Writes the graph and its record into `out`, both or neither. Raises EncoderMismatch."""
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out, prefix=".export-") as name:
        folder = Path(name)
        graph, record_file = folder / GRAPH_FILE, folder / RECORD_FILE
        trace(weights / WEIGHTS_FILE, graph)
        record = ExportRecord(
            format=EXPORT_FORMAT,
            weights_sha256=file_sha256(weights / WEIGHTS_FILE),
            tokenizer_sha256=file_sha256(weights / TOKENIZER_FILE),
            graph_sha256=file_sha256(graph),
            min_cosine=lowest_cosine(graph, weights, folder / "reference"),
        )
        record.write(record_file)
        os.replace(graph, out / GRAPH_FILE)
        os.replace(record_file, out / RECORD_FILE)
    return record


class _TokenVectors(torch.nn.Module):
    """The graph's signature: ids and mask in, one vector a token out."""

    def __init__(self, model: BertModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        found = self.model(input_ids=input_ids, attention_mask=attention_mask)
        vectors: torch.Tensor = found.last_hidden_state
        return vectors


def trace(weights: Path, graph: Path) -> None:
    """Traces the model with these weights into an ONNX file. Raises EncoderMismatch."""
    model = BertModel(model_config())
    model.set_attn_implementation("eager")  # the fused kinds don't trace
    state = load_file(weights)
    state.pop(POSITIONS_BUFFER, None)
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise EncoderMismatch(f"{weights} holds another kind of model") from error
    sample = torch.ones((2, 8), dtype=torch.int64)
    names = ("input_ids", "attention_mask", "token_vectors")
    torch.onnx.export(
        _TokenVectors(model).eval(),
        (sample, sample),
        str(graph),
        input_names=names[:2],
        output_names=names[2:],
        dynamic_axes={name: {0: "texts", 1: "tokens"} for name in names},
        opset_version=17,
        dynamo=False,
    )


def model_config() -> BertConfig:
    """The published configuration; what is not named here is BERT's default."""
    return BertConfig(
        vocab_size=30522,
        hidden_size=HIDDEN,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        hidden_act="gelu",
        max_position_embeddings=512,
    )


def lowest_cosine(graph: Path, weights: Path, folder: Path) -> float:
    """Compares the graph with sentence-transformers on every check text, alone and batched.

    folder: for the reference's files; created. Raises EncoderMismatch.
    """
    ours = MiniLmGraph(graph, weights / TOKENIZER_FILE, threads=2)
    tokens = [ours.tokenize(text) for text in CHECK_TEXTS]
    expected = reference_vectors(weights, folder)
    batched = np.stack([forward.pooled for forward in ours.forward(tokens)])
    alone = np.stack([ours.forward([t])[0].pooled for t in tokens])
    cosines = np.concatenate([(v * expected).sum(axis=1) for v in (batched, alone)])
    lowest = float(cosines.min())
    if not lowest >= LOWEST_COSINE:  # so that NaN fails
        text = CHECK_TEXTS[int(cosines.argmin()) % len(CHECK_TEXTS)]
        raise EncoderMismatch(f"cosine {lowest:.5f} to the reference on {text[:40]!r}")
    return lowest


def reference_vectors(weights: Path, folder: Path) -> Float32:
    """(texts, 384): what sentence-transformers makes of the check texts."""
    folder.mkdir()
    model_config().save_pretrained(folder)
    for name in (WEIGHTS_FILE, TOKENIZER_FILE):
        shutil.copyfile(weights / name, folder / name)
    transformer = Transformer(str(folder), max_seq_length=WINDOW + 2)
    reference = SentenceTransformer(
        modules=[transformer, Pooling(HIDDEN, "mean"), Normalize()], device="cpu"
    )
    vectors: Float32 = reference.encode(list(CHECK_TEXTS), show_progress_bar=False)
    return vectors


def main() -> int:
    if len(sys.argv) != 3:
        sys.stderr.write("usage: python -m kb.adapters.export_encoder WEIGHTS_FOLDER OUT_FOLDER\n")
        return 2
    weights, out = map(Path, sys.argv[1:])
    try:
        record = export(weights, out)
    except EncoderMismatch as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_MISMATCH
    sys.stdout.write(f"{out / GRAPH_FILE}: lowest cosine {record.min_cosine:.7f}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
