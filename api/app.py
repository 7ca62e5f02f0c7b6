"""The HTTP application around one knowledge base."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from anyio import to_thread
from fastapi import FastAPI

from api import errors
from api.auth import Access, Guarded
from api.cors import WidgetOrigins
from api.described import FAILURE, Described
from api.desk import Desk
from api.envelope import BODY_BYTES, Envelope
from api.metrics import Counted, Levels, Metrics
from api.routes import (
    ask,
    conversations,
    documents,
    feedback,
    health,
    ingest,
    metrics,
    migration,
    openai,
    pages,
    search,
    suggestions,
    versions,
    widget_token,
)
from api.routes import jobs as job_routes
from api.streams import Streams
from api.telemetry import Traces, traces_of
from ingest.job_watch import watching
from ingest.jobs import Jobs
from ingest.uploads import Uploads
from ingest.work import ServerWork
from kb.job_log import JobLog
from kb.keys import KeyBook
from kb.settings import Settings
from kb.wiring import KnowledgeBase


def create_app(kb: KnowledgeBase) -> FastAPI:
    """Serves `kb`, which the caller closes after the application has ended."""
    uploads = Uploads(kb.settings.uploads)
    jobs = Jobs(JobLog(kb.database), ServerWork(kb, uploads))
    figures, traces = Metrics(), traces_of(kb.settings, health.package_version())
    app = Described(
        title="Weighbridge",
        description="Cited answers from your own documents: no sentence without a quote that a "
        "machine has checked against the stored source.",
        version=health.package_version(),
        docs_url=None,  # FastAPI's pages load scripts from elsewhere; ours is in routes/pages.py
        redoc_url=None,
        redirect_slashes=False,
        responses=FAILURE,
        lifespan=_living(kb.settings, jobs, traces),
    )
    app.state.kb = kb
    app.state.jobs = jobs
    app.state.uploads = uploads
    app.state.desk = Desk.of(kb.settings, (figures.told, traces.told))
    app.state.metrics = figures
    app.state.levels = Levels(figures, kb, app.state.desk.line, jobs)
    app.state.streams = Streams()
    app.state.access = Access.of(kb.settings, KeyBook(kb.database))
    limits = {
        ingest.FILES: ingest.UPLOAD_BYTES,
        # in base64, and JSON around it
        documents.ONE: kb.settings.file_mb * 4_000_000 // 3 + BODY_BYTES,
    }
    app.add_middleware(Guarded, access=app.state.access)
    app.add_middleware(Envelope, body_bytes=limits)
    app.add_middleware(WidgetOrigins, origins=kb.settings.origins)
    app.add_middleware(Counted, metrics=figures)
    errors.install(app)
    for module in (
        ask, conversations, feedback, search, documents, ingest, job_routes, health, openai, pages,
        metrics, migration, suggestions, versions, widget_token,
    ):  # fmt: skip
        app.include_router(module.router)
    app.mount("/static", pages.FILES)
    return app


def _living(
    settings: Settings, jobs: Jobs, traces: Traces
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What Starlette runs an application inside: at its end the index has no writer any more."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await to_thread.run_sync(jobs.start)
        with watching(settings, jobs):
            yield
        await to_thread.run_sync(jobs.close)
        await to_thread.run_sync(traces.close)

    return lifespan
