"""What a surface is made of. Frozen data; knows no web framework."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from preheat.interface.manifest import Limits
from preheat.interface.message import Engine
from preheat.runtime.access import AccessLog
from preheat.runtime.jobs import Jobs
from preheat.runtime.metrics import Metrics
from preheat.runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from preheat.runtime.spans import Tracing

Authenticate = Callable[[Mapping[str, str]], None]
"""Raises Unauthorized unless the headers, by lower-case name, carry a right token."""

Exposition = Callable[[], Awaitable[tuple[str, bytes]]]
"""Returns a media type and the Prometheus text of that type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Whom to serve, and how.

    `document` is the handler's contract document. `authenticate` guards what runs the model or
    shows its traffic: /invocations, /predict, /jobs, /v2 and /metrics. A body must be complete within
    `body_s`. `access` and `tracing` stay the caller's, who closes them after the last request.
    `exposition` answers /metrics in place of `metrics`, where these are not all there is.
    With `always_well`, /ping answers 200 also where no request would be taken.
    """

    engine: Engine
    document: Mapping[str, Any]
    name: str
    version: str
    limits: Limits
    jobs: Jobs | None
    metrics: Metrics
    authenticate: Authenticate
    body_s: float = 60.0
    always_well: bool = False
    access: AccessLog | None = None
    tracing: "Tracing | None" = None
    exposition: Exposition | None = None

    @property
    def telemetry(self) -> Telemetry:
        """Where the facts about requests go."""
        return Telemetry(self.metrics, access=self.access, tracing=self.tracing)
