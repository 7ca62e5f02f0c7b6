"""The serving encoder's vectors: their projection, and the real ones."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from encoders import needs_export_packages, python
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bench.fit_projection import cosine_error, fit
from kb.adapters.minilm import (
    GRAPH_FILE,
    PROJECTION_FILE,
    RECORD_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    WEIGHTS_NAME,
    ExportRecord,
    MiniLmEncoder,
    MiniLmGraph,
    ensure_encoder,
    file_sha256,
    reduced,
)
from kb.settings import load_settings

# -- the projection --------------------------------------------------------------------------------


def test_projection_has_orthonormal_columns_with_settled_signs() -> None:
    projection = np.load(PROJECTION_FILE)

    assert (projection.shape, projection.dtype) == ((384, 64), np.float32)
    assert projection.T @ projection == pytest.approx(np.eye(64), abs=1e-5)
    largest = np.abs(projection).argmax(axis=0)
    assert (projection[largest, np.arange(64)] > 0).all()


def test_fit_recovers_vectors_that_have_no_more_dimensions_than_are_kept() -> None:
    chance = np.random.default_rng(1)
    basis, _ = np.linalg.qr(chance.standard_normal((384, 64)))
    vectors = (chance.standard_normal((2000, 64)) @ basis.T).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    projection, kept = fit(vectors)
    error, correlation = cosine_error(vectors, projection)

    assert kept == pytest.approx(1)
    assert error < 0.005
    assert correlation > 0.99


@given(arrays(np.float32, (3, 384), elements=st.floats(0.125, 8, width=32)))
def test_reduced_vectors_are_unit_vectors_times_127(vectors: np.ndarray) -> None:
    short = reduced(vectors, np.load(PROJECTION_FILE))

    assert short.dtype == np.int8
    norms = np.linalg.norm(short.astype(np.float32), axis=1)
    assert norms == pytest.approx(np.full(3, 127), abs=4)  # sqrt(64) roundings of at most 0.5


# -- with the real weights -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Path:
    folder = load_settings().weights / WEIGHTS_NAME
    if not (folder / WEIGHTS_FILE).is_file():
        pytest.skip(f"no {WEIGHTS_FILE} in {folder}: run `kb models pull {WEIGHTS_NAME}`")
    ensure_encoder(folder, folder / "onnx")
    return folder


@pytest.fixture(scope="module")
def encoder(real: Path) -> MiniLmEncoder:
    return MiniLmEncoder(real, real / "onnx")


@pytest.mark.model
def test_embedding_is_the_pinned_one(encoder: MiniLmEncoder) -> None:
    pooled = encoder.embed_query("Open weights can be run on your own machines.").pooled

    # what sentence-transformers 6.2.0 makes of it, from the published folder
    expected = [-0.02470, -0.03023, -0.03043, 0.03502, -0.05885]
    assert pooled[:5] == pytest.approx(expected, abs=1e-4)


@pytest.mark.model
def test_name_changes_with_the_projection_and_hash_is_that_of_the_weights(
    real: Path, encoder: MiniLmEncoder
) -> None:
    assert encoder.name == f"all-MiniLM-L6-v2+{file_sha256(PROJECTION_FILE)[:8]}"
    assert encoder.weights_sha256 == file_sha256(real / WEIGHTS_FILE)
    assert encoder.dimension == 384


@pytest.mark.model
def test_tokens_leave_out_the_markers_around_a_text(encoder: MiniLmEncoder) -> None:
    tokens = encoder.embed_query("The price of tokens").tokens

    assert tokens.ids.tolist() == [1996, 3976, 1997, 19204, 2015]  # the, price, of, token, ##s
    assert tokens.starts.tolist() == [0, 4, 10, 13, 18]


@pytest.mark.model
def test_cut_text_is_logged_in_counts_and_never_quoted(
    encoder: MiniLmEncoder, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        encoder.embed_passages(["secret " * 300, "short", "secret " * 255])

    assert caplog.messages == ["encoder cut texts=2 tokens_dropped=47"]


@pytest.mark.model
def test_reduced_token_vectors_keep_the_cosines_of_the_full_ones(
    real: Path, encoder: MiniLmEncoder
) -> None:
    text = "The weights may be downloaded, but the licence forbids commercial use of the model."
    graph = MiniLmGraph(real / "onnx" / GRAPH_FILE, real / TOKENIZER_FILE, threads=2)
    (forward,) = graph.forward([graph.tokenize(text)])

    full = forward.vectors / np.linalg.norm(forward.vectors, axis=1, keepdims=True)
    short = encoder.embed_query(text).tokens.vectors.astype(np.float32)
    short /= np.linalg.norm(short, axis=1, keepdims=True)

    assert np.corrcoef((full @ full.T).ravel(), (short @ short.T).ravel())[0, 1] > 0.9


@pytest.mark.model
@pytest.mark.slow
@needs_export_packages
def test_export_is_checked_against_sentence_transformers(real: Path, tmp_path: Path) -> None:
    ensure_encoder(real, tmp_path)

    record = ExportRecord.read(tmp_path)
    assert record is not None
    assert record.min_cosine >= 0.9999
    assert sorted(p.name for p in tmp_path.iterdir()) == [RECORD_FILE, GRAPH_FILE]


@pytest.mark.model
@pytest.mark.slow
@needs_export_packages
def test_graph_of_slightly_different_weights_fails_the_check(real: Path, tmp_path: Path) -> None:
    done = python(
        "import sys; from pathlib import Path; real, folder = map(Path, sys.argv[1:])\n"
        "from safetensors.torch import load_file, save_file\n"
        "from kb.adapters.export_encoder import lowest_cosine, trace\n"
        "state = load_file(real / 'model.safetensors')\n"
        "state['encoder.layer.5.output.dense.weight'] *= 1.05\n"
        "save_file(state, folder / 'other.safetensors')\n"
        "trace(folder / 'other.safetensors', folder / 'other.onnx')\n"
        "lowest_cosine(folder / 'other.onnx', real, folder / 'reference')",
        str(real),
        str(tmp_path),
    )

    assert "EncoderMismatch: cosine 0.99" in done.stderr
