"""Ingest: only what changed is embedded, and what can't be read loses nothing."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from stores import EMBEDDER, CountingEmbedder, Index, opened

from ingest import buffer as module
from ingest.pipeline import Report
from kb.types import Filters

ANYTHING = Filters()
SENTENCES = [
    "The licence of model number {n} allows every commercial use in all countries of the world.",
    "Its weights can be fetched by anyone, and its makers publish a report about its training.",
    "Running it needs a graphics card with {n} gigabytes of memory, and more for long prompts.",
    "Hosted by its makers it costs {n} cents for a million tokens that go in, and more going out.",
    "Nobody outside the company knows what model number {n} was trained on, or for how long.",
]


@pytest.fixture
def index() -> Iterator[Index]:
    with opened() as index:
        yield index


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "corpus").mkdir()
    return tmp_path / "corpus"


def prose(first: int, sentences: int = 30) -> str:
    """Many passages; another `first` shares no sentence."""
    lines = [
        SENTENCES[n % len(SENTENCES)].format(n=first + n) + ("\n" if n % 5 == 4 else "")
        for n in range(sentences)
    ]
    return f"# Model {first}\n\n" + " ".join(lines)


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.md").write_text(text)


def ids(index: Index) -> set[str]:
    version = index.catalog.current_version()
    return {one.source.document_id for one in index.catalog.documents(version)}


def ranking(index: Index, question: str) -> list[tuple[str, float]]:
    found = index.retriever.search(question, index.catalog.current_version(), count=50)
    return [(hit.stored.id, round(hit.score, 5)) for hit in found.hits]


def consistent(index: Index) -> bool:
    """One vector for each passage of the kept versions, and no other."""
    needed = sorted(i for i, _ in index.lookup.vectors())
    return sorted(index.store.ids()) == needed == sorted(index.catalog.passage_ids())


# -- what is embedded ----------------------------------------------------------------------------


def test_files_become_a_version_that_can_be_searched(index: Index, folder: Path) -> None:
    write(folder, a=prose(100), b=prose(200))

    report = index.pipeline().run([folder])

    assert report.version == index.catalog.current_version() == 1
    assert report.plan.add == ("a.md", "b.md")
    assert report.failed == ()
    assert report.passages == report.embedded == len(index.catalog.passage_ids()) > 4
    assert ranking(index, "what does model 203 cost a million tokens")
    assert consistent(index)


def test_unchanged_files_cost_no_embedding_and_make_no_version(index: Index, folder: Path) -> None:
    write(folder, a=prose(100), b=prose(200))
    index.pipeline().run([folder])
    embedder = CountingEmbedder()

    report = index.pipeline(embedder).run([folder])

    assert embedder.calls == []
    assert (report.version, report.plan.keep) == (1, ("a.md", "b.md"))
    assert (report.passages, report.embedded) == (0, 0)


def test_one_changed_sentence_embeds_only_its_passages(index: Index, folder: Path) -> None:
    text = prose(100, sentences=300)
    write(folder, a=text, b=prose(900))
    whole = index.pipeline().run([folder]).passages
    embedder = CountingEmbedder()
    write(folder, a=text.replace("253 cents", "251 cents"))

    report = index.pipeline(embedder).run([folder])

    assert report.plan.replace == ("a.md",)
    assert sum(embedder.calls) == report.embedded
    assert 1 <= report.embedded <= 3 < whole
    assert consistent(index)


def test_text_that_is_in_two_documents_is_embedded_once(index: Index, folder: Path) -> None:
    write(folder, a=prose(100), b=prose(100))

    report = index.pipeline().run([folder])

    assert report.passages == 2 * report.embedded


def test_passages_of_many_documents_are_embedded_together(index: Index, folder: Path) -> None:
    write(folder, **{f"d{n}": prose(1000 * n, sentences=5) for n in range(40)})
    embedder = CountingEmbedder()

    report = index.pipeline(embedder).run([folder])

    assert sum(embedder.calls) == report.embedded >= 40
    assert len(embedder.calls) == 1


def test_many_passages_are_embedded_in_several_calls(index: Index, folder: Path) -> None:
    write(folder, **{f"d{n}": prose(10_000 * n, sentences=300) for n in range(12)})
    embedder = CountingEmbedder()

    report = index.pipeline(embedder).run([folder])

    largest = max(one.passages for one in index.catalog.documents(report.version))
    assert len(embedder.calls) > 1
    assert max(embedder.calls) < module.BUFFER + largest
    assert consistent(index)


def test_text_that_comes_back_is_embedded_anew_only_when_it_was_swept(
    index: Index, folder: Path
) -> None:
    first, second = prose(100), prose(500)
    for text in (first, second):
        write(folder, a=text)
        index.pipeline(keep=1).run([folder])
    embedder = CountingEmbedder()
    write(folder, a=first)

    index.pipeline(embedder, keep=1).run([folder])

    assert embedder.calls == []
    assert consistent(index)


# -- what can't be read --------------------------------------------------------------------------


def test_file_that_can_not_be_read_is_reported_and_the_rest_goes_on(
    index: Index, folder: Path
) -> None:
    write(folder, good=prose(100), empty="")
    (folder / "binary.md").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0")
    (folder / "other.xyz").write_text("unknown")

    report = index.pipeline().run([folder, folder / "missing.md"])

    assert ids(index) == {"good.md"}
    assert {Path(one.path).name: one.code for one in report.failed} == {
        "binary.md": "file_is_binary",
        "empty.md": "file_empty",
        "missing.md": "file_missing",
        "other.xyz": "format_unsupported",
    }
    assert all(one.message for one in report.failed)


def test_file_that_becomes_unreadable_keeps_what_the_catalog_has(
    index: Index, folder: Path
) -> None:
    write(folder, a=prose(100), b=prose(200))
    index.pipeline().run([folder])
    before = ranking(index, "model 103 licence")
    (folder / "a.md").write_bytes(b"# Model \x81 in another encoding")

    report = index.pipeline().run([folder], prune=True)

    assert [one.code for one in report.failed] == ["encoding_invalid"]
    assert report.plan.remove == ()
    assert ids(index) == {"a.md", "b.md"}
    assert ranking(index, "model 103 licence") == before


def test_too_large_file_is_reported(index: Index, folder: Path) -> None:
    write(folder, small="A small text.", large="x" * 5000)

    report = index.pipeline(max_bytes=1000).run([folder])

    assert [one.code for one in report.failed] == ["file_too_large"]
    assert ids(index) == {"small.md"}


def test_two_files_with_one_id_are_told_apart_or_reported(index: Index, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for place, text in ((one, prose(100)), (other, prose(200))):
        place.mkdir()
        write(place, a=text)

    report = index.pipeline().run([one, other])

    assert ids(index) == {"a.md"}
    assert [one.path for one in report.failed] == [str(other / "a.md")]
    assert "two of the folders" in report.failed[0].message
    assert index.pipeline().run([one, other], prune=True).plan.keep == ("a.md",)


# -- prune and dry run ---------------------------------------------------------------------------


def test_documents_that_vanished_stay_unless_pruned(index: Index, folder: Path) -> None:
    write(folder, a=prose(100), b=prose(200))
    index.pipeline().run([folder])
    (folder / "b.md").unlink()

    assert index.pipeline().run([folder]).plan.remove == ()
    assert ids(index) == {"a.md", "b.md"}
    report = index.pipeline().run([folder], prune=True)

    assert report.plan.remove == ("b.md",)
    assert ids(index) == {"a.md"}


def test_pruned_document_is_gone_from_the_stores_when_no_version_holds_it(
    index: Index, folder: Path
) -> None:
    write(folder, a=prose(100), b=prose(200))
    index.pipeline(keep=1).run([folder])
    gone = set(index.catalog.ids_of("b.md", index.catalog.live_revisions(1)["b.md"]))
    (folder / "b.md").unlink()
    index.pipeline(keep=1).run([folder], prune=True)
    assert gone <= set(index.store.ids())  # version 1 is kept
    write(folder, a=prose(300))

    index.pipeline(keep=1).run([folder])

    assert gone.isdisjoint(index.store.ids())
    assert gone.isdisjoint(index.catalog.passage_ids())
    assert consistent(index)


def test_empty_folder_prunes_nothing(index: Index, folder: Path, tmp_path: Path) -> None:
    write(folder, a=prose(100))
    index.pipeline().run([folder])
    (tmp_path / "not mounted").mkdir()

    report = index.pipeline().run([tmp_path / "not mounted"], prune=True)

    assert report.plan.remove == ()
    assert ids(index) == {"a.md"}


def test_dry_run_tells_and_changes_nothing(index: Index, folder: Path) -> None:
    write(folder, a=prose(100), b=prose(200))
    index.pipeline().run([folder])
    write(folder, a=prose(300), c=prose(400))
    (folder / "b.md").unlink()
    before, embedder = index.catalog.passage_ids(), CountingEmbedder()

    report = index.pipeline(embedder).run([folder], prune=True, dry_run=True)

    assert (report.plan.add, report.plan.replace, report.plan.remove) == (
        ("c.md",),
        ("a.md",),
        ("b.md",),
    )
    assert embedder.calls == []
    assert index.catalog.current_version() == 1
    assert index.catalog.passage_ids() == before == set(index.store.ids())


# -- files that change while they are being ingested ---------------------------------------------


def run_with(index: Index, folder: Path, change: Callable[[], object], prune: bool) -> Report:
    """An ingest during which `change` happens, between the reading and the staging."""

    def progress(what: str, done: int, total: int) -> None:
        if what == "reading" and done == total:
            change()

    return index.pipeline().run([folder], prune=prune, progress=progress)


def test_file_that_changes_after_the_survey_is_ingested_as_it_is_by_then(
    index: Index, folder: Path
) -> None:
    write(folder, a=prose(100), b=prose(200))

    report = run_with(index, folder, lambda: write(folder, a=prose(700)), prune=False)

    assert report.failed == ()
    live = index.catalog.live_revisions(report.version)
    assert "Model 700" in index.catalog.document("a.md", live["a.md"]).text
    assert {one.source.document_id: one.passages > 0 for one in index.catalog.documents(1)} == {
        "a.md": True,
        "b.md": True,
    }
    assert index.pipeline().run([folder]).plan.keep == ("a.md", "b.md")
    assert consistent(index)


def test_file_that_vanishes_after_the_survey_keeps_what_the_catalog_has(
    index: Index, folder: Path
) -> None:
    write(folder, a=prose(100), old=prose(800))
    index.pipeline().run([folder])
    write(folder, a=prose(300), b=prose(200))
    (folder / "old.md").unlink()

    report = run_with(index, folder, (folder / "a.md").unlink, prune=True)

    assert [(Path(one.path).name, one.code) for one in report.failed] == [("a.md", "file_missing")]
    assert (report.plan.add, report.plan.replace, report.plan.remove) == (("b.md",), (), ())
    assert ids(index) == {"a.md", "b.md", "old.md"}
    live = index.catalog.live_revisions(report.version)
    assert "Model 100" in index.catalog.document("a.md", live["a.md"]).text
    assert consistent(index)


def test_only_changed_file_that_vanishes_makes_no_version(index: Index, folder: Path) -> None:
    write(folder, a=prose(100))
    index.pipeline().run([folder])
    write(folder, a=prose(300))

    report = run_with(index, folder, (folder / "a.md").unlink, prune=True)

    assert report.plan.empty
    assert index.catalog.current_version() == 1
    assert ids(index) == {"a.md"}


def test_file_that_changes_back_makes_no_version(index: Index, folder: Path) -> None:
    write(folder, a=prose(100))
    index.pipeline().run([folder])
    write(folder, a=prose(300))

    report = run_with(index, folder, lambda: write(folder, a=prose(100)), prune=False)

    assert report.plan.keep == ("a.md",)
    assert index.catalog.current_version() == 1
    assert consistent(index)


# -- repeatable ----------------------------------------------------------------------------------


def test_order_of_ingestion_does_not_show_in_any_ranking(tmp_path: Path) -> None:
    texts = {f"d{n}": prose(100 * n, sentences=12) for n in range(1, 9)}
    texts["twin"] = texts["d3"]
    questions = ["what does model 305 cost", "licence of model 100", "weights and memory", "803"]
    rankings = []
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        order = sorted(texts)
        random.Random(seed).shuffle(order)
        with opened() as index:
            for name in order:
                write(folder, **{name: texts[name]})
                index.pipeline(keep=2).run([folder])
            rankings.append([ranking(index, question) for question in questions])

    assert all(rankings[0])
    assert rankings[0] == rankings[1] == rankings[2]


def test_ingest_that_broke_off_leaves_nothing_behind(index: Index, folder: Path) -> None:
    """Staged, never current, and the file is as it was again."""
    write(folder, a=prose(100))
    index.pipeline().run([folder])

    class Stops(Exception):
        pass

    def stop(what: str, done: int, total: int) -> None:
        if what == "embedding":
            raise Stops

    write(folder, a=prose(300))
    with pytest.raises(Stops):
        index.pipeline().run([folder], progress=stop)
    assert not consistent(index)
    write(folder, a=prose(100))

    index.pipeline().run([folder])

    assert index.catalog.current_version() == 1
    assert consistent(index)


def test_progress_goes_up_to_all_of_the_files(index: Index, folder: Path) -> None:
    write(folder, **{f"d{n}": prose(10_000 * n, sentences=300) for n in range(12)})
    seen: dict[str, list[tuple[int, int]]] = {}

    index.pipeline().run(
        [folder],
        progress=lambda what, done, total: seen.setdefault(what, []).append((done, total)),
    )

    assert seen["reading"] == [(n, 12) for n in range(1, 13)]
    assert seen["embedding"] == sorted(seen["embedding"])
    assert seen["embedding"][-1] == (12, 12)
    assert len(seen["embedding"]) > 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_documents(tmp_path: Path) -> None:
    def peak(documents: int) -> int:
        folder = tmp_path / str(documents)
        folder.mkdir()
        write(folder, **{f"d{n}": prose(10_000 * n, sentences=200) for n in range(documents)})
        with opened(f"sqlite:///{folder}.sqlite3") as index:
            tracemalloc.start()
            index.pipeline().run([folder])
            highest = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            vectors = 4 * EMBEDDER.dimension * len(index.catalog.passage_ids())
        return highest - vectors  # the vector store of this test is a dictionary

    peak(2)  # what is loaded once

    assert peak(80) < 1.5 * peak(20)
