"""Whether the server lives, whether it can do all it should, and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
from kb.errors import WeighbridgeError
from kb.gate import Gate
from kb.measured import Measured
from kb.wiring import KnowledgeBase

router = APIRouter(tags=["operations"])

PACKAGE = "weighbridge"


@router.get("/livez", summary="Is the process alive?")
async def livez() -> AliveOut:
    """Touches nothing that can be slow or broken."""
    return AliveOut()


@router.get("/readyz", summary="Can it do all it should?", responses={503: {"model": ReadyOut}})
def readyz(kb: KB, response: Response) -> ReadyOut:
    """503 while the catalog, the vector store or the chat model can't be used, with the reasons.
    Without the chat model questions are still answered, with verbatim quotes. An empty index is a
    warning: the server does all it should, and the next ingest fills it."""
    reasons = list(_broken(kb))
    response.status_code = 503 if reasons else 200
    status: Literal["ready", "not_ready"] = "not_ready" if reasons else "ready"
    return ReadyOut(status=status, reasons=reasons, warnings=[] if reasons else _warnings(kb))


@router.get("/v1/about", summary="What this server is")
def about(kb: KB) -> AboutOut:
    """Versions, counts, models, error rates of gate and checks, settings one can run into."""
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
        gate={**Gate.shipped().measured, "held_out": measured.gate},
        verifier=measured.verifier,
        settings=SettingsOut.model_validate(kb.settings),
    )


def _broken(kb: KnowledgeBase) -> Iterator[PartOut]:
    probe = np.zeros(kb.embedder.dimension, np.float32)
    probe[0] = 1.0
    checks: tuple[tuple[Literal["catalog", "vector_store"], Callable[[], object]], ...] = (
        ("catalog", kb.catalog.current_version),
        ("vector_store", lambda: kb.store.nearest(probe, 1)),
    )
    for part, check in checks:
        try:
            check()
        except WeighbridgeError as error:
            yield PartOut(part=part, reason=str(error))
    status, detail = kb.model_status()
    if status != "ready":
        yield PartOut(part="model", reason=detail)


def _warnings(kb: KnowledgeBase) -> list[PartOut]:
    if kb.catalog.documents(kb.catalog.current_version()):
        return []
    return [PartOut(part="index", reason="it holds no documents; fill it: kb ingest PATH")]


def package_version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:  # run from a checkout that isn't installed
        return "0+checkout"
