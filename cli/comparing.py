"""What `kb migrate` says of an index that it has built: does it find as much as the serving one?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cli.remote import Server, Wire
from cli.screen import note, say
from cli.sending import SERVER_SECONDS
from kb.errors import InputError
from kb.ownership import owner_url
from kb.settings import Settings
from kb.types import Hit, Passage, Source, StoredPassage, TokenVectors, Unit

if TYPE_CHECKING:
    from ingest.comparison import Search
    from ingest.migration import Built
    from kb.database import Database
    from kb.ports import Embedder

WORSE = 0.02  # of recall@5: about one question in fifty
LEAST_AGREEMENT = 0.5  # of the first passages; other splitters cut elsewhere, and still overlap
MOST_HEADINGS = 50
MOST_HITS = 50  # of one search by a server


@dataclass(frozen=True, slots=True)
class Asked:
    """questions: a file; None: the documents' own headings. scorer: that came with the file; it is
    a program, and only one that was named is run. Raises InputError where a file is not there."""

    questions: Path | None
    scorer: Path | None

    def __post_init__(self) -> None:
        if self.questions is not None and self.scorer is None:
            raise InputError(
                "name the scorer that came with the questions, --scorer FILE: it is a Python file, "
                "and none is run that was not named"
            )
        for path in (self.questions, self.scorer):
            if path is not None and not path.is_file():
                raise InputError(f"{path} is not there: name where it is, --questions and --scorer")


def finds_as_much(
    settings: Settings, database: Database, embedder: Embedder, built: Built, asked: Asked
) -> bool:
    """Says what was found. An index that nobody can ask here is not compared with."""
    from ingest.comparison import agreement, headings, searching
    from kb.catalog import Catalog

    new = searching(database, embedder, Catalog(database).current_version(), built.make)
    old = _serving(settings, database, embedder, built)
    if asked.questions is not None and asked.scorer is not None:
        return _recalled(asked.questions, asked.scorer, old, new)
    questions = headings(database, built.make, MOST_HEADINGS)
    if old is None:
        return True
    share = agreement(questions, old, new)
    say(f"the first passages found for {len(questions)} headings agree to {share:.0%}")
    return share >= LEAST_AGREEMENT


def _serving(
    settings: Settings, database: Database, embedder: Embedder, built: Built
) -> Search | None:
    """With its own embedder: the same one here, or that of the server that has the index."""
    from ingest.comparison import searching
    from kb.catalog import Catalog
    from kb.makes import Makes
    from kb.migrating import comparable

    serving = Makes(database).serving()
    if serving is not None and comparable(serving, built.make.identity):
        return searching(database, embedder, Catalog(database).current_version(), None)
    url = owner_url(settings.index)
    if url is not None:
        return _through(url, settings)
    note(
        "the serving index can only be asked with its own embedder, by a server that has it: none "
        "is running, so there is nothing to compare with"
    )
    return None


def _through(url: str, settings: Settings) -> Search:
    def search(question: str, count: int) -> Sequence[Hit]:
        with Server(url, SERVER_SECONDS, key=settings.key) as server:
            return [_hit(one) for one in server.search(question, min(count, MOST_HITS))["hits"]]

    return search


def _hit(wire: Wire) -> Hit:
    document, revision = wire["document_id"], wire["revision"]
    unit = Unit(0, len(wire["body"]), wire["start"], wire["end"])
    passage = Passage(
        document, revision, 0, wire["kind"], wire["start"], wire["end"], wire["heading"],
        wire["body"], (unit,),
    )  # fmt: skip
    source = Source(
        document, revision, wire["title"], wire["publisher"], wire["uri"], wire["as_of"]
    )
    none = np.zeros(0, np.uint16)
    tokens = TokenVectors(none, none, np.zeros((0, 64), np.int8))
    stored = StoredPassage(wire["id"], passage, source, wire["text"], tokens)
    return Hit(stored, wire["score"], wire["scores"])


def _recalled(questions: Path, scorer: Path, old: Search | None, new: Search) -> bool:
    try:
        from bench import questions as files
        from bench import retrieval
    except ImportError as error:
        raise InputError(
            f"{error.name} is missing, which measures: pip install 'weighbridge[eval]'; or leave "
            "--questions out"
        ) from error
    known = files.load_scorer(scorer)
    items = [(a.id, a.question, files.relevance(a, known)) for a in files.single_turn(questions)]
    found = {}
    for name, search in (("serving", old), ("new", new)):
        if search is not None:
            stages = retrieval.evaluate(items, partial(search, count=retrieval.DEPTH))
            found[name] = replace(stages[-1], name=name)
    say(f"{len(items)} questions, after re-ranking:")
    say(retrieval.table(list(found.values())))
    if "serving" not in found:
        return True
    return found["new"].means["recall@5"] >= found["serving"].means["recall@5"] - WORSE
