"""`kb eval`: measures retrieval and answers over a question file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.screen import note
from kb.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Measure on questions with known answers.")

Questions = Annotated[Path, typer.Option(help="Question file, one JSON object a line.")]
Scorer = Annotated[Path, typer.Option(help="The scorer that came with the questions.")]
Folders = Annotated[list[Path] | None, typer.Argument(help="Documents; default: the corpus.")]
SHARED = Path("../shared/eval")


@app.command()
def retrieval(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Documents; default: corpus.")
    ] = None,
    questions: Questions = SHARED / "questions.jsonl",
    scorer: Scorer = SHARED / "score.py",
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


@app.command()
def answers(
    out: Annotated[Path, typer.Option(help="One answer a line, for the scorer.")] = Path(
        "answers.jsonl"
    ),
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Documents; default: corpus.")
    ] = None,
    questions: Questions = SHARED / "questions.jsonl",
) -> None:
    """Asks every question through the same path as the API."""
    from bench import answers as measured
    from bench.index import indexed, loaded

    _require(questions)
    settings = load_settings()
    with loaded(settings) as model, indexed(settings, folders or [settings.corpus], model) as kb:
        count = measured.write(measured.run(kb, questions), out)
    note(f"{count} answers in {out}; score them with the scorer that came with the questions")


def _require(*paths: Path) -> None:
    for path in paths:
        if not path.is_file():
            note(f"{path} is not there: name the question file with --questions")
            raise typer.Exit(2)
