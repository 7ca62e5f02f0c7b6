"""`kb eval`: measures retrieval, answers and checks over questions with known answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.screen import note
from kb.settings import load_settings

# What measures needs the extra `eval`: it is imported where it is used.
app = typer.Typer(no_args_is_help=True, help="Measure on questions with known answers.")

Questions = Annotated[Path, typer.Option(help="Question file, one JSON object a line.")]
Scorer = Annotated[Path, typer.Option(help="The scorer that came with the questions.")]
Shared = Annotated[Path, typer.Option(help="Folder that holds eval/, with the question files.")]
Out = Annotated[Path, typer.Option(help="Folder for results; what is in it is not done again.")]
Keep = Annotated[bool, typer.Option(help="Results of an earlier state of the code will do.")]
Count = Annotated[int | None, typer.Option(min=1, help="Only the first so many.")]
SHARED = Path("../shared")
RESULTS = Path("build/eval")
ANSWERS = ["answers", "held_out", "fresh", "fields"]
PUBLIC = ["squad2", "ramdocs", "bipia", "scifact"]
CLAIMS = ["claims_written", "claims_made"]


@app.command()
def retrieval(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Documents; default: corpus.")
    ] = None,
    questions: Questions = SHARED / "eval" / "questions.jsonl",
    scorer: Scorer = SHARED / "eval" / "score.py",
    plot: Annotated[Path | None, typer.Option(help="Write a picture here (.png).")] = None,
    as_json: Annotated[Path | None, typer.Option("--json", help="Write the figures here.")] = None,
) -> None:
    """Dense, lexical, fused and re-ranked, side by side, with confidence intervals."""
    from bench import questions as asked
    from bench import retrieval as measured
    from bench.index import indexed
    from kb.fakes_model import ScriptedModel

    _require(questions, scorer)
    settings = load_settings()
    known = asked.load_scorer(scorer)
    items = [(a.id, a.question, asked.relevance(a, known)) for a in asked.single_turn(questions)]
    with indexed(settings, folders or [settings.corpus], ScriptedModel([""])) as kb:
        stages = measured.evaluate(items, lambda q: kb.search(q, count=measured.DEPTH).hits)
    typer.echo(measured.table(stages))
    if plot:
        measured.plot(f"Retrieval on {len(items)} questions", stages, plot)
    if as_json:
        as_json.write_text(measured.as_json(stages), encoding="utf-8")


@app.command("follow-ups")
def follow_ups(shared: Shared = SHARED, out: Out = RESULTS) -> None:
    """Retrieval for last turns of conversations, as said and as understood; and questions back."""
    from bench import follow_ups as measured
    from bench import pages
    from bench.index import loaded

    _require(shared / "eval" / "questions.jsonl", shared / "eval" / "public" / "mtrag_un.jsonl")
    settings = load_settings()
    with loaded(settings) as model:
        path = measured.write(settings, shared, out, model)
    typer.echo("\n".join(pages.follow_ups(json.loads(path.read_text(encoding="utf-8")))))


@app.command()
def answers(
    shared: Shared = SHARED, out: Out = RESULTS, count: Count = None, keep: Keep = False
) -> None:
    """Asks every development question, and those of bench/data, through the same path as the
    API."""
    _measure(ANSWERS, shared, out, count, keep)


@app.command()
def public(
    sets: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(PUBLIC)}; default: all.")
    ] = None,
    shared: Shared = SHARED,
    out: Out = RESULTS,
    count: Count = None,
    keep: Keep = False,
) -> None:
    """Answers, refusals and checks over parts of public sets."""
    _measure(_known(sets, PUBLIC), shared, out, count, keep)


@app.command()
def checks(
    claims: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(CLAIMS)}; default: both.")
    ] = None,
    shared: Shared = SHARED,
    out: Out = RESULTS,
    count: Count = None,
    keep: Keep = False,
) -> None:
    """The checks alone, over claims whose truth is known."""
    _measure(_known(claims, CLAIMS), shared, out, count, keep)


def _known(given: list[str] | None, known: list[str]) -> list[str]:
    strange = [name for name in given or [] if name not in known]
    if strange:
        note(f"{strange[0]} is not known: name some of {', '.join(known)}")
        raise typer.Exit(2)
    return given or known


def _measure(names: Sequence[str], shared: Path, out: Path, count: int | None, keep: bool) -> None:
    from bench.asking import Metered
    from bench.index import loaded
    from bench.parts import Run, measure

    run = Run(load_settings(), shared, out, count, keep, note)
    _require(run.questions)
    with loaded(run.settings) as model:
        measure(run, names, Metered(model))
    _tell(names, out, run.questions)


def _tell(names: Sequence[str], out: Path, questions: Path) -> None:
    """What the results folder holds of these parts, in the report's words."""
    from bench import pages, pages_checks
    from bench.summary import summarise

    found = summarise(out, questions)
    sections = {name: found[name] for name in names if name in found}
    lines = pages.goals(sections)
    if "answers" in sections:
        lines += pages.answers(sections["answers"]) + pages.failures(sections["answers"])
    lines += pages_checks.verifier(sections) + pages_checks.public(sections)
    typer.echo("\n".join(line for line in lines if not line.startswith("![")))
    note(f"the rows are in {out}; write the report: python -m bench.report --from {out}")


def _require(*paths: Path) -> None:
    for path in paths:
        if not path.is_file():
            note(f"{path} is not there: name where it is, with --shared or --questions")
            raise typer.Exit(2)
