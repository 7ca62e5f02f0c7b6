"""Ingest by other processes: the same passages, vectors and answers as by this one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from shelf import BY_THE_MODEL, first_passage

from cli.local import crew
from ingest.crew import Alone, Crew
from ingest.items import Failed, found_in
from ingest.pipeline import Pipeline, Report
from ingest.split import SPLITTER
from kb.adapters.chroma import ChromaStore
from kb.errors import WorkersUnavailable
from kb.events import Ask
from kb.fakes import WordEmbedder
from kb.fakes_model import ScriptedModel
from kb.ports import Embedder
from kb.settings import Settings, load_settings
from kb.types import Encoding
from kb.wiring import ENCODER, KnowledgeBase, compose, load_encoder

# Ray 2.60 deprecates some of its own defaults and warns of it itself, and where its parts don't
# start in time it leaves their handles to the garbage collector; drop these with it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DOCUMENTS = 40
MODELS = ("Amber", "Birch", "Cedar", "Daffodil")
TOLERANCE = 1e-5  # of a cosine: batches are padded otherwise, and sums of floats come out otherwise
STEP = 1  # of token vectors: of the int8 that they are stored in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents with prose and a table each, and two that can't be read."""
    inside = tmp_path_factory.mktemp("many")
    for n in range(DOCUMENTS):
        name = f"{MODELS[n % 4]} {n}"
        (inside / f"{n}.md").write_text(
            f"# {name}\n\nThe licence of {name} allows commercial use. Its window holds {n}K "
            f"tokens.\n\n| Model | Price |\n|---|---|\n| {name} | ${n}.50 |\n"
            f"| {name} mini | $0.{n} |\n",
            encoding="utf-8",
        )
    (inside / "empty.md").write_text("")
    (inside / "broken.json").write_text("{")
    return inside


def words() -> Callable[[], Embedder]:
    return WordEmbedder


def minilm() -> Callable[[], Embedder]:
    """Workers call it too, so that it is of a module that they have."""
    settings = load_settings()
    if not (settings.weights / ENCODER).is_dir():
        pytest.skip(f"{ENCODER} is not under KB_HOME; run `kb models pull`")
    return partial(load_encoder, settings)


@contextmanager
def opened(home: Path, embedder: Embedder) -> Iterator[KnowledgeBase]:
    settings = Settings(home=home)
    settings.index.mkdir(parents=True)
    with closing(ChromaStore.embedded(settings.index / "chroma")) as store:
        model = ScriptedModel(first_passage)
        with closing(
            compose(settings, embedder, store, model, SPLITTER, confidence=BY_THE_MODEL)
        ) as kb:
            yield kb


@dataclass(frozen=True)
class Made:
    """All that an ingest left behind, and what is answered from it."""

    report: Report
    passages: dict[str, tuple[str, int, int, str]]
    encodings: dict[str, Encoding]
    vectors: dict[str, np.ndarray]
    rankings: dict[str, list[str]]
    answers: dict[str, tuple[str, str, list[str]]]


QUESTIONS = [f"What does {MODELS[n % 4]} {n} mini cost?" for n in (3, 14, 25, 36)] + [
    "Which licence does Cedar 18 have?",
    "Who won the match on Sunday?",
]


def made(kb: KnowledgeBase, folder: Path, others: Crew | None) -> Made:
    report = Pipeline.of(kb, others).run([folder])
    version = kb.catalog.current_version()
    passages, encodings = {}, {}
    for one in kb.catalog.documents(version):
        source = one.source
        encodings |= kb.lookup.encodings(source.document_id, source.revision)
    hits = [hit.stored for q in QUESTIONS for hit in kb.search(q, count=200).hits]
    for stored in hits:
        p = stored.passage
        passages[stored.id] = (p.document_id, p.start, p.end, p.body)
    answers = {}
    for question in QUESTIONS:
        answer = kb.ask(Ask(question))
        quotes = [citation.quote for citation in answer.citations]
        answers[question] = (answer.outcome, answer.text, quotes)
    rankings = {q: [hit.stored.id for hit in kb.search(q).hits] for q in QUESTIONS}
    return Made(report, passages, encodings, dict(kb.lookup.vectors()), rankings, answers)


