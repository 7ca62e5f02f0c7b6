"""OpenAI's JavaScript SDK, fetched once into a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SDK = "openai@6.49.0"
SECONDS = 120
INSTALL = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", SDK]


def with_sdk(folder: Path) -> Path:
    """The folder, with the SDK in it. Skips where it can't be had."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node or npm is not installed")
    try:
        done = subprocess.run(INSTALL, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not fetch {SDK} within {SECONDS} s")
    if done.returncode:
        pytest.skip(f"npm could not fetch {SDK}: {done.stderr.strip()[-200:]}")
    return folder


def run(folder: Path, script: str, *arguments: str) -> str:
    """What a module printed that stands in such a folder."""
    (folder / "script.mjs").write_text(script, encoding="utf-8")
    command = ["node", "script.mjs", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
