"""What a gRPC server serves."""

from dataclasses import dataclass

from preheat.interface.manifest import Limits
from preheat.runtime.inference.model import InferenceModel
from preheat.runtime.surface.settings import Authenticate
from preheat.runtime.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One model. `authenticate` guards what runs it; metadata and readiness are open, as over HTTP."""

    model: InferenceModel
    limits: Limits
    authenticate: Authenticate
    telemetry: Telemetry