def assert_same(one: Made, other: Made) -> None:
    assert one.report.plan == other.report.plan
    assert (one.report.version, one.report.passages) == (
        other.report.version,
        other.report.passages,
    )
    assert sorted(one.report.failed, key=str) == sorted(other.report.failed, key=str)
    assert one.passages == other.passages
    assert one.vectors.keys() == other.vectors.keys()
    assert all(np.abs(one.vectors[i] - other.vectors[i]).max() < TOLERANCE for i in one.vectors)
    assert one.encodings.keys() == other.encodings.keys()
    for body, encoding in one.encodings.items():
        mine, theirs = encoding.tokens, other.encodings[body].tokens
        assert (mine.ids.tolist(), mine.starts.tolist()) == (
            theirs.ids.tolist(),
            theirs.starts.tolist(),
        )
        assert np.abs(mine.vectors.astype(int) - theirs.vectors).max(initial=0) <= STEP
    assert one.rankings == other.rankings
    assert one.answers == other.answers


@pytest.mark.slow
@pytest.mark.parametrize(
    "opener",
    [
        pytest.param(words, id="words"),
        pytest.param(minilm, id="minilm", marks=pytest.mark.model),
    ],
)
def test_two_workers_leave_what_one_process_leaves(
    opener: Callable[[], Callable[[], Embedder]], folder: Path, tmp_path: Path
) -> None:
    open_embedder = opener()
    bulk = pytest.importorskip("ingest.bulk", reason="needs the extra ray")
    embedder = open_embedder()
    with opened(tmp_path / "alone", embedder) as kb:
        alone = made(kb, folder, None)

    with (
        opened(tmp_path / "together", embedder) as kb,
        bulk.on_ray(2, open_embedder, kb.settings.file_mb * 1_000_000) as others,
    ):
        together = made(kb, folder, others)
        again = Pipeline.of(kb, others).run([folder])

    assert len(alone.report.plan.add) == DOCUMENTS
    assert {failed.code for failed in alone.report.failed} >= {"file_empty"}
    assert_same(alone, together)
    assert (again.version, len(again.plan.keep), again.embedded) == (1, DOCUMENTS, 0)


@pytest.mark.slow
def test_a_worker_that_fails_changes_nothing_and_says_what_to_do(
    folder: Path, tmp_path: Path
) -> None:
    bulk = pytest.importorskip("ingest.bulk", reason="needs the extra ray")
    with (
        opened(tmp_path, WordEmbedder()) as kb,
        bulk.on_ray(2, partial(int, "no embedder"), 1_000_000) as others,
    ):
        with pytest.raises(WorkersUnavailable, match=r"a worker failed .* without --workers"):
            Pipeline.of(kb, others).run([folder])

        assert kb.catalog.current_version() == 0


def test_without_ray_the_message_names_the_extra(tmp_path: Path) -> None:
    with (
        pytest.raises(WorkersUnavailable, match=r"weighbridge\[ray\]"),
        crew(Settings(home=tmp_path), 2, installed=lambda name: None),
    ):
        pass


def test_one_worker_is_this_process(tmp_path: Path) -> None:
    with crew(Settings(home=tmp_path), 1, installed=lambda name: None) as others:
        assert others is None


def test_results_come_in_the_order_of_the_items(folder: Path) -> None:
    items, _ = found_in([folder])
    alone = Alone(WordEmbedder().token_count, 1_000_000)

    read = list(alone.revisions(items))
    ready = list(alone.ready(items))

    for one, other in zip(read, ready, strict=True):
        if isinstance(other, Failed):
            assert one == other
        else:
            assert not isinstance(one, Failed)
            assert (one.document, one.revision) == (other.document.id, other.document.revision)
