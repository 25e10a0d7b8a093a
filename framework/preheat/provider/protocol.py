"""What a provider is: the one interface between the pipeline and a platform.

A provider is found by the entry point group `preheat.providers`; the entry is a callable
without arguments that returns one. The conformance suite in tests/contract runs against any.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from preheat.bundle.model import Bundle, Target
from preheat.findings import Finding
from preheat.interface.message import Request, Response
from preheat.plan.model import Cost, Plan, Resource
from preheat.progress import Report
from preheat.project.model import Project
from preheat.provider.rehearsal import Rehearsal


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a platform can do. Limits are in bytes and seconds; None means that it sets none.

    `canary` says that a share of the traffic stays where `promote` has put it.

    With `runs_from_cache` its releases run the layers where the build left them, and `preheat prune` asks
    for its releases before it removes any.
    """

    triggers: frozenset[str]
    auth: frozenset[str]
    gpu: bool
    streaming: bool
    jobs: bool
    scale_to_zero: bool
    snapshots: bool
    canary: bool
    max_body_bytes: int | None
    max_response_bytes: int | None
    max_timeout_s: float | None
    max_memory_mb: int | None
    max_unzipped_bytes: int | None
    runs_from_cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A function as deployed. `release` counts from 1; `token` is set only when it was just made.

    `token_file` is where this machine keeps the token, if it does; `authority` is the file of the
    certificate to trust where HTTPS is not publicly trusted.
    """

    name: str
    provider: str
    stage: str
    release: int
    digest: str
    endpoint: str
    changed: bool
    token: str | None = None
    token_file: str | None = None
    authority: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A function as it is now; `details` is the provider's own.

    Latencies are None until one was seen, and counts where nothing was counted.
    """

    name: str
    provider: str
    stage: str
    release: int
    digest: str
    endpoint: str
    ready: bool
    workers: int
    requests: int | None
    errors: int | None
    cold_starts: int | None
    cold_ms_p50: float | None
    warm_ms_p50: float | None
    warm_ms_p95: float | None
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One numbered release. `created` is RFC 3339 UTC."""

    number: int
    digest: str
    created: str
    active: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What destroy removed, and what it found left afterwards (empty unless something failed)."""

    name: str
    stage: str
    removed: tuple[str, ...]
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Groundwork:
    """What to set up once for an account; None stands for what was asked for last, or for nothing.

    `bucket` is one to use in place of a new one. `repository` (OWNER/NAME on GitHub) is the one whose
    workflows may deploy, from `branch` or in `environment` if given.
    """

    region: str | None = None
    bucket: str | None = None
    repository: str | None = None
    branch: str | None = None
    environment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrapped:
    """What is set up, `made` by what each is for; `place` says where, `settings` is for preheat.toml."""

    provider: str
    place: str
    changed: bool
    made: Mapping[str, str]
    settings: Mapping[str, str]
    notes: tuple[str, ...] = ()


@runtime_checkable
class Bootstraps(Protocol):
    """A provider that needs something in an account before the first deploy."""

    def bootstrap_template(self) -> str:
        """Return the text of what `bootstrap` sets up. Touches nothing."""
        ...

    def bootstrap(self, groundwork: Groundwork, *, report: Report) -> Bootstrapped:
        """Set it up, or bring it up to date."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """How a function scales: `min` to `max` workers, `buffer` idle ones beside the busy, idle for `idle_s`.

    As a change to one, None leaves a field as it is; of a pool as it is, None is what the platform sets.
    """

    min: int | None = None
    buffer: int | None = None
    max: int | None = None
    idle_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmPool:
    """A function's pool now, with the workers that it has. `changed` fields differ from what was deployed.

    `exact` says whether the platform told what it uses; else the pool is that of the deploy.
    """

    name: str
    provider: str
    stage: str
    pool: Pool
    changed: tuple[str, ...]
    exact: bool
    workers: int
    waiting: int


@runtime_checkable
class KeepsWarm(Protocol):
    """A provider whose pools change while they run, without a deploy; the next deploy sets them again."""

    def warm_pool(self, name: str, stage: str) -> WarmPool:
        """Return how the function scales now."""
        ...

    def resize(self, name: str, stage: str, change: Pool) -> WarmPool:
        """Change it, and return what it is then. Raises ProviderError for what the platform refuses."""
        ...


@runtime_checkable
class Remarks(Protocol):
    """A provider that has more to tell who reads a plan than what changes and what it costs."""

    def remarks(self, project: Project, bundle: Bundle) -> tuple[str, ...]:
        """Return it, a sentence or two each. May ask the platform, and changes nothing."""
        ...


@runtime_checkable
class BuildsOn(Protocol):
    """A provider that puts a bundle on something else, such as a base image, which may not fit it."""

    def look_at_base(self, project: Project, *, report: Report) -> None:
        """Look at it, before the bundle is built. Raises BundleError where it does not fit."""
        ...


@runtime_checkable
class Rehearses(Protocol):
    """A provider whose entry can be started on this machine, without the platform."""

    def rehearsal(self, bundle: Bundle, project: Project) -> Rehearsal:
        """Return how a start of `bundle` goes here. Raises ProviderError for a secret without a value."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An answer whose body is still to come, or coming. `chunks` raises ProviderError where it breaks off."""

    status: int
    content_type: str
    chunks: Iterator[bytes]


