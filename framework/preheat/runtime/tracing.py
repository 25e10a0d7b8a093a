"""Whether OpenTelemetry traces are made: only where the user has asked; its SDK is not imported before."""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from preheat.runtime.log import Log, log_to_stderr

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider as SdkProvider

    from preheat.runtime.spans import Tracing

_ASKING = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_ENTRY_POINTS = "opentelemetry_traces_exporter"
_PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


def open_tracing(
    service: str, stage: str, *, environ: Mapping[str, str] = os.environ, log: Log = log_to_stderr
) -> "Tracing | None":
    """Return what makes traces, or None where nobody has asked for any.

    A provider that this process has set up already is used as it is. Otherwise the variables
    OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT ask for one, and the SDK reads
    all others of its own from the process. What is asked for and impossible is a line in `log`:
    requests matter more than their traces.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    names = _exporters(environ)
    if not names and "opentelemetry.trace" not in sys.modules:
        return None
    try:
        return _existing() or (_make(service, stage, names) if names else None)
    except (ImportError, LookupError, ValueError) as exc:
        message = f"No traces are made: {exc}. Traces need: pip install 'preheat[otel]'"
        log({"level": "warning", "event": "traces-off", "message": message})
        return None


def _exporters(environ: Mapping[str, str]) -> list[str]:
    """Return the exporters that are asked for, by the names of their entry points."""
    if not any(environ.get(name) for name in _ASKING):
        return []
    wanted = [name.strip() for name in (environ.get("OTEL_TRACES_EXPORTER") or "otlp").split(",")]
    protocol = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    otlp = _PROTOCOLS.get(protocol or "http/protobuf", f"otlp with protocol {protocol}")
    return [otlp if name == "otlp" else name for name in wanted if name not in ("", "none")]


def _existing() -> "Tracing | None":
    """Return tracing by the provider of this process, if someone has set one."""
    from opentelemetry.trace import NoOpTracerProvider, ProxyTracerProvider, get_tracer_provider

    provider = get_tracer_provider()
    if isinstance(provider, NoOpTracerProvider | ProxyTracerProvider):
        return None
    from preheat.runtime.spans import Tracing

    return Tracing(provider)


def _make(service: str, stage: str, names: list[str]) -> "Tracing":
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from preheat.runtime.spans import Tracing

    attributes = {"deployment.environment.name": stage, **Resource.create().attributes}
    if str(attributes["service.name"]).startswith("unknown_service"):  # what the SDK says without a name
        attributes["service.name"] = service
    owned: SdkProvider = TracerProvider(resource=Resource(attributes), shutdown_on_exit=False)
    for name in names:
        owned.add_span_processor(BatchSpanProcessor(_exporter(name)))
    return Tracing(owned, owned=owned)


def _exporter(name: str) -> Any:
    found = next(iter(entry_points(group=_ENTRY_POINTS, name=name)), None)
    if found is None:
        raise LookupError(f"the trace exporter {name!r} is asked for and not installed")
    return found.load()()
