"""What Locust counted of one run, as a row of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Kinds of what is measured: Locust's "request types".
EVIDENCE, SENTENCE, WHOLE = "evidence", "first sentence", "whole answer"
OUTCOME, SEARCH, FAULT = "outcome", "search", "fault"

HEAD = (
    "askers",
    "answers a minute",
    "`evidence`",
    "first sentence",
    "whole answer",
    "search meanwhile",
    "what came back",
    "faults",
)


@dataclass(frozen=True, slots=True)
class Counted:
    """counts: how often each time (in ms) was measured, by kind and name. seconds: from the first
    to the last."""

    askers: int
    seconds: float
    counts: Mapping[tuple[str, str], Mapping[float, int]]

    @classmethod
    def read(cls, askers: int, entries: Sequence[Mapping[str, Any]]) -> Counted:
        """entries: of Locust's --json-file."""
        counts = {
            (entry["method"], entry["name"]): {
                float(took): int(count) for took, count in entry["response_times"].items()
            }
            for entry in entries
        }
        first = min((entry["start_time"] for entry in entries), default=0.0)
        last = max((entry["last_request_timestamp"] for entry in entries), default=0.0)
        return cls(askers, last - first, counts)

    def kinds(self, kind: str) -> dict[str, int]:
        return {name: sum(c.values()) for (k, name), c in self.counts.items() if k == kind}

    def count(self, kind: str) -> int:
        return sum(self.kinds(kind).values())

    def milliseconds(self, kind: str, share: float) -> float | None:
        """That quantile; None where there is nothing. Locust rounds to two digits."""
        times = sorted(
            (took, count)
            for (k, _), counts in self.counts.items()
            if k == kind
            for took, count in counts.items()
        )
        left = share * sum(count for _, count in times)
        for took, count in times:
            left -= count
            if left <= 0:
                return took
        return None

    def row(self) -> tuple[str, ...]:
        """Under HEAD; times as p50 / p95 in seconds."""
        rate = 60 * self.count(WHOLE) / self.seconds if self.seconds else 0.0
        spans = (self._span(kind) for kind in (EVIDENCE, SENTENCE, WHOLE, SEARCH))
        faults = self.told(FAULT) or "none"
        return (str(self.askers), f"{rate:.1f}", *spans, self.told(OUTCOME) or "nothing", faults)

    def told(self, kind: str) -> str:
        return ", ".join(f"{count} × {name}" for name, count in sorted(self.kinds(kind).items()))

    def _span(self, kind: str) -> str:
        found = [self.milliseconds(kind, share) for share in (0.5, 0.95)]
        return " / ".join("-" if took is None else f"{took / 1000:.2f}" for took in found)
