"""What kind of answer a question asks for."""

from __future__ import annotations

import re

_YES_OR_NO = re.compile(
    r"(?:^|[.!?;]\s)\W*(?:[^,?]{4,60}, )?(?:is|are|was|were|can|could|do|does|did|will|would|has|"
    r"have|had|must|may|should)\b",
    re.IGNORECASE,
)


def is_yes_or_no(question: str) -> bool:
    """ "Can it be sold?", "It broke. Does anybody mend it?"; not "What does it cost?"."""
    return bool(_YES_OR_NO.search(question))
