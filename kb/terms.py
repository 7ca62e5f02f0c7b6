"""Words as the full-text index spells them: SQLite's own tokenizer, whatever database is in use.

PostgreSQL's parser would keep `GPT-4o` in one piece and drop what it takes for a tag; with one
tokenizer for both, a corpus has one ranking, wherever its catalog lies.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager

TOKENIZER = "porter unicode61 remove_diacritics 2"


def terms_of(words: Sequence[str]) -> list[str]:
    """The words' terms, each once. Strings without a letter or digit are none, those with a dash
    inside are two."""
    return sorted(occurrences([" ".join(words)])[0])


def occurrences(texts: Sequence[str]) -> Sequence[Mapping[str, int]]:
    """For each text its terms, and how often each is in it."""
    found: list[dict[str, int]] = [{} for _ in texts]
    with _scratch() as index:
        # a lone surrogate is no UTF-8
        rows = ((i, text.encode("utf-8", "replace").decode()) for i, text in enumerate(texts))
        index.executemany("INSERT INTO asked(rowid, words) VALUES (?, ?)", rows)
        for i, term, times in index.execute(
            "SELECT doc, term, count(*) FROM terms GROUP BY doc, term"
        ):
            found[i][term] = times
    return found


@contextmanager
def _scratch() -> Iterator[sqlite3.Connection]:
    """A full-text index of nothing yet, in memory."""
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute(
            f"CREATE VIRTUAL TABLE asked USING fts5(words, content='', tokenize='{TOKENIZER}')"
        )
        scratch.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(asked, instance)")
        yield scratch
