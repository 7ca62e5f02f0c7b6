"""Examples of what is said about stored answers."""

from __future__ import annotations

from api.examples import ANSWER, Example

_LISTED: Example = {
    "id": ANSWER["conversation_id"],
    "question": ANSWER["question"],
    "turns": 1,
    "started_at": "2026-11-03T09:30:00Z",
    "last_at": "2026-11-03T09:30:00Z",
}
_TURN: Example = {
    "turn": 1,
    "asked_at": "2026-11-03T09:30:00Z",
    "rating": "up",
    "answer": ANSWER,
}
_CITED: Example = ANSWER["citations"][0]
CONVERSATIONS: Example = {"total": 1, "conversations": [_LISTED]}
CONVERSATION: Example = {"id": ANSWER["conversation_id"], "turns": [_TURN]}
STORED_ANSWER: Example = {
    **_TURN,
    "corpus_version": 3,
    "standings": [
        {
            "marker": 1,
            "state": "current",
            "revision": _CITED["revision"],
            "start": _CITED["start"],
            "end": _CITED["end"],
        }
    ],
}
DELETED: Example = {"id": ANSWER["conversation_id"], "answers": 1}

FEEDBACK: Example = {"answer_id": ANSWER["id"], "rating": "down", "comment": "It is out of date."}
GIVEN: Example = {
    **FEEDBACK,
    "question": ANSWER["question"],
    "outcome": ANSWER["outcome"],
    "given_at": "2026-11-03T09:31:00Z",
}
ALL_GIVEN: Example = {"total": 1, "feedback": [GIVEN]}
