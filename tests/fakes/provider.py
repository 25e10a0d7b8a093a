"""A provider in memory with real semantics: releases, traffic, logs and receipts, but no processes."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from preheat.bundle.model import Bundle, Target
from preheat.errors import NotDeployed, ProviderError
from preheat.findings import Finding
from preheat.interface.message import Request, Response
from preheat.plan.diff import patch
from preheat.plan.model import Cost, Plan, Resource
from preheat.progress import Report, Step
from preheat.project.model import ObjectCreated, Project
from preheat.provider.protocol import Capabilities, Deployment, Receipt, Release, Status

EPOCH = "2026-01-01T00:00:00Z"

Answer = Callable[[Request], Response]


def echo(request: Request) -> Response:
    """Answer with the input."""
    return Response(body=request.body, content_type=request.content_type)


@dataclass(frozen=True)
class Deployed:
    """One release: what apply was given."""

    number: int
    digest: str
    resources: tuple[Resource, ...]


@dataclass
class Function:
    """One function and stage."""

    resources: tuple[Resource, ...] = ()
    releases: list[Deployed] = field(default_factory=list)
    active: int = 0
    before: int | None = None
    share: float = 1.0
    requests: int = 0
    errors: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)
    dead_letters: int = 0
    jobs: list[Request] = field(default_factory=list)
    alarms: list[tuple[str, ...] | ProviderError] = field(default_factory=list)
    """What fires at each look at the alarms, or why nobody can say."""
    refusals: list[ProviderError] = field(default_factory=list)
    """What each roll-back raises."""


class InMemoryProvider:
    """Implements the Provider protocol. `answer` stands for the model; `left` survives a destroy."""

    capabilities = Capabilities(
        triggers=frozenset({"http", "object-created"}),
        auth=frozenset({"none", "token"}),
        gpu=False,
        streaming=True,
        jobs=True,
        scale_to_zero=True,
        snapshots=False,
        canary=True,
        max_body_bytes=None,
        max_response_bytes=None,
        max_timeout_s=None,
        max_memory_mb=None,
        max_unzipped_bytes=None,
    )

    def __init__(
        self,
        name: str = "memory",
        *,
        answer: Answer = echo,
        platform: str = "x86_64-manylinux_2_28",
        unzipped_limit: int | None = None,
        left: tuple[str, ...] = (),
        runs_from_cache: bool = False,
    ) -> None:
        self.name = name
        self.capabilities = replace(self.capabilities, runs_from_cache=runs_from_cache)
        self.functions: dict[tuple[str, str], Function] = {}
        self.applied: list[Plan] = []
        self.prices: tuple[Cost, ...] = ()
        self._answer = answer
        self._platform = platform
        self._unzipped_limit = unzipped_limit
        self._left = left

    def options_schema(self) -> Mapping[str, Any]:
        return {
            "type": "object",
            "properties": {"tls": {"type": "boolean"}, "zone": {"type": "string"}},
            "additionalProperties": False,
        }

    def check(self, project: Project) -> tuple[Finding, ...]:
        if project.resources.gpu is None:
            return ()
        file = project.root / "preheat.toml"
        message = f"{self.name} has no GPU, and the project asks for {project.resources.gpu}."
        return (Finding(message=message, file=file, key="resources.gpu", fix="remove resources.gpu"),)

    def target(self, project: Project) -> Target:
        return Target(
            provider=self.name,
            platform=self._platform,
            python=project.python or "3.12",
            unzipped_limit=self._unzipped_limit,
        )

    def desired(self, project: Project, bundle: Bundle) -> tuple[Resource, ...]:
        properties = {
            "digest": bundle.digest,
            "memory_mb": project.resources.memory_mb,
            "scaling": {"min": project.scaling.min, "max": project.scaling.max},
            "options": dict(project.provider.get(self.name, {})),
        }
        uploads = [trigger for trigger in project.triggers if isinstance(trigger, ObjectCreated)]
        return (
            Resource(kind="function", name=project.name, properties=properties),
            *(
                Resource(kind="trigger", name=trigger.name, properties={"bucket": trigger.bucket})
                for trigger in uploads
            ),
        )

    def template(self, project: Project, bundle: Bundle) -> str:
        return json.dumps({"Resources": {project.name: {"Digest": bundle.digest}}})

    def costs(self, project: Project, bundle: Bundle) -> tuple[Cost, ...]:
        return self.prices

    def observe(self, name: str, stage: str) -> tuple[Resource, ...]:
        function = self.functions.get((name, stage))
        return function.resources if function else ()

    def apply(self, plan: Plan, project: Project, bundle: Bundle, *, report: Report) -> Deployment:
        report(Step("apply", "remember it"))
        self.applied.append(plan)
        function = self.functions.setdefault((project.name, project.stage), Function())
        function.resources = patch(function.resources, plan.changes)
        number = len(function.releases) + 1
        function.releases.append(Deployed(number, bundle.digest, function.resources))
        self._route(function, number)
        deployment = self._deployment(project.name, project.stage, changed=True)
        token = "t0ken" if number == 1 and project.http.auth == "token" else None
        return replace(deployment, token=token)

    def deployment(self, name: str, stage: str) -> Deployment:
        return self._deployment(name, stage, changed=False)

    def status(self, name: str | None, stage: str | None) -> tuple[Status, ...]:
        return tuple(
            self._status(*key)
            for key in sorted(self.functions)
            if name in (None, key[0]) and stage in (None, key[1])
        )

    def invoke(self, name: str, stage: str, request: Request) -> Response:
        function = self._function(name, stage)
        response = self._answer(request)
        function.requests += 1
        function.errors += response.status >= 400
        event = {"level": "info", "event": "request", "message": "answered", "status": response.status}
        function.log.append({"time": EPOCH, **event})
        return response

    def submit(self, name: str, stage: str, request: Request) -> str:
        self._function(name, stage).jobs.append(request)
        return request.id

    def logs(self, name: str, stage: str, *, follow: bool) -> Iterator[Mapping[str, Any]]:
        return iter(self._function(name, stage).log)

    def releases(self, name: str, stage: str) -> tuple[Release, ...]:
        function = self._function(name, stage)
        return tuple(
            Release(
                number=release.number,
                digest=release.digest,
                created=EPOCH,
                active=release.number == function.active,
            )
            for release in reversed(function.releases)
        )

    def rollback(self, name: str, stage: str, release: int | None) -> Deployment:
        function = self._function(name, stage)
        if function.refusals:
            raise function.refusals.pop(0)
        number = function.active - 1 if release is None else release
        if not 1 <= number <= len(function.releases):
            raise ProviderError(f"{name} has no release {number}.", hint=f"preheat releases {name}")
        self._route(function, number)
        function.resources = function.releases[number - 1].resources
        return self._deployment(name, stage, changed=True)

    def promote(self, name: str, stage: str, *, canary: float | None) -> Deployment:
        function = self._function(name, stage)
        newest = len(function.releases)
        if canary is None:
            self._route(function, newest)
        else:
            beside = function.before if function.active == newest else function.active
            self._route(function, beside or newest, canary)
        return self._deployment(name, stage, changed=True)

    def firing(self, name: str, stage: str, alarms: tuple[str, ...]) -> tuple[str, ...]:
        function = self._function(name, stage)
        found = function.alarms.pop(0) if function.alarms else ()
        if isinstance(found, ProviderError):
            raise found
        return tuple(alarm for alarm in found if not alarms or alarm in alarms)

    def replay(self, name: str, stage: str) -> int:
        function = self._function(name, stage)
        queued, function.dead_letters = function.dead_letters, 0
        return queued

    def backfill(self, name: str, stage: str, source: str) -> int:
        self._function(name, stage)
        return len(source.split(","))

    def destroy(self, name: str, stage: str, *, report: Report) -> Receipt:
        function = self._function(name, stage)
        report(Step("destroy", "forget it"))
        del self.functions[name, stage]
        removed = tuple(f"{resource.kind} {resource.name}" for resource in function.resources)
        return Receipt(name=name, stage=stage, removed=removed, left=self._left)

    def _route(self, function: Function, active: int, share: float = 1.0) -> None:
        if active != function.active:
            function.before = function.active or None
        function.active, function.share = active, share

    def _function(self, name: str, stage: str) -> Function:
        if (name, stage) not in self.functions:
            raise NotDeployed(f"{name} ({stage}) is not deployed to {self.name}.", hint="preheat deploy")
        return self.functions[name, stage]

    def _deployment(self, name: str, stage: str, *, changed: bool) -> Deployment:
        function = self._function(name, stage)
        return Deployment(
            name=name,
            provider=self.name,
            stage=stage,
            release=function.active,
            digest=function.releases[function.active - 1].digest,
            endpoint=f"https://{name}-{stage}.invalid",
            changed=changed,
        )

    def _status(self, name: str, stage: str) -> Status:
        function = self.functions[name, stage]
        deployment = self._deployment(name, stage, changed=False)
        return Status(
            name=name,
            provider=self.name,
            stage=stage,
            release=deployment.release,
            digest=deployment.digest,
            endpoint=deployment.endpoint,
            ready=True,
            workers=0,
            requests=function.requests,
            errors=function.errors,
            cold_starts=min(function.requests, 1),
            cold_ms_p50=812.0 if function.requests else None,
            warm_ms_p50=4.2 if function.requests > 1 else None,
            warm_ms_p95=9.0 if function.requests > 1 else None,
            details={"region": "memory"},
        )


def fails_with(status: int, detail: str) -> Answer:
    """Return a model that answers every request with a problem document."""
    body = json.dumps({"title": "Error", "status": status, "detail": detail}).encode()
    return lambda request: Response(status=status, content_type="application/problem+json", body=body)
