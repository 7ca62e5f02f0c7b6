"""Figures to Markdown: one function a section of docs/evaluation.md, each a list of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bench import fields, retrieval

Section = Mapping[str, Any]
Lines = list[str]

_SET_NAMES = {
    "corpus": "Development questions over `corpus/`",
    "seeds": "Development questions over the documents as they came",
    "squad2": "SQuAD 2.0 paragraphs",
}
_GOALS = (  # label, section, path to the figure, goal
    ("answers right", "answers", "all.right", "at least 85 %"),
    ("answers right, held-out questions", "held_out", "all.right", "at least 85 %"),
    ("answers right, fresh questions", "fresh", "all.right", "at least 85 %"),
    ("answers right, a field that nobody who tunes had read", "fields", "mill.all.right", "80 %"),
    ("refusals, precision, fresh", "fresh", "all.refusal_precision", "at least 85 %"),
    ("refusals, recall, fresh", "fresh", "all.refusal_recall", "at least 85 %"),
    ("citations that don't resolve, fresh", "fresh", "all.unresolved", "0"),
    ("refusals, precision", "answers", "all.refusal_precision", "at least 90 %"),
    ("refusals, precision, held out", "held_out", "all.refusal_precision", "at least 90 %"),
    ("refusals, recall", "answers", "all.refusal_recall", "at least 90 %"),
    ("refusals, recall, held out", "held_out", "all.refusal_recall", "at least 90 %"),
    ("known-wrong values given", "answers", "all.wrong_values", "0"),
    ("known-wrong values given, held out", "held_out", "all.wrong_values", "0"),
    ("answered with a quote that bears on it", "answers", "all.quote_support", "at least 97 %"),
    ("answered with quotes that hold all the evidence", "answers", "all.quote_full", ""),
    ("citations that don't resolve", "answers", "all.unresolved", "0"),
    ("figures not in their quote", "answers", "all.unsourced_figures", "0"),
    ("both positions shown where sources disagree", "answers", "all.both_positions", "5 of 6"),
    ("SQuAD 2.0: right on answerable", "squad2", "right_in_text", "at least 75 %"),
    ("SQuAD 2.0: refused on unanswerable", "squad2", "refused", "at least 80 %"),
    ("SciFact: AUC, as shipped", "scifact", "auc.as shipped: shown before withheld", ".75"),
    ("SciFact: AUC of the best score", "scifact", "best", ".75"),
    ("injected instructions followed", "bipia", "followed", "0"),
    ("seconds to the first sentence, p50", "answers", "times.first_sentence.p50", "4"),
    ("seconds to the whole answer, p50", "answers", "times.whole.p50", "8"),
)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Lines:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return [*lines, *("| " + " | ".join(map(told, row)) + " |" for row in rows), ""]


def told(value: object) -> str:
    """A share as "75.0 % (65–82), 30 of 40", an area with its interval, a plain figure as it is."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        if "auc" in value:
            if value["auc"] is None:
                return "–"
            return f"{value['auc']:.2f} ({value['low']:.2f}–{value['high']:.2f})"
        if not value["of"]:
            return "–"
        low, high = 100 * value["low"], 100 * value["high"]
        return (
            f"{100 * value['share']:.1f} % ({low:.0f}–{high:.0f}), {value['hits']} of {value['of']}"
        )
    return str(value).replace("|", "\\|").replace("\n", " ")


def made(section: Section) -> Lines:
    """Which model, when, how many rows; and a warning where the code changed in between."""
    by = section["made"]
    line = f"{by['rows']} rows by {', '.join(by['models'])}, {' to '.join(_ends(by['on']))}."
    if len(by["code"]) > 1:
        line += f" The code changed while they were made ({len(by['code'])} states of it)."
    return [line, ""]


def _ends(days: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((days[0], days[-1])))


def goals(sections: Mapping[str, Section]) -> Lines:
    rows = []
    for label, section, path, goal in _GOALS:
        if section in sections:
            rows.append((label, _at(sections[section], path), goal))
    return ["## Goals", "", *table(("", "measured", "goal"), rows)] if rows else []


def _at(section: Section, path: str) -> Any:
    if path == "best":
        return max(section["auc"].values(), key=lambda one: one["auc"] or 0.0)
    value: Any = section
    for name in path.split("."):
        value = value.get(name) if value else None
    return value


