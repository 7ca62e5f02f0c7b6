"""`make`'s first step: the virtual environment, and torch without CUDA."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from make.install import (
    NEEDED_BYTES,
    TORCH_CPU_INDEX,
    CannotInstall,
    Environment,
    Resolved,
    choose_torch,
    fingerprint,
    installed,
    main,
    remember,
    require_room,
    torch_requirement,
)

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch==2.13.0"
CPU = Resolved((("torch", "2.13.0+cpu"), ("sympy", "1.14.0")))
CUDA = Resolved((("torch", "2.13.0"), ("nvidia-cudnn-cu13", "9.9"), ("triton", "3.4")))


def finds(found: Resolved | None) -> Callable[[str], Resolved | None]:
    return lambda requirement: found


def never(url: str) -> bool:
    raise AssertionError("asked another index although the nearest has a CPU build")


# -- torch ---------------------------------------------------------------------------------------


def test_nearest_cpu_build_is_taken_without_asking_elsewhere() -> None:
    assert choose_torch(TORCH, finds(CPU), never) == [TORCH]


def test_cpu_index_is_used_where_the_nearest_offers_only_cuda() -> None:
    chosen = choose_torch(TORCH, finds(CUDA), lambda url: url == TORCH_CPU_INDEX)

    assert chosen == ["--no-deps", "--index-url", TORCH_CPU_INDEX, TORCH]


def test_cpu_index_is_used_where_the_nearest_has_no_torch() -> None:
    assert TORCH_CPU_INDEX in choose_torch(TORCH, finds(None), lambda url: True)


def test_nobody_downloads_cuda_when_the_cpu_index_is_out_of_reach() -> None:
    with pytest.raises(CannotInstall, match="PIP_FIND_LINKS"):
        choose_torch(TORCH, finds(CUDA), lambda url: False)


def test_registry_out_of_reach_is_said() -> None:
    with pytest.raises(CannotInstall, match="registry in reach"):
        choose_torch(TORCH, finds(None), lambda url: False)


@pytest.mark.parametrize("name", ["nvidia-nccl-cu13", "NVIDIA-cublas", "cuda-toolkit", "triton"])
def test_packages_of_cuda_are_known_by_name(name: str) -> None:
    assert not Resolved((("torch", "2.13.0"), (name, "1"))).cpu_only


def test_torch_is_the_version_that_the_lock_pins() -> None:
    assert torch_requirement() == TORCH


# -- what was done before ------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_nothing_is_installed_twice(checkout: Path) -> None:
    remember(checkout, ["encoder", "dev"], checkout)

    assert installed(checkout, ["encoder"], checkout)
    assert installed(checkout, ["dev", "encoder"], checkout)


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_changed_requirements_are_installed(checkout: Path, name: str) -> None:
    remember(checkout, ["encoder"], checkout)

    (checkout / name).write_text("changed")

    assert not installed(checkout, ["encoder"], checkout)


def test_extras_that_are_missing_are_installed(checkout: Path) -> None:
    remember(checkout, ["encoder"], checkout)

    assert not installed(checkout, ["encoder", "dev"], checkout)


def test_environment_of_another_checkout_is_installed_anew(checkout: Path) -> None:
    remember(checkout, ["encoder"], ROOT)

    assert not installed(checkout, ["encoder"], checkout)


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"fingerprint": 1}'])
def test_damaged_record_means_not_installed(checkout: Path, text: str | None) -> None:
    if text is not None:
        (checkout / "installed.json").write_text(text)

    assert not installed(checkout, ["encoder"], checkout)


def test_fingerprint_is_the_same_for_the_same_files(checkout: Path) -> None:
    assert fingerprint(checkout) == fingerprint(checkout) != fingerprint(ROOT)


# -- what to do, in one line ---------------------------------------------------------------------


def test_full_disk_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(CannotInstall, match=r"1\.0 GB of free disk and 4 GB"):
        require_room(tmp_path, lambda folder: 1_000_000_000)
    require_room(tmp_path, lambda folder: NEEDED_BYTES)


def test_python_that_fails_ends_the_install(tmp_path: Path) -> None:
    broken = tmp_path / "bin" / "python"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    with pytest.raises(CannotInstall, match="run this again"):
        Environment(tmp_path).pip("install", "x")
    with pytest.raises(CannotInstall, match="libgomp1"):
        Environment(tmp_path).require_runtime()
    assert Environment(tmp_path).resolve(TORCH) is None


def test_install_that_was_done_is_silent(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    remember(checkout, ["encoder"], ROOT)

    status = main([str(checkout), "encoder"])

    assert status == 0
    assert capfd.readouterr() == ("", "")


def test_make_says_so_when_there_is_no_python() -> None:
    done = subprocess.run(
        ["make", "up", "PYTHON="],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )

    assert done.returncode != 0
    assert "Python 3.11 or later is needed" in done.stderr