@runtime_checkable
class HandsOn(Protocol):
    """A provider that hands on the answer of `invoke` as it comes."""

    def ask(self, name: str, stage: str, request: Request) -> AbstractContextManager[Incoming]:
        """Send one request through the endpoint, whose answer is open while the block runs."""
        ...


class Provider(Protocol):
    """One platform. Methods raise ProviderError (NotDeployed, Conflict) and nothing else on purpose."""

    name: str
    capabilities: Capabilities

    def options_schema(self) -> Mapping[str, Any]:
        """Return the JSON Schema of the provider's table in preheat.toml."""
        ...

    def check(self, project: Project) -> tuple[Finding, ...]:
        """Return what in `project` this platform cannot do. Touches nothing."""
        ...

    def target(self, project: Project) -> Target:
        """Return the machine to build for. Touches nothing."""
        ...

    def desired(self, project: Project, bundle: Bundle) -> tuple[Resource, ...]:
        """Return the resources that `project` asks for. Touches nothing."""
        ...

    def template(self, project: Project, bundle: Bundle) -> str:
        """Return the text of the platform's own template for `project`. Touches nothing.

        Raises ProviderError where the platform has none.
        """
        ...

    def costs(self, project: Project, bundle: Bundle) -> tuple[Cost, ...]:
        """Return what `project` costs idle and per 1,000 requests; nothing where nobody pays. Pure."""
        ...

    def observe(self, name: str, stage: str) -> tuple[Resource, ...]:
        """Return the resources that exist now; empty when nothing is deployed."""
        ...

    def apply(self, plan: Plan, project: Project, bundle: Bundle, *, report: Report) -> Deployment:
        """Make it so. State is recorded after each step, so that a killed apply can be repeated."""
        ...

    def deployment(self, name: str, stage: str) -> Deployment:
        """Return what is deployed, `changed` false."""
        ...

    def status(self, name: str | None, stage: str | None) -> tuple[Status, ...]:
        """Return every function that matches, in order of name and stage."""
        ...

    def invoke(self, name: str, stage: str, request: Request) -> Response:
        """Send one request through the endpoint and wait for the answer (a stream comes joined)."""
        ...

    def submit(self, name: str, stage: str, request: Request) -> str:
        """Queue one request as a job and return its id. Raises ProviderError where there are no jobs."""
        ...

    def logs(self, name: str, stage: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
        """Yield events `{"time", "level", "event", "message", ...}`, oldest first; for ever if `follow`."""
        ...

    def releases(self, name: str, stage: str) -> tuple[Release, ...]:
        """Return the releases, newest first."""
        ...

    def rollback(self, name: str, stage: str, release: int | None) -> Deployment:
        """Make `release` the active one again; by default what `going_back.release_before` says."""
        ...

    def promote(self, name: str, stage: str, *, canary: float | None) -> Deployment:
        """Give the newest release a share of the traffic (0 to 1), or all of it when `canary` is None.

        The rest stays with the active release, or goes to the one that was active until the newest was;
        with `Capabilities.canary` that one is the answer's `release`.
        """
        ...

    def firing(self, name: str, stage: str, alarms: tuple[str, ...]) -> tuple[str, ...]:
        """Return which of `alarms` fire now; of the function's own if none is named.

        Raises ProviderError for an alarm that does not exist, and where the platform has none.
        """
        ...

    def replay(self, name: str, stage: str) -> int:
        """Run every dead-lettered delivery again; return how many were queued."""
        ...

    def backfill(self, name: str, stage: str, source: str) -> int:
        """Deliver the objects that already exist under `source`; return how many were queued."""
        ...

    def destroy(self, name: str, stage: str, *, report: Report) -> Receipt:
        """Remove everything that deploy made, and say what."""
        ...
