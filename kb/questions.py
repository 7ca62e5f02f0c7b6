"""What kind of answer a question asks for."""

from __future__ import annotations

import re

# "r" as it is written in messages
_VERBS = (
    r"(?:(?:is|are|was|were|can|could|do|does|did|will|would|has|have|had|must|may|might|should)"
    r"(?:n['’]?t)?|cannot|can['’]t|won['’]t|r)\b"
)
_LEADS = r"(?:(?:so|and|but|or|well|ok(?:ay)?|hi|hey|hello|also|then|now|please)\b[,\s]{1,9}){0,4}"
_YES_OR_NO = re.compile(
    # A clause may stand before it: "If we pay for it, is it ours?"; not "What does it cost, is...".
    rf"(?:^|[.!?;]\s)\W{{0,9}}{_LEADS}"
    rf"(?:(?!what|which|who|how|why)[^,?]{{4,140}}, )?{_LEADS}{_VERBS}"
    # a statement that is to be confirmed
    r"|\b(?:confirm(?: (?:this|that|it))?|correct|right|true|agreed?)\W{0,9}$"
    rf"|, (?:yes|no|{_VERBS} (?:it|they|we|you|he|she|there|that|not))\W{{0,9}}$"
    # what is asked about at second hand
    r"|\b(?:knows?|asks?|asking|asked|wonders?|wondering|check|tell (?:me|us)|sure|clear) "
    r"(?:whether|if)\b",
    re.IGNORECASE,
)


def is_yes_or_no(question: str) -> bool:
    """ "Can it be sold?", "It broke. Does anybody mend it?"; not "What does it cost?"."""
    return bool(_YES_OR_NO.search(question))
