"""The step from one make of an index to the next one that was built beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from kb.database import Database
from kb.doctor import in_batches
from kb.errors import IndexMismatch, MigrationIncomplete
from kb.lookup import Lookup
from kb.makes import Make, Makes
from kb.ownership import Turn
from kb.ports import PassageStore
from kb.types import IndexIdentity
from kb.underway import Questions
from kb.upkeep import Upkeep

log = logging.getLogger("weighbridge.migrating")

DRAIN_SECONDS = 15.0  # for questions that began before the switch: most take less


def comparable(one: IndexIdentity, other: IndexIdentity) -> bool:
    """Whether the vectors of both can lie in one store: only the splitter may differ."""
    return (one.embedder, one.weights_sha256, one.dimension) == (
        other.embedder,
        other.weights_sha256,
        other.dimension,
    )


class Switching:
    """For a process that goes on answering. Only the splitter can change under it: questions are
    encoded by the embedder that it has."""

    def __init__(
        self,
        database: Database,
        store: PassageStore,
        identity: Callable[[], IndexIdentity | None],
        turn: Turn,
        upkeep: Upkeep,
        questions: Questions,
    ) -> None:
        """identity: the serving index's."""
        self._database = database
        self._makes = Makes(database)
        self._store = store
        self._identity = identity
        self._turn = turn
        self._upkeep = upkeep
        self._questions = questions

    def switch(self, drain_seconds: float = DRAIN_SECONDS) -> bool:
        """Makes what was built the serving index, in one step, and removes the old one when no
        question reads it any more; what is still read then goes with the next change. Whether there
        was something to switch to. Raises IndexMismatch, MigrationIncomplete, StoreInUse."""
        make = self._makes.building()
        if make is None:
            return False
        serving = self._identity()
        if serving is None or not comparable(serving, make.identity):
            raise IndexMismatch(
                f"the new index is made with {make.identity.embedder}, which this server can't ask "
                "it with: stop the server; the one of the new release takes it up as it starts"
            )
        with self._turn.taken(None):
            put_vectors(self._database, self._makes, make, self._store)
            version = self._makes.switch(make)
        log.info("switched to make=%d version=%d", make.number, version)
        kept = 0 if self._questions.ended(drain_seconds) else 1
        with self._turn.taken(None):
            self._upkeep.sweep(keep=kept)
        return True


def check_alone(database: Database, serving: IndexIdentity, wanted: IndexIdentity) -> None:
    """Raises IndexMismatch."""
    if database.served and not comparable(serving, wanted):
        raise IndexMismatch(
            f"the index was made with {serving.embedder}, and servers elsewhere may be asking it: "
            f"they can't ask one that is made with {wanted.embedder}. Make a new index beside it, "
            "in an empty database (KB_DATABASE_URL) and an empty vector store (KB_CHROMA_URL), and "
            "let the servers use that one, one after the other"
        )


def put_vectors(database: Database, makes: Makes, make: Make, store: PassageStore) -> None:
    """Before the switch, so that no search after it misses one. Raises MigrationIncomplete."""
    if lacking := makes.lacking(make):
        raise MigrationIncomplete(
            f"{len(lacking)} documents have changed since the new index was built; make up for "
            "them: kb migrate"
        )
    for batch in in_batches(Lookup(database, make.number).vectors()):
        store.put([i for i, _ in batch], np.stack([vector for _, vector in batch]))


def take_up(
    database: Database, store: PassageStore, wanted: IndexIdentity, clear: Callable[[], None]
) -> bool:
    """At a start: what was built for `wanted` becomes the serving index, if it is whole. clear:
    empties the store, of which another embedder can use nothing; a kill after that is made up for
    from the catalog. Whether it did. The caller sweeps. Raises StoreInUse, StoreUnavailable, and
    IndexMismatch where others may be asking the index with its own embedder."""
    makes = Makes(database)
    make, serving = makes.building(), makes.serving()
    if make is None or serving is None or make.identity != wanted or makes.lacking(make):
        return False
    check_alone(database, serving, wanted)
    same = comparable(serving, wanted)
    with Turn(database).taken(0):
        if not same:
            clear()
        put_vectors(database, makes, make, store)
        version = makes.switch(make, past=same)
    log.info("switched to make=%d version=%d", make.number, version)
    return True
