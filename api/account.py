"""What is told of one question once it is over: a line in the log, figures, and its stages. Never
what was asked or said: that is private."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from api.logs import FIGURES
from kb.errors import WeighbridgeError
from kb.events import Answered, Event, EvidenceFound, Judged, SentencePassed, Status
from kb.types import Answer

log = logging.getLogger("weighbridge.api")

End = Literal["ok", "gone", "failed", "broken"]  # gone: nobody waited for it any more


@dataclass(frozen=True, slots=True)
class Stage:
    """started, ended: seconds since the epoch."""

    name: str
    started: float
    ended: float


@dataclass(frozen=True, slots=True)
class Story:
    """A question from its arrival to its end. answer: as far as it got; code: the error's.
    waited: seconds in the line before the model. first: seconds to the first sentence."""

    request_id: str
    end: End
    started: float
    ended: float
    waited: float
    stages: tuple[Stage, ...] = ()
    first: float | None = None
    recalled: bool | None = None  # None: it was never searched for
    answer: Answer | None = None
    code: str | None = None

    @property
    def figures(self) -> Mapping[str, object]:
        """In the order of the log line, without what there isn't."""
        told: dict[str, object] = {"request": self.request_id, "code": self.code}
        if (answer := self.answer) is not None:
            told |= {
                "outcome": answer.outcome,
                "reason": answer.reason,
                "cited": len(answer.citations),
                "withheld": answer.withheld,
                "cached": int(answer.cached) or None,
            }
            told |= {f"{n}_ms": ms for n, ms in answer.timings_ms.items() if n != "total"}
        told["waited_ms"] = round(1000 * self.waited) or None
        told["total_ms"] = round(1000 * (self.ended - self.started))
        return {name: value for name, value in told.items() if value is not None}


Teller = Callable[[Story], None]


@dataclass(slots=True)
class Account:
    """Kept while a question is answered. tellers: are told its story at the end."""

    request_id: str
    tellers: tuple[Teller, ...]
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)
    waited: float = 0.0
    _moments: dict[str, float] = field(default_factory=dict)
    _recalled: bool | None = None
    _answer: Answer | None = None
    _code: str | None = None

    def __post_init__(self) -> None:
        self.began = self.clock()

    def saw(self, event: Event) -> None:
        match event:
            case Status(stage="searching"):
                self._at("search")
            case EvidenceFound():
                self._recalled = event.recalled
                self._at("found")
            case Status(stage="reading"):
                self._at("read")
            case Judged():
                self._at("judged")
            case SentencePassed():
                self._at("first")
            case Answered(answer):
                self._answer = answer
            case _:
                pass

    def failed(self, error: WeighbridgeError) -> None:
        self._code = error.code

    def close(self, end: End) -> Story:
        now = self.clock()
        epoch = time.time() - now
        first = self._moments.get("first")
        story = Story(
            request_id=self.request_id,
            end=end,
            started=self.began + epoch,
            ended=now + epoch,
            waited=self.waited,
            stages=tuple(self._stages(now, epoch)),
            first=None if first is None else first - self.began,
            recalled=self._recalled,
            answer=self._answer,
            code=self._code,
        )
        self._tell(story)
        return story

    def _tell(self, story: Story) -> None:
        said = " ".join(f"{name}={value}" for name, value in story.figures.items())
        figures = {"end": story.end, **story.figures}
        log.info("ask %s %s", story.end, said, extra={FIGURES: figures})
        for teller in self.tellers:
            teller(story)

    def _at(self, name: str) -> None:
        self._moments.setdefault(name, self.clock())

    def _stages(self, now: float, epoch: float) -> list[Stage]:
        """retrieve, wait, judge, write: as far as it got; each ends where the next one begins."""
        marks = (("search", "retrieve"), ("found", "wait"), ("read", "judge"), ("judged", "write"))
        known = [(self._moments[mark], name) for mark, name in marks if mark in self._moments]
        return [
            Stage(name, at + epoch, end + epoch)
            for (at, name), (end, _) in pairwise([*known, (now, "end")])
        ]
