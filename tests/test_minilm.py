"""The serving encoder's export."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from encoders import needs_export_packages, python
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from kb.adapters.minilm import (
    EXIT_MISMATCH,
    EXPORT_FORMAT,
    GRAPH_FILE,
    RECORD_FILE,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    ExportRecord,
    MiniLmEncoder,
    ensure_encoder,
    file_sha256,
)
from kb.errors import EncoderMismatch, ModelFailed, WeightsCorrupt, WeightsMissing


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder that looks like fetched weights; nothing in it can be encoded with."""
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / WEIGHTS_FILE).write_bytes(b"weights")
    Tokenizer(WordLevel({"word": 0}, unk_token="word")).save(str(folder / TOKENIZER_FILE))
    return folder


@pytest.fixture
def out(weights: Path) -> Path:
    """An export that belongs to `weights`."""
    folder = weights / "onnx"
    folder.mkdir()
    (folder / GRAPH_FILE).write_bytes(b"graph")
    record = ExportRecord(
        format=EXPORT_FORMAT,
        weights_sha256=file_sha256(weights / WEIGHTS_FILE),
        tokenizer_sha256=file_sha256(weights / TOKENIZER_FILE),
        graph_sha256=file_sha256(folder / GRAPH_FILE),
        min_cosine=1.0,
    )
    record.write(folder / RECORD_FILE)
    return folder


def exporter(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import sys; {code}")


FAILS = exporter("sys.stderr.write('noise\\nthe disk is full\\n'); sys.exit(1)")


def test_export_that_belongs_to_the_weights_is_used_as_it_is(weights: Path, out: Path) -> None:
    ensure_encoder(weights, out, FAILS)

    assert (out / GRAPH_FILE).read_bytes() == b"graph"


@needs_export_packages
@pytest.mark.parametrize("file", [WEIGHTS_FILE, TOKENIZER_FILE, f"onnx/{GRAPH_FILE}"])
def test_export_is_made_again_when_a_file_differs(weights: Path, out: Path, file: str) -> None:
    (weights / file).write_bytes(b"other")

    with pytest.raises(ModelFailed, match="the disk is full"):
        ensure_encoder(weights, out, FAILS)


@needs_export_packages
@pytest.mark.parametrize("record", ["", "[]", "{", '{"format": 0}', '{"format": 1, "more": 2}'])
def test_export_is_made_again_when_its_record_is_unreadable(
    weights: Path, out: Path, record: str
) -> None:
    (out / RECORD_FILE).write_text(record)

    with pytest.raises(ModelFailed, match="the disk is full"):
        ensure_encoder(weights, out, FAILS)


@pytest.mark.parametrize("file", [WEIGHTS_FILE, TOKENIZER_FILE])
def test_missing_weights_are_named_with_the_command_that_fetches_them(
    weights: Path, out: Path, file: str
) -> None:
    (weights / file).unlink()

    with pytest.raises(WeightsMissing, match=rf"{file} is missing.*kb models pull all-minilm"):
        ensure_encoder(weights, out)


@needs_export_packages
def test_graph_that_differs_from_the_reference_is_an_encoder_mismatch(weights: Path) -> None:
    mismatch = exporter(f"sys.stderr.write('cosine 0.5'); sys.exit({EXIT_MISMATCH})")

    with pytest.raises(EncoderMismatch, match=r"cosine 0\.5"):
        ensure_encoder(weights, weights / "onnx", mismatch)


@needs_export_packages
def test_export_that_claims_success_and_leaves_nothing_is_a_failure(weights: Path) -> None:
    with pytest.raises(ModelFailed, match="no usable graph"):
        ensure_encoder(weights, weights / "onnx", exporter("sys.exit(0)"))


def test_missing_packages_are_named_with_the_command_that_installs_them(weights: Path) -> None:
    done = python(
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path; from kb.adapters.minilm import ensure_encoder\n"
        "ensure_encoder(Path(sys.argv[1]), Path(sys.argv[1]) / 'onnx')",
        str(weights),
    )

    assert "WeightsMissing" in done.stderr
    assert 'torch: pip install "weighbridge[encoder]"' in done.stderr


def test_encoder_without_an_export_says_so(weights: Path) -> None:
    with pytest.raises(WeightsMissing, match="no exported encoder"):
        MiniLmEncoder(weights, weights / "onnx")


def test_graph_that_is_no_graph_is_reported_as_corrupt(weights: Path, out: Path) -> None:
    with pytest.raises(WeightsCorrupt, match=GRAPH_FILE):
        MiniLmEncoder(weights, out)


def test_serving_encoder_imports_no_torch() -> None:
    done = python("import sys, kb.adapters.minilm; sys.exit('torch' in sys.modules)")

    assert done.returncode == 0, done.stderr


def test_serving_encoder_leaves_no_telemetry_identifier_behind(tmp_path: Path) -> None:
    # The runtime keeps quiet by itself where CI is set, and would where this process set it.
    done = subprocess.run(
        [sys.executable, "-c", "import kb.adapters.minilm, time; time.sleep(1)"],
        env={"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )

    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@needs_export_packages
def test_weights_of_another_model_are_refused(weights: Path) -> None:
    from safetensors.numpy import save_file  # comes with the export packages

    save_file({"embeddings": np.zeros((2, 2), np.float32)}, weights / WEIGHTS_FILE)

    with pytest.raises(EncoderMismatch, match="another kind of model"):
        ensure_encoder(weights, weights / "onnx")
    assert list((weights / "onnx").iterdir()) == []
