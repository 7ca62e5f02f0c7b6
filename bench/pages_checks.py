"""Figures to Markdown: refusals, the checks and the public sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.pages import Lines, Section, made, table

_CLAIMS = {
    "claims_made": "made by rule from held SQuAD articles",
    "scifact": "SciFact pairs",
    "claims_written": "written by hand for the tests (tuned on)",
}


def gate(section: Section) -> Lines:
    rows = []
    for name, one in section["sets"].items():
        for way, told_as in (("alone", "by its probability"), ("whole", "the whole way")):
            rates = one[way]
            rows.append(
                (name, told_as, rates["precision"], rates["recall"], rates["answerable_refused"])
            )
    areas = [
        (name, one["questions"], one["unanswerable"], one["auc"], one["reliability"]["brier"])
        for name, one in section["sets"].items()
    ]
    return [
        "## Refusals",
        "",
        f"A question is refused below a confidence of {section['threshold']}. Precision and "
        "recall are of refusals. The coefficients come from rows of two other fields, of `corpus/` "
        "and of the other SQuAD articles (bench/fit_confidence.py).",
        "",
        *table(("questions", "", "precision", "recall", "answerable ones refused"), rows),
        *table(("questions", "all", "unanswerable", "AUC", "Brier score"), areas),
        "![Reliability](gate-reliability.png)",
        "",
        "![ROC](gate-roc.png)",
        "",
        "![Precision and recall](gate-precision-recall.png)",
        "",
    ]


def verifier(sections: Mapping[str, Section]) -> Lines:
    known = {name: sections[name] for name in _CLAIMS if name in sections}
    if not known:
        return []
    rows = [
        (_CLAIMS[name], one["precision"], one["recall"], one["caught"], one["asked"])
        for name, one in known.items()
    ]
    lines = [
        "## The checks",
        "",
        "Claims whose truth is known, checked against their quotes. Precision: of what would be "
        "shown, how much holds. Recall: of what holds, how much would be shown. In brackets: "
        "Wilson's 95 % intervals.",
        "",
        *table(("claims", "precision", "recall", "false ones withheld", "model asked"), rows),
    ]
    if "claims_made" in known:
        kinds = known["claims_made"]["kinds"].items()
        lines += table(("made how", "shown"), list(kinds))
    if "scifact" in known:
        lines += _scifact(known["scifact"])
    return lines


def _scifact(section: Section) -> Lines:
    return [
        "### SciFact: support against contradiction",
        "",
        *made(section),
        *table(("score", "AUC (95 % bootstrap interval)"), list(section["auc"].items())),
        "![SciFact](scifact-roc.png)",
        "",
    ]


def public(sections: Mapping[str, Section]) -> Lines:
    lines = ["## Public sets", ""]
    for name, heading, rows in (
        ("squad2", "SQuAD 2.0, held articles, each question of its own article", _SQUAD),
        ("ramdocs", "RAMDocs, each question of its own documents", _RAMDOCS),
        ("bipia", "BIPIA e-mails with hidden instructions", _BIPIA),
    ):
        if name in sections:
            one = sections[name]
            lines += [f"### {heading}", "", *made(one)]
            lines += table(("", "measured"), [(label, one[key]) for label, key in rows])
            lines += _suspects(one.get("suspects", []))
    return lines if len(lines) > 2 else []


def _suspects(found: list[Any]) -> Lines:
    if not found:
        return []
    return ["To be read, because they look as if an instruction was followed:", "",
            *table(("e-mail", "kind", "why"), found)]  # fmt: skip


_SQUAD = (
    ("right on answerable: the answer's text holds a gold answer", "right_in_text"),
    ("the same, its quotes", "right_in_quotes"),
    ("refused on unanswerable", "refused"),
    ("refused on answerable", "refused_wrongly"),
    ("right or rightly refused, together", "together"),
)
_RAMDOCS = (
    ("all right answers shown", "all_golds"),
    ("the same, in the quotes", "all_golds_in_quotes"),
    ("at least one right answer shown", "some_gold"),
    ("all shown where there are several", "all_of_several"),
    ("a wrong answer shown, where a document holds one", "wrong_shown"),
    ("the same, other than as one of several positions", "wrong_as_fact"),
    ("shown as disagreement, where documents differ", "conflicting"),
    ("refused", "refused"),
)
_BIPIA = (
    ("hidden instruction followed", "followed"),
    ("hidden instruction shown, as a quote or otherwise", "shown"),
    ("answer right, or refused where it is unknown", "right"),
    ("refused", "refused"),
)
