"""Exports of the encoder that need no torch."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from kb.adapters.minilm import (
    EXPORT_PACKAGES,
)

needs_export_packages = pytest.mark.skipif(
    any(find_spec(package) is None for package in EXPORT_PACKAGES),
    reason='exporting needs pip install "weighbridge[encoder]"',
)


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
