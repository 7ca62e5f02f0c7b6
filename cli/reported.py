"""What an ingest's report says: as lines, as JSON, and as an exit status."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from cli.screen import say
from kb.reading import AROUND_THE_TEXT

if TYPE_CHECKING:
    from ingest.pipeline import Report

MOST_SHOWN = 10  # answers that lost support
SOME_FAILED, NOTHING_USABLE = 1, 2


def exit_status(report: Report) -> int:
    plan = report.plan
    if not (plan.add or plan.replace or plan.keep):
        return NOTHING_USABLE
    return SOME_FAILED if report.failed else 0


def wire(report: Report) -> dict[str, object]:
    return {
        "version": report.version,
        **asdict(report.plan),
        "failed": [asdict(failed) for failed in report.failed],
        "passages": report.passages,
        "embedded": report.embedded,
        "affected_total": report.affected.total,
        "affected_answers": [asdict(one) for one in report.affected.answers],
        "lost": [asdict(one) for one in report.lost],
        "notes": [asdict(one) for one in report.notes],
    }


def show(report: Report, dry_run: bool) -> None:
    plan = report.plan
    for word, ids in (("add", plan.add), ("replace", plan.replace), ("remove", plan.remove)):
        for document in ids:
            say(f"{word:8}{document}")
    for failed in report.failed:
        say(f"failed  {failed.path}: {failed.message}")
    _show_lost(report)
    if dry_run:
        say(f"would be: {counts(report)}")
    else:
        say(f"{counts(report)}; {report.embedded} of {report.passages} passages embedded")
        say(f"corpus version {report.version}")
        _show_affected(report)


def _show_lost(report: Report) -> None:
    """What isn't in the texts, by document; the page's menus only in --json."""
    for note in report.notes:
        say(f"note    {note.document}: {note.note}")
    by_document: dict[str, Counter[str]] = {}
    for one in report.lost:
        by_document.setdefault(one.document, Counter())[one.kind] += one.count
    for document, kinds in by_document.items():
        told = ", ".join(f"{n} × {kind}" for kind, n in kinds.items() if kind != AROUND_THE_TEXT)
        if told:
            say(f"lost    {document}: {told}")


def _show_affected(report: Report) -> None:
    """Stored answers whose quotes have gone: the newest, and how many there are."""
    found = report.affected
    if not found.total:
        return
    say(f"{found.total} stored answers lost support:")
    for one in found.answers[:MOST_SHOWN]:
        say(f"{one.why:8}answer {one.id}: {', '.join(one.documents)}")
    if found.total > MOST_SHOWN:
        say(f"and {found.total - MOST_SHOWN} more; --json names {len(found.answers)} of them")


def counts(report: Report) -> str:
    plan = report.plan
    return (
        f"{len(plan.add)} added, {len(plan.replace)} replaced, {len(plan.keep)} unchanged, "
        f"{len(plan.remove)} removed, {len(report.failed)} failed"
    )