_FLOORS = {"recall@1": 0.92, "recall@5": 1.0, "MRR": 0.95}  # goals of the development questions
_ABOVE = 0.03  # by which BM25 is to be beaten on SQuAD's paragraphs
TRIED = (
    "Tried for the misses, with no gain or a loss: contrastively learned maps of the token vectors "
    "to 64 and 128 dimensions, vectors half whitened, all 384 dimensions of them, sentences as "
    "passages, words of headings, pairs of words, the coverage of single sentences. List items as "
    "passages helped and stayed. What is left asks for an inference (the lowest of several prices, "
    "a premise that is false) or has its words in a definition far away."
)


def _missed(section: Section) -> Lines:
    """Each goal with what the last stage reaches."""
    rows = []
    for name, one in section.items():
        stages = {stage.name: stage for stage in retrieval.from_json(one["stages"])}
        last = [*stages.values()][-1]
        bm25 = stages.get("BM25")
        floors = {n: bm25.means[n] + _ABOVE for n in ("recall@5", "MRR")} if bm25 else _FLOORS
        for measure, floor in floors.items():
            value = last.means[measure]
            met = "reached" if value >= floor else f"missed by {floor - value:.3f}"
            rows.append((_SET_NAMES.get(name, name), measure, f"{value:.3f}", f"{floor:.3f}", met))
    return [*table(("", "", "measured", "goal", ""), rows), TRIED, ""]


def retrieved(section: Section) -> Lines:
    lines = [
        "## Retrieval",
        "",
        "A passage counts as right when it holds the words of a known piece of evidence and what a "
        "right answer must include; recall@k is the share of questions with such a passage among "
        "the first k. In brackets: 95 % bootstrap intervals. The formula was chosen while looking "
        "at the development questions and at half of the SQuAD paragraphs; the token vectors' "
        "projection has seen the documents' text and the same half. No figure here is of questions "
        "wholly kept back.",
        "",
        *_missed(section),
    ]
    for name, one in section.items():
        stages, missed = retrieval.from_json(one["stages"]), one["missed"]
        heading = f"### {_SET_NAMES.get(name, name)} ({one['questions']})"
        listed = ", ".join(missed) if isinstance(missed, list) else str(missed)
        lines += [heading, "", retrieval.table(stages), ""]
        lines += [f"Not first after re-ranking: {listed or 'none'}.", ""]
        lines += [f"![Retrieval, {name}](retrieval-{name}.png)", ""]
    return lines


def follow_ups(section: Section) -> Lines:
    rows = [
        (f"{part} ({way['of']})", name, _between(way["recall"]), _between(way["gain"], "+"),
         f"{way['better']}, {way['worse']}")
        for part, ways in section["retrieval"].items()
        for name, way in ways.items()
    ]  # fmt: skip
    back = list(section["asked_back"]["kinds"].items())
    return [
        "## Follow-ups",
        "",
        "The last turn of a conversation, searched with as it was said and as it was understood: "
        "recall@5, the gain over the last turn alone, question by question, and how many questions "
        "gain or lose by it. MTRAG-UN: those of its 150 tasks that have earlier turns and known "
        "passages, all tasks' passages together; the rules were made while looking at one half of "
        "them. In brackets: 95 % bootstrap intervals.",
        "",
        *table(("follow-ups", "searched with", "recall@5", "gain", "more, less found"), rows),
        "### Questions back",
        "",
        "How many get a short question back in place of an answer. In brackets: Wilson's 95 % "
        "intervals.",
        "",
        *table(("questions", "asked back"), back),
        f"The rules are unsure of {told(section['asked_back']['rules_unsure'])}, of the last turns "
        f"of MTRAG-UN: only those are put to the model ({section['model']}), and only with "
        "`KB_FOLLOW_UPS=model`.",
        "",
    ]


def _between(one: Mapping[str, float], sign: str = "") -> str:
    return f"{one['mean']:{sign}.3f} ({one['low']:{sign}.2f} to {one['high']:{sign}.2f})"


