"""Whether the server lives, whether it can do all it should, and what it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np
from fastapi import APIRouter, Response

from api.deps import KB
from api.schemas import (
    AboutOut,
    AliveOut,
    EmbedderOut,
    ModelOut,
    PartOut,
    ReadyOut,
    SettingsOut,
)
from kb.answering.confidence import Confidence
from kb.errors import WeighbridgeError
from kb.measured import Measured
from kb.types import Filters
from kb.wiring import KnowledgeBase

router = APIRouter(tags=["operations"])

PACKAGE = "weighbridge"
Part = Literal["catalog", "embedder", "vector_store", "index", "disk"]
_NEEDS: Mapping[Part, tuple[Part, ...]] = {
    "embedder": ("catalog",),
    "vector_store": ("embedder",),  # vectors of another length can't be compared
    "index": ("catalog", "embedder", "vector_store"),
}


@router.get("/livez", summary="Is the process alive?")
async def livez() -> AliveOut:
    """Touches nothing that can be slow or broken."""
    return AliveOut()


@router.get("/readyz", summary="Can it do all it should?", responses={503: {"model": ReadyOut}})
def readyz(kb: KB, response: Response) -> ReadyOut:
    """503 with the reasons: the catalog, the vector store or the chat model can't be used, vectors
    are lost, the index is another encoder's, or the disk is nearly full (KB_DISK_MB). Without the
    chat model questions are still answered, with verbatim quotes. An empty index is a warning: the
    server does all it should, and the next ingest fills it."""
    reasons = list(_broken(kb))
    response.status_code = 503 if reasons else 200
    status: Literal["ready", "not_ready"] = "not_ready" if reasons else "ready"
    return ReadyOut(status=status, reasons=reasons, warnings=[] if reasons else _warnings(kb))


@router.get("/v1/about", summary="What this server is")
def about(kb: KB) -> AboutOut:
    """Versions, counts, models, error rates of refusals and checks, settings one can run into."""
    current = kb.catalog.current_version()
    listed = kb.catalog.documents(current)
    status, detail = kb.model_status()
    identity = kb.catalog.identity()
    measured = Measured.shipped()
    return AboutOut(
        name=PACKAGE,
        version=package_version(),
        corpus_version=current,
        documents=len(listed),
        passages=sum(one.passages for one in listed),
        model=ModelOut(name=kb.model.name, status=status, detail=detail),
        embedder=EmbedderOut.model_validate(identity) if identity else None,
        gate={**Confidence.shipped().measured, "whole_way": measured.gate},
        verifier=measured.verifier,
        settings=SettingsOut.model_validate(kb.settings),
    )


def _broken(kb: KnowledgeBase) -> Iterator[PartOut]:
    checks: tuple[tuple[Part, Callable[[KnowledgeBase], str | None]], ...] = (
        ("catalog", _catalog),
        ("embedder", _embedder),
        ("vector_store", _store),
        ("index", _index),
        ("disk", _disk),
    )
    away: set[Part] = set()
    for part, check in checks:
        if not away.isdisjoint(_NEEDS.get(part, ())):
            continue  # what is away already is told once
        try:
            reason = check(kb)
        except WeighbridgeError as error:
            reason = str(error)
        if reason:
            away.add(part)
            yield PartOut(part=part, reason=reason)
    status, detail = kb.model_status()
    if status != "ready":
        yield PartOut(part="model", reason=detail)


def _catalog(kb: KnowledgeBase) -> None:
    kb.catalog.current_version()


def _embedder(kb: KnowledgeBase) -> str | None:
    """The index may have been made anew, by another program, since this one started."""
    made, here = kb.catalog.identity(), kb.embedder
    if made is None:
        return None
    if (made.embedder, made.weights_sha256) == (here.name, here.weights_sha256):
        return None
    return (
        f"the index was made with {made.embedder} ({made.weights_sha256[:12]}), and this server "
        f"uses {here.name} ({here.weights_sha256[:12]}): restart it, or make the index anew: "
        "kb ingest --rebuild PATH"
    )


def _store(kb: KnowledgeBase) -> None:
    _nearest(kb)


def _index(kb: KnowledgeBase) -> str | None:
    if _nearest(kb) or not kb.lookup.count(kb.catalog.current_version(), Filters()):
        return None
    return "the vectors of the passages are lost; make them again: kb doctor --repair"


def _nearest(kb: KnowledgeBase) -> bool:
    """Whether a search of the vector store finds anything."""
    probe = np.zeros(kb.embedder.dimension, np.float32)
    probe[0] = 1.0
    return bool(kb.store.nearest(probe, 1))


def _disk(kb: KnowledgeBase) -> str | None:
    home, bound = kb.settings.home, kb.settings.disk_mb
    there = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free // 1_000_000
    if free >= bound:
        return None
    return f"{free} MB are free under KB_HOME, less than KB_DISK_MB={bound}: make room"


def _warnings(kb: KnowledgeBase) -> list[PartOut]:
    if kb.catalog.documents(kb.catalog.current_version()):
        return []
    return [PartOut(part="index", reason="it holds no documents; fill it: kb ingest PATH")]


def package_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:  # run from a checkout that isn't installed
        return "0+checkout"
