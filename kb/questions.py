"""What kind of answer a question asks for."""

from __future__ import annotations

import re

# A clause may stand before it: "If we pay for it, is it ours?"; not "What does it cost, is...".
_YES_OR_NO = re.compile(
    r"(?:^|[.!?;]\s)\W*(?:(?!what|which|who|how|why)[^,?]{4,140}, )?"
    r"(?:is|are|was|were|can|could|do|does|did|will|would|has|have|had|must|may|should)\b"
    # a statement that is to be confirmed
    r"|\b(?:confirm(?: (?:this|that|it))?|correct|right|true|isn['’]t it|aren['’]t they)\W*$",
    re.IGNORECASE,
)


def is_yes_or_no(question: str) -> bool:
    """ "Can it be sold?", "It broke. Does anybody mend it?"; not "What does it cost?"."""
    return bool(_YES_OR_NO.search(question))
