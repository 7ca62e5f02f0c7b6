"""Many documents at once: a Ray of this machine's processes reads, splits and embeds them.

LlamaIndex's Ray pipeline hands the items out. What comes back is what this process would have made
itself, and this process remains the only one that writes.
"""

from __future__ import annotations

import base64
import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

# Read by Ray before and while it starts: it reports nothing to its makers, listens on loopback only
# (the switch is named after where that is the default), lets in only who has the token, says on
# the terminal only what ends it, and gives its parts the time that they need on a busy machine.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
os.environ["RAY_AUTH_MODE"] = "token"
os.environ["RAY_BACKEND_LOG_LEVEL"] = "fatal"
os.environ["RAY_agent_register_timeout_ms"] = "120000"  # noqa: SIM112  # its name

import ray
import ray.data
from llama_index.core.schema import BaseNode, TextNode, TransformComponent
from llama_index.ingestion.ray import RayIngestionPipeline, RayTransformComponent
from pydantic import PrivateAttr
from ray.exceptions import RayError

from ingest.crew import Alone, Ready, Revision
from ingest.items import Failed, Item
from kb.errors import WorkersUnavailable
from kb.ports import Embedder

Result = TypeVar("Result")
Work = Callable[[Item], Any]

# Items handed out in one run. Each run starts its workers anew, which takes seconds, and its
# results are in memory together: about 1 MB for a document of 100 passages.
READ_TOGETHER, MADE_TOGETHER = 2_000, 100
BATCH = 4  # items a worker takes at a time: few, so that a long document doesn't hold others up
OBJECT_STORE_BYTES = 300_000_000
ATTEMPTS = 3  # a busy machine may not start Ray's parts within the half minute that it waits


class Carried(TransformComponent):
    """Items in, results out, as LlamaIndex's nodes; runs on a worker."""

    begin: Callable[[], Work]
    _work: Work = PrivateAttr()

    def model_post_init(self, context: object) -> None:
        self._work = self.begin()

    def __call__(self, nodes: Sequence[BaseNode], **_: object) -> Sequence[BaseNode]:
        return [_node(node.node_id, self._work(_held(node))) for node in nodes]


def _node(name: str, held: object) -> TextNode:
    """Nodes travel as JSON; texts may hold what JSON's readers refuse, and floats stay exact."""
    return TextNode(id_=name, text=base64.b64encode(pickle.dumps(held)).decode())


def _held(node: BaseNode) -> Any:
    return pickle.loads(base64.b64decode(node.get_content()))


# -- on a worker ---------------------------------------------------------------------------------


def _reading(max_bytes: int) -> Work:
    return Alone(len, max_bytes).revision


def _making(open_embedder: Callable[[], Embedder], max_bytes: int) -> Work:
    embedder = open_embedder()
    alone = Alone(embedder.token_count, max_bytes)
    return partial(_embedded, alone, embedder)


def _embedded(alone: Alone, embedder: Embedder, item: Item) -> Ready | Failed:
    made = alone.passages(item)
    if isinstance(made, Failed):
        return made
    bodies = list(dict.fromkeys(passage.body for passage in made.passages))
    found = zip(bodies, embedder.embed_passages(bodies), strict=True)
    return replace(made, encodings=dict(found))


# -- in this process -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnRay:
    """The Crew that is `workers` other processes. open_embedder: called once by each of them in
    every run, and pickled on the way there."""

    workers: int
    open_embedder: Callable[[], Embedder]
    max_bytes: int

    def revisions(self, items: Sequence[Item]) -> Iterator[Revision | Failed]:
        return self._carried(items, READ_TOGETHER, partial(_reading, self.max_bytes))

    def ready(self, items: Sequence[Item]) -> Iterator[Ready | Failed]:
        begin = partial(_making, self.open_embedder, self.max_bytes)
        return self._carried(items, MADE_TOGETHER, begin)

    def _carried(
        self, items: Sequence[Item], together: int, begin: Callable[[], Work]
    ) -> Iterator[Any]:
        """Raises WorkersUnavailable."""
        if not items:  # no run, and no pool of nobody
            return
        pool = ray.data.ActorPoolStrategy(size=min(self.workers, len(items)))
        spread = {"compute": pool, "batch_size": BATCH, "num_cpus": 1}
        carried = RayTransformComponent(Carried, spread, {"begin": begin})
        pipeline = RayIngestionPipeline(transformations=[carried])
        for start in range(0, len(items), together):
            some = items[start : start + together]
            nodes = [_node(str(number), item) for number, item in enumerate(some)]
            try:
                done = pipeline.run(nodes=nodes)
            except RayError as error:
                raise WorkersUnavailable(
                    f"a worker failed ({_first_line(error)}): run it again, or without --workers"
                ) from error
            results = {node.node_id: _held(node) for node in done}
            yield from (results[node.node_id] for node in nodes)


@contextmanager
def on_ray(workers: int, open_embedder: Callable[[], Embedder], max_bytes: int) -> Iterator[OnRay]:
    """Starts a Ray of this machine's, and ends it. Raises WorkersUnavailable."""
    before = os.umask(0o077)  # its token, its sockets and its logs are nobody else's
    try:
        with TemporaryDirectory(prefix="kb-ray-", ignore_cleanup_errors=True) as folder:
            try:
                _start(workers, folder)
                yield OnRay(workers, open_embedder, max_bytes)
            finally:
                ray.shutdown()
    finally:
        os.umask(before)


def _start(workers: int, folder: str, attempts: int = ATTEMPTS) -> None:
    try:
        ray.init(
            address="local",
            num_cpus=workers,
            include_dashboard=False,
            object_store_memory=OBJECT_STORE_BYTES,
            log_to_driver=False,
            configure_logging=False,
            _temp_dir=folder,
        )
    except Exception as error:  # what Ray raises where its parts don't start
        ray.shutdown()
        if attempts > 1:
            return _start(workers, folder, attempts - 1)
        raise WorkersUnavailable(
            f"Ray does not start here ({_first_line(error)}): try again when the machine is less "
            "busy, or without --workers"
        ) from error
    ray.data.DataContext.get_current().enable_progress_bars = False  # ours shows documents
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    return None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