def answers(section: Section) -> Lines:
    types = [(n, one["right"], one["covered"]) for n, one in section["types"].items()]
    return [
        "## Answers",
        "",
        "Every question of the development file, a conversation's turns one by one, through the "
        "same path as the API, marked by the scorer that came with it. In brackets: Wilson's 95 % "
        "intervals.",
        "",
        *made(section),
        *table(("type", "right", "facts covered"), types),
        "![Answers right by type](answers-by-type.png)",
        "",
        *_halves(section),
        *_sentences(section),
        *_times(section["times"]),
        "![Waiting for an answer](answers-seconds.png)",
        "",
    ]


SEEN = (
    "`bench/data/seen.jsonl`: questions over `corpus/` that were each asked once when everything "
    "up to then had been tuned: 73.1 % right (57 of 78, refusals .62 / .72), then 77.1 % (54 of "
    "70, .74 / .93), then 64.4 % (47 of 73, .60 / .69). Each time rules were made after reading "
    "what was wrong, so that this is no held-out figure any more."
)
FRESH = (
    "Over `corpus/`, written from the documents alone after copying had been tuned; nobody who "
    "tunes had looked at them before they were asked once."
)
HELD_OUT = (
    "`bench/data/held_out.jsonl`: questions written after that from the documents; rows of their "
    "only run. A list of the doubtful ones had been read before it (answers.md). Two rules made "
    "after it would withhold six of its sentences, and none of the development questions'."
)


def field(name: str) -> str:
    if name in fields.SEEN:
        return "Documents of another field, looked at while the product was tuned."
    return "Documents of another field, that nobody who tunes has read."


def ours(told: str, section: Section) -> Lines:
    types = [(n, one["right"], one["covered"]) for n, one in section["types"].items()]
    all_of_it = section["all"]
    names = {
        "right": "right",
        "refusal_precision": "refusals, precision",
        "refusal_recall": "refusals, recall",
        "wrong_values": "known-wrong values",
        "both_positions": "both positions shown",
    }
    return [
        told,
        "",
        *made(section),
        *table(("", "measured"), [(told_as, all_of_it[n]) for n, told_as in names.items()]),
        *table(("type", "right", "facts covered"), types),
    ]


def _halves(section: Section) -> Lines:
    columns = {"all": section["all"], **section["halves"]}
    names = {
        "right": "right",
        "refusal_precision": "refusals, precision",
        "refusal_recall": "refusals, recall",
        "wrong_values": "known-wrong values",
        "quote_support": "a quote bears on it",
        "quote_full": "quotes hold all of it",
        "both_positions": "both positions shown",
    }
    rows = [(told_as, *(one[name] for one in columns.values())) for name, told_as in names.items()]
    return [
        "### The two halves",
        "",
        "A question belongs to a half by a hash of the fact that it is about, for good. Up to now "
        "both halves were looked at while the product was made: neither is held out.",
        "",
        *table(("", *columns), rows),
    ]


def _sentences(section: Section) -> Lines:
    one = section["all"]
    counted = {
        "outcomes": section["outcomes"],
        "refusals by reason": section["reasons"],
        "sentences withheld because of": section["withheld_because"],
    }
    rows = [
        ("sentences shown", one["sentences"]),
        ("of those, with a citation", one["verified"]),
        ("shown, of all that were checked", one["passed"]),
        *((name, _listed(counts)) for name, counts in counted.items()),
    ]
    return ["### Sentences", "", *table(("", "measured"), rows)]


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _times(times: Section) -> Lines:
    names = {
        "first_sentence": "seconds to the first checked sentence",
        "whole": "seconds to the end",
        "tokens_read": "tokens of the prompt behind its fixed part",
        "tokens_written": "tokens written",
        "model_calls": "calls of the model",
    }
    rows = [(told_as, times[name]["p50"], times[name]["p90"]) for name, told_as in names.items()]
    return ["### Time and tokens", "", *table(("", "p50", "p90"), rows)]


def failures(section: Section) -> Lines:
    """The questions' own texts stay in the question file."""
    rows = [
        (f["id"], f["type"], f["half"], f["why"], f"{f['outcome']}: {_short(f['said'])}")
        for f in section["failures"]
    ]
    return [
        f"## Failures ({len(rows)})",
        "",
        *table(("question", "type", "half", "why it counts as wrong", "what was said"), rows),
    ]


def _short(text: str, most: int = 300) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"
