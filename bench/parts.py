"""What `make eval` measures, part by part: each makes its own index and leaves rows in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

from bench import (
    answers,
    attacks,
    checks,
    fields,
    follow_ups,
    marks,
    paragraphs,
    ramdocs,
    retrieval,
    scifact,
    squad,
)
from bench import questions as asked
from bench.asking import Asking, Metered
from bench.index import bare, indexed, shelve
from bench.rows import RESULTS, Made, Results, Row, fingerprint
from kb.fakes_model import ScriptedModel
from kb.settings import Settings
from kb.types import Document

SHARED = Path("../shared")


@dataclass(frozen=True, slots=True)
class Run:
    """One run of some parts. shared: the folder with eval/ and seeds/. out: where rows go. count:
    of each part only the first so many. keep: rows that another state of the code made will do.
    note: is told how far it is."""

    settings: Settings
    shared: Path = SHARED
    out: Path = RESULTS
    count: int | None = None
    keep: bool = False
    note: Callable[[str], None] = lambda line: None
    code: str = field(default_factory=fingerprint)  # as it was when it was loaded

    @property
    def questions(self) -> Path:
        return self.shared / "eval" / "questions.jsonl"

    def results(self, file: str, model: Metered) -> Results:
        by = Made(model.name, self.code, date.today().isoformat(), self.keep)
        return Results(self.out / file, by, self.count)

    def public(self, name: str) -> Path:
        return self.shared / "eval" / "public" / name


Part = Callable[[Run, Metered], Iterator[Row]]


def measure(run: Run, names: Iterable[str], model: Metered) -> None:
    """Carries the named parts out, in the order of PARTS. One whose questions are not there is
    left out, and said so."""
    wanted = set(names)
    for name, (needs, part) in PARTS.items():
        if name not in wanted:
            continue
        missing = [path for path in needs(run) if not path.exists()]
        if missing:
            run.note(f"{name} is left out: {missing[0]} is not there")
            continue
        for number, row in enumerate(part(run, model), 1):
            run.note(f"{name} {number}: {_told(row)}")


def _told(row: Row) -> str:
    if "outcome" in row:
        return f"{row['id']} {row['outcome']}, {row['seconds']:.1f} s"
    return f"{row['id']} {row.get('failure') or 'shown'}" if "shown" in row else str(row["id"])


# -- retrieval -----------------------------------------------------------------------------------


def _retrieval(run: Run, _: Metered) -> Iterator[Row]:
    scorer = asked.load_scorer(run.questions.with_name("score.py"))
    items = [
        (a.id, a.question, asked.relevance(a, scorer))
        for a in islice(asked.single_turn(run.questions), run.count)
    ]
    for name, folder in (("corpus", run.settings.corpus), ("seeds", run.shared / "seeds")):
        with indexed(run.settings, [folder], ScriptedModel([""])) as kb:
            stages = retrieval.evaluate(items, lambda q: kb.search(q, count=retrieval.DEPTH).hits)
        yield _kept(run, name, stages)
    most = None if run.count is None else 10 * run.count
    stages = paragraphs.compare(run.settings, run.public("squad2.jsonl"), most)
    yield _kept(run, "squad2", stages)


def _follow_ups(run: Run, model: Metered) -> Iterator[Row]:
    yield {"id": follow_ups.write(run.settings, run.shared, run.out, model).name}


def _kept(run: Run, name: str, stages: list[retrieval.Stage]) -> Row:
    run.out.mkdir(parents=True, exist_ok=True)
    (run.out / f"retrieval-{name}.json").write_text(retrieval.as_json(stages), encoding="utf-8")
    return {"id": name}


# -- answers -------------------------------------------------------------------------------------


def _answers(run: Run, model: Metered) -> Iterator[Row]:
    with indexed(run.settings, [run.settings.corpus], model) as kb:
        yield from answers.run(Asking(kb, model), run.questions, run.results(answers.FILE, model))
    marks.write_out(run.out / answers.FILE, run.questions)


def _ours(questions: Path, file: str) -> Part:
    """Over questions of ours."""

    def rows(run: Run, model: Metered) -> Iterator[Row]:
        with indexed(run.settings, [run.settings.corpus], model) as kb:
            yield from answers.run(Asking(kb, model), questions, run.results(file, model))

    return rows


def _fields(run: Run, model: Metered) -> Iterator[Row]:
    for name in fields.names():
        yield from fields.run(run.settings, name, model, run.results(fields.file(name), model))


@contextmanager
def _shelf(run: Run, model: Metered, documents: list[Document]) -> Iterator[Asking]:
    with bare(run.settings, model) as (kb, token_count):
        shelve(kb, documents, token_count)
        yield Asking(kb, model)


def _squad(run: Run, model: Metered) -> Iterator[Row]:
    path = run.public("squad2.jsonl")
    with _shelf(run, model, squad.articles(path, "HELD")) as asking:
        yield from squad.run(asking, path, run.results(squad.FILE, model))


def _ramdocs(run: Run, model: Metered) -> Iterator[Row]:
    path = run.public("ramdocs.jsonl")
    with _shelf(run, model, ramdocs.documents(path)) as asking:
        yield from ramdocs.run(asking, path, run.results(ramdocs.FILE, model))


def _bipia(run: Run, model: Metered) -> Iterator[Row]:
    path = run.public("bipia_email.jsonl")
    with _shelf(run, model, [attacked.document for attacked in attacks.sample(path)]) as asking:
        yield from attacks.run(asking, path, run.results(attacks.FILE, model))
    attacks.write_out(run.out / attacks.FILE)


# -- the checks alone ----------------------------------------------------------------------------


def _scifact(run: Run, model: Metered) -> Iterator[Row]:
    path = run.public("scifact_pairs.jsonl")
    with _shelf(run, model, scifact.documents(path)) as asking:
        yield from scifact.run(asking.kb, model, path, run.results(scifact.FILE, model))


def _written(run: Run, model: Metered) -> Iterator[Row]:
    documents = checks.corpus(run.settings)
    with bare(run.settings, model) as (kb, token_count):
        shelve(kb, documents, token_count)
        claims = checks.written(documents, token_count)
        yield from checks.run(kb, model, claims, run.results(checks.WRITTEN, model))


def _made(run: Run, model: Metered) -> Iterator[Row]:
    path = run.public("squad2.jsonl")
    with bare(run.settings, model) as (kb, token_count):
        shelve(kb, squad.articles(path, "HELD"), token_count)
        claims = checks.held(path, token_count)
        yield from checks.run(kb, model, claims, run.results(checks.MADE, model))


PARTS: dict[str, tuple[Callable[[Run], list[Path]], Part]] = {
    "retrieval": (
        lambda run: [run.questions, run.shared / "seeds", run.public("squad2.jsonl")],
        _retrieval,
    ),
    "follow_ups": (lambda run: [run.questions, run.public("mtrag_un.jsonl")], _follow_ups),
    "answers": (lambda run: [run.questions], _answers),
    "seen": (lambda run: [run.questions.with_name("score.py")], _ours(*answers.OURS["seen"])),
    "held_out": (
        lambda run: [run.questions.with_name("score.py")],
        _ours(*answers.OURS["held_out"]),
    ),
    "fresh": (lambda run: [run.questions.with_name("score.py")], _ours(*answers.OURS["fresh"])),
    "fields": (lambda run: [run.questions.with_name("score.py")], _fields),
    "squad2": (lambda run: [run.public("squad2.jsonl")], _squad),
    "ramdocs": (lambda run: [run.public("ramdocs.jsonl")], _ramdocs),
    "bipia": (
        lambda run: [run.public("bipia_email.jsonl"), run.public("bipia_attacks.json")],
        _bipia,
    ),
    "scifact": (lambda run: [run.public("scifact_pairs.jsonl")], _scifact),
    "claims_written": (lambda run: [], _written),
    "claims_made": (lambda run: [run.public("squad2.jsonl")], _made),
}
# Questions that rules were made on tell nothing that the development questions don't: only by name.
BY_DEFAULT = [name for name in PARTS if name != "seen"]
