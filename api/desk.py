"""What every question needs on its way, whichever route it came by."""

from __future__ import annotations

from dataclasses import dataclass

from anyio import CapacityLimiter

from api.account import Account, Teller
from api.queueing import Line
from kb.settings import Settings

# Threads that questions may hold at once; all else has its own, so that searches, documents and
# health checks are served while questions are with the model.
THREADS = 32

AT_ONCE, AT_ONCE_ELSEWHERE = 1, 8  # in this process two at once take twice as long each


@dataclass(frozen=True, slots=True)
class Desk:
    """Of one server. tellers: are told how each question went. seconds: the deadline of one."""

    threads: CapacityLimiter
    line: Line
    tellers: tuple[Teller, ...]
    seconds: float

    @classmethod
    def of(cls, settings: Settings, tellers: tuple[Teller, ...]) -> Desk:
        usual = AT_ONCE if settings.chat_url is None else AT_ONCE_ELSEWHERE
        line = Line(settings.at_once or usual, settings.queue)
        return cls(CapacityLimiter(THREADS), line, tellers, settings.answer_seconds)

    def account(self, request_id: str) -> Account:
        return Account(request_id, self.tellers)
