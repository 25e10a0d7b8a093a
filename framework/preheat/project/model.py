"""A project as frozen data: preheat.toml after validation, with one stage's overrides merged in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from preheat.interface.manifest import Limits

EMPTY: Mapping[str, Any] = MappingProxyType({})
DEFAULT_STAGE = "dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """One entry of `[weights]`. `source` is `file:`, `https:`, `s3:`, `hf:` or `pypi:`; `sha256` is hex."""

    name: str
    source: str
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What one worker gets."""

    memory_mb: int = 1024
    cpu: float = 1.0
    gpu: str | None = None
    timeout_s: float = 60.0
    tmp_mb: int = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """How many workers run: `min` to `max`, with `warm` unoccupied ones kept ready beside the busy.

    `concurrency` is how many requests one worker takes at once; 0 derives it from the handler's
    batching. `queue` bounds the requests that wait for a worker. A worker idle for `idle_s` stops.
    """

    min: int = 0
    max: int = 4
    warm: int = 0
    idle_s: float = 300.0
    concurrency: int = 0
    queue: int = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Coldstart:
    """How long a start may take: `p95_ms`, or `ratio` to a bare interpreter and session. One or none."""

    p95_ms: float | None = None
    ratio: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTrigger:
    """The endpoint. Every project has one; `auth` says who may call it."""

    name: str = "http"
    auth: Literal["none", "token"] = "token"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectCreated:
    """Run on every object that appears under `bucket`/`prefix` and ends in `suffix`.

    The result goes to `output`, written BUCKET/PREFIX.
    """

    name: str
    bucket: str
    prefix: str = ""
    suffix: str = ""
    output: str
    attempts: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueTrigger:
    """Run on every message of `queue`."""

    name: str
    queue: str
    attempts: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Run on `input` whenever `cron` (five fields) says so in `timezone`."""

    name: str
    cron: str
    timezone: str = "UTC"
    input: Any = None


Trigger = HttpTrigger | ObjectCreated | QueueTrigger | Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """One project at one stage. `root` is the folder of preheat.toml.

    `python` is None where the project leaves it to the provider. `requirements` are PEP 508
    lines. `provider` holds the table of each provider, unread. `secrets` maps an environment
    variable to a reference such as `env:NAME`.
    """

    root: Path
    stage: str
    name: str
    handler: str
    python: str | None = None
    requirements: tuple[str, ...] = ()
    weights: tuple[Weights, ...] = ()
    resources: Resources = field(default_factory=Resources)
    scaling: Scaling = field(default_factory=Scaling)
    limits: Limits = field(default_factory=Limits)
    coldstart: Coldstart = field(default_factory=Coldstart)
    triggers: tuple[Trigger, ...] = (HttpTrigger(),)
    env: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    secrets: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    provider: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: EMPTY)

    @property
    def http(self) -> HttpTrigger:
        """The endpoint's settings."""
        return next(trigger for trigger in self.triggers if isinstance(trigger, HttpTrigger))
