"""The whole pipeline on one page: a folder with preheat.toml becomes an endpoint.

    stage     what it does                                                what it touches
    project   reads preheat.toml and the files it names                   reads disk
    check     asks what the platform cannot do, reads the handler's text  reads disk
    base      looks at what the bundle is put on, where it is an image    writes the cache, reads a registry
    bundle    turns the project into bytes with a digest                  writes the cache, fetches packages
    plan      compares what is desired with what exists                   reads the platform
    apply     makes it so, unless the plan is empty                       writes the platform

`plan` stops before the last stage. Nothing here imports the user's code into this process, and
nothing before `apply` changes anything outside the cache. One deploy of a function and stage runs
at a time: the lock is a file under `home()`, released by the kernel however the process ends.
"""

import dataclasses
import fcntl
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from preheat.bundle.build import build as build_bundle
from preheat.bundle.cache import Cache
from preheat.bundle.model import Bundle, Target
from preheat.errors import Conflict, ProjectError
from preheat.plan.diff import diff
from preheat.plan.model import Plan
from preheat.progress import Report, Step, quiet
from preheat.project.config import load_project
from preheat.project.handler_source import look_at_handler
from preheat.project.home import home
from preheat.project.model import EMPTY, Project
from preheat.project.positions import positioned
from preheat.provider.protocol import BuildsOn, Deployment, Provider, Remarks
from preheat.provider.registry import Registry


class Build(Protocol):
    """The bundle stage."""

    def __call__(self, project: Project, target: Target, *, report: Report, upgrade: bool = False) -> Bundle:
        """Turn `project` into bytes for `target`; `upgrade` locks the newest packages again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Everything that apply needs, made without changing anything."""

    project: Project
    bundle: Bundle
    plan: Plan


def approve_all(prepared: Prepared) -> None:
    """Agree to every plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """One run of the pipeline.

    `options` win over the project's own table of this provider. `approve` is shown every plan
    and raises to stop one that the user does not want.
    """

    provider: Provider
    stage: str
    report: Report = quiet
    upgrade: bool = False
    options: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    approve: Callable[[Prepared], None] = approve_all
    build: Build = build_bundle
    registry: Registry = field(default_factory=Registry.installed)

    def deploy(self, root: Path) -> Deployment:
        """Run every stage. Raises Conflict while another process deploys the same function and stage."""
        project = self.project(root)
        lock = home() / "locks" / f"{self.provider.name}-{project.name}-{self.stage}"
        with held(lock, project.name), Cache(home() / "cache").in_use():
            prepared = self.prepare(project)
            self.approve(prepared)
            if not prepared.plan.changes:
                return self.provider.deployment(project.name, self.stage)
            self.report(Step("apply", f"what differs on {self.provider.name}"))
            return self.provider.apply(prepared.plan, project, prepared.bundle, report=self.report)

    def prepare(self, project: Project) -> Prepared:
        """Run every stage but the first and the last."""
        self.check(project)
        self.look_at_base(project)
        bundle = self.bundle(project)
        return Prepared(project=project, bundle=bundle, plan=self.plan(project, bundle))

    def template(self, project: Project) -> str:
        """Return the text of the platform's own template for `project`, without asking the platform."""
        self.check(project)
        self.look_at_base(project)
        return self.provider.template(project, self.bundle(project))

    def project(self, root: Path) -> Project:
        """Read the project in `root`. Raises ProjectError with every finding."""
        project = load_project(root, self.stage, provider_schemas=self.registry.schemas(self.provider))
        table = {**project.provider.get(self.provider.name, {}), **self.options}
        return dataclasses.replace(project, provider={**project.provider, self.provider.name: table})

    def check(self, project: Project) -> None:
        """Raise ProjectError with what the platform cannot do and what is plainly wrong in the handler."""
        self.report(Step("check", f"what {self.provider.name} can do"))
        findings = (*positioned(self.provider.check(project), project), *look_at_handler(project))
        if findings:
            message = f"{project.name} cannot be deployed to {self.provider.name}."
            raise ProjectError(message, findings=findings)

    def look_at_base(self, project: Project) -> None:
        """Raise BundleError where what the bundle is put on does not fit it, before that is built."""
        if isinstance(self.provider, BuildsOn):
            self.provider.look_at_base(project, report=self.report)

    def bundle(self, project: Project) -> Bundle:
        """Build for the provider's target."""
        self.report(Step("bundle", "packages, weights and code"))
        return self.build(project, self.provider.target(project), report=self.report, upgrade=self.upgrade)

    def plan(self, project: Project, bundle: Bundle) -> Plan:
        """Compare what `project` asks for with what exists."""
        self.report(Step("plan", f"what exists on {self.provider.name}"))
        desired = self.provider.desired(project, bundle)
        observed = self.provider.observe(project.name, self.stage)
        return Plan(
            name=project.name,
            stage=self.stage,
            provider=self.provider.name,
            digest=bundle.digest,
            changes=diff(desired, observed),
            unzipped_bytes=bundle.unzipped_bytes,
            unzipped_limit=bundle.target.unzipped_limit,
            sizes={f"{size.layer}/{size.name}": size.bytes for size in bundle.sizes},
            costs=self.provider.costs(project, bundle),
            notes=self.provider.remarks(project, bundle) if isinstance(self.provider, Remarks) else (),
        )


def deploy(
    root: Path, *, provider: Provider, stage: str, report: Report, upgrade: bool = False
) -> Deployment:
    """Deploy the project in `root`; `changed` is false when it already runs as it is."""
    return Pipeline(provider=provider, stage=stage, report=report, upgrade=upgrade).deploy(root)


def plan(root: Path, *, provider: Provider, stage: str, report: Report, upgrade: bool = False) -> Plan:
    """Return what deploying the project in `root` would change."""
    pipeline = Pipeline(provider=provider, stage=stage, report=report, upgrade=upgrade)
    return pipeline.prepare(pipeline.project(root)).plan


@contextmanager
def held(path: Path, name: str) -> Iterator[None]:
    """Hold the lock file `path`, which carries the holder's pid. Raises Conflict when it is taken."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            file.seek(0)
            pid = file.read().strip()
            raise Conflict(
                f"Process {pid} is deploying {name} to the same stage right now.",
                hint=f"kill {pid}  # or wait for it",
            ) from taken
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
