"""Traces over OpenTelemetry, where the settings name a collector: a span a question, with a child
a stage, and the attributes that its conventions for generative models have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from api.account import Story
from kb.errors import SettingsInvalid
from kb.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE = "weighbridge"
EXPORT_SECONDS = 5.0  # a collector that is away must not hold the server's end up for longer

# By what the conventions call what a stage does.
_OPERATIONS: Mapping[str, str] = {"retrieve": "retrieval", "judge": "chat", "write": "chat"}

Attributes = dict[str, str | bool | int | float | Sequence[str]]


class Traces(Protocol):
    def told(self, story: Story) -> None:
        """A question is over."""
        ...

    def close(self) -> None:
        """Sends what has not been sent."""
        ...


class NoTraces:
    """Where no collector is named."""

    def told(self, story: Story) -> None:
        pass

    def close(self) -> None:
        pass


class Otlp:
    """Sent in batches by a thread of its own. Safe to share between threads."""

    def __init__(self, exporter: SpanExporter, model: str, version: str) -> None:
        # the extra telemetry: imported where a collector is named
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": SERVICE, "service.version": version})
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer(SERVICE, version)
        self._model = model

    def told(self, story: Story) -> None:
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

        whole = self._tracer.start_span(
            f"invoke_agent {SERVICE}",
            kind=SpanKind.SERVER,
            start_time=_nanoseconds(story.started),
            attributes=_whole(story, self._model),
        )
        inside = set_span_in_context(whole)
        for stage in story.stages:
            span = self._tracer.start_span(
                stage.name,
                inside,
                start_time=_nanoseconds(stage.started),
                attributes=_stage(stage.name, self._model),
            )
            span.end(_nanoseconds(stage.ended))
        if story.end in ("failed", "broken"):
            whole.set_status(Status(StatusCode.ERROR))
        whole.end(_nanoseconds(story.ended))

    def close(self) -> None:
        self._provider.shutdown()


def traces_of(settings: Settings, version: str) -> Traces:
    """Raises SettingsInvalid where the extra is not installed."""
    if settings.otlp_url is None:
        return NoTraces()
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise SettingsInvalid(
            "KB_OTLP_URL needs packages that are not installed: pip install "
            "'weighbridge[telemetry]', or leave the setting out"
        ) from error
    exporter = OTLPSpanExporter(endpoint=str(settings.otlp_url), timeout=EXPORT_SECONDS)
    return Otlp(exporter, settings.model, version)


def _whole(story: Story, model: str) -> Attributes:
    """Nothing of what was asked and said. No ids either by which a stored answer can be read."""
    told: Attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": SERVICE,
        "gen_ai.agent.name": SERVICE,
        "gen_ai.request.model": model,
        "gen_ai.output.type": "text",
        "weighbridge.request_id": story.request_id,
        "weighbridge.end": story.end,
    }
    if story.code:
        told["error.type"] = story.code
    if story.first is not None:
        told["gen_ai.response.time_to_first_chunk"] = story.first
    if (answer := story.answer) is not None:
        told |= {
            "gen_ai.response.model": answer.model,
            "gen_ai.response.finish_reasons": ["stop"],
            "weighbridge.outcome": answer.outcome,
            "weighbridge.reason": answer.reason or "",
            "weighbridge.citations": len(answer.citations),
            "weighbridge.withheld": answer.withheld,
            "weighbridge.cached": answer.cached,
            "weighbridge.corpus_version": answer.corpus_version,
        }
    return told


def _stage(name: str, model: str) -> Attributes:
    operation = _OPERATIONS.get(name)
    if operation is None:
        return {}
    told: Attributes = {"gen_ai.operation.name": operation, "gen_ai.provider.name": SERVICE}
    return told | {"gen_ai.request.model": model} if operation == "chat" else told


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
