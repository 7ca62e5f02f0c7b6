"""How often refusals and the checks are wrong, as `make eval` measured it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """gate: by set of questions, its refusals alone and of the whole way. verifier: by set of
    claims, precision and recall of what is shown. Each share with its counts and its 95 % interval;
    empty where nothing was measured."""

    gate: dict[str, Any]
    verifier: dict[str, Any]

    @classmethod
    def shipped(cls) -> Measured:
        return cls(**json.loads(files("kb").joinpath("measured.json").read_text(encoding="utf-8")))
