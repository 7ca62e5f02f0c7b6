"""What an ingest will do: files against the catalog. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Document ids, each in exactly one of the four; sorted, so that a plan is repeatable."""

    add: tuple[str, ...]
    replace: tuple[str, ...]
    keep: tuple[str, ...]
    remove: tuple[str, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        return tuple(sorted((*self.add, *self.replace)))

    @property
    def empty(self) -> bool:
        return not (self.add or self.replace or self.remove)


def plan(wanted: Mapping[str, str], live: Mapping[str, str], prune: bool = False) -> Plan:
    """wanted, live: document id to revision. Documents that are live and not wanted are removed
    only with `prune`; otherwise they are left alone and appear nowhere in the plan."""
    ids = sorted(wanted)
    return Plan(
        add=tuple(i for i in ids if i not in live),
        replace=tuple(i for i in ids if i in live and live[i] != wanted[i]),
        keep=tuple(i for i in ids if live.get(i) == wanted[i]),
        remove=tuple(i for i in sorted(live) if i not in wanted) if prune else (),
    )
